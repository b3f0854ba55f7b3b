#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/source.h"
#include "net/certificates_fixture.h"
#include "records/raw_batch.h"

namespace pinflow::emulator {
namespace {

using testing::HasSubstr;

std::string find_program(std::string_view name) {
  for (const std::string_view folder : {"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec"}) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

// A port that was free a moment ago.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

// A MariaDB server of its own for all tests here, in a temporary folder, on loopback.
class MysqlSourceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { start_with({"--skip-ssl"}); }

  static void start_with(const std::vector<std::string>& settings) {
    const std::string server = find_program("mariadbd");
    const std::string install = find_program("mariadb-install-db");
    if (server.empty() || install.empty()) return;
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-mariadb-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    const std::string user = ::getuid() == 0 ? "--user=root" : "";
    if (std::system(fmt::format("{} --no-defaults {} --datadir={}/data --auth-root-authentication-method=normal "
                                "--skip-test-db >{}/install.log 2>&1",
                                install, user, folder_, folder_)
                        .c_str()) != 0) {
      return;
    }
    std::ofstream(folder_ + "/init.sql") << "CREATE DATABASE site;\n"
                                            "CREATE USER ana@'%' IDENTIFIED BY 's:cret/';\n"
                                            "GRANT ALL ON site.* TO ana@'%';\n";
    port_ = free_port();
    start(server, user, settings);
  }

  static void TearDownTestSuite() {
    if (server_ > 0) {
      ::kill(server_, SIGTERM);
      ::waitpid(server_, nullptr, 0);
    }
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
    server_ = 0;
    folder_.clear();
  }

  void SetUp() override {
    if (server_ <= 0) GTEST_SKIP() << "no MariaDB server: install the package mariadb-server, or see " << folder_;
  }

  // Waits for the word of the server that it takes connections.
  static void start(const std::string& server, const std::string& user, const std::vector<std::string>& settings) {
    int output[2];
    if (::pipe2(output, O_CLOEXEC) != 0) return;
    std::vector<std::string> words = {
        server, "--no-defaults", "--datadir=" + folder_ + "/data", "--socket=" + folder_ + "/socket", "--skip-log-bin",
        fmt::format("--port={}", port_), "--bind-address=127.0.0.1,127.0.0.2", "--init-file=" + folder_ + "/init.sql",
        "--innodb-buffer-pool-size=32M", "--skip-name-resolve", "--pid-file=" + folder_ + "/pid",
        // Not what a real server has, so that the client must ask for its own.
        "--character-set-server=latin1", "--default-time-zone=+05:00", "--sql-mode=ANSI,NO_BACKSLASH_ESCAPES",
        user.empty() ? "--console" : user};
    words.insert(words.end(), settings.begin(), settings.end());
    server_ = ::fork();
    if (server_ == 0) {
      ::dup2(output[1], STDERR_FILENO);
      ::dup2(output[1], STDOUT_FILENO);
      std::vector<char*> arguments;
      for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      ::execv(server.c_str(), arguments.data());
      ::_exit(127);
    }
    ::close(output[1]);
    std::string said;
    char bytes[4096];
    pollfd readable{.fd = output[0], .events = POLLIN, .revents = 0};
    while (said.find("ready for connections") == std::string::npos) {
      if (::poll(&readable, 1, 60'000) <= 0) break;
      const auto size = ::read(output[0], bytes, sizeof bytes);
      if (size <= 0) break;
      said.append(bytes, static_cast<std::size_t>(size));
    }
    if (said.find("ready for connections") != std::string::npos) return;
    ADD_FAILURE() << "the MariaDB server did not start: " << said;
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
    server_ = 0;
  }

  static std::string url(std::string_view login = "ana:s%3Acret%2F", std::string_view database = "site") {
    return fmt::format("mysql://{}@127.0.0.1:{}/{}", login, port_, database);
  }

  static inline std::string folder_;
  static inline std::uint16_t port_ = 0;
  static inline pid_t server_ = 0;
};

TEST_F(MysqlSourceTest, GivesBackEveryRowThatWasMade) {
  const auto made = create_source(url(), {.seed = 1, .posts = 2'000}, {.replace = true});
  ASSERT_TRUE(made) << made.error().message;
  const auto source = open_source(url());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ((*source)->extent().posts, 2'000);
  const auto posts = (*source)->read(0, 2'000);
  ASSERT_TRUE(posts) << posts.error().message;
  ASSERT_EQ(posts->size(), 2'000u);
  const auto set = records::SyntheticPosts({.seed = 1, .posts = 2'000}).next(SIZE_MAX);
  for (std::size_t row = 0; row < posts->size(); ++row) {
    for (std::size_t k = 0; k < records::kKinds.size(); ++k) {
      std::string expected;
      records::append_json_record(expected, set.at(records::kKinds[k]), row);
      ASSERT_EQ((*posts)[row].records[k], expected);
    }
  }
  const std::int64_t wanted[] = {7, 3, 7};
  const auto picked = (*source)->pick(wanted);
  ASSERT_TRUE(picked);
  ASSERT_EQ(picked->size(), 3u);
  EXPECT_EQ((*picked)[0].index, 7);
}

TEST_F(MysqlSourceTest, ReplacesTablesOnlyWhenTold) {
  ASSERT_TRUE(create_source(url(), {.seed = 1, .posts = 10}, {.replace = true}));
  const auto again = create_source(url(), {.seed = 1, .posts = 20}, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_THAT(again.error().message, testing::Not(HasSubstr("cret")));
}

TEST_F(MysqlSourceTest, TakesThePasswordOfTheEnvironment) {
  ASSERT_EQ(::setenv("PINFLOW_SOURCE_PASSWORD", "s:cret/", 1), 0);
  const auto made = create_source(url("ana"), {.seed = 1, .posts = 3}, {.replace = true});
  EXPECT_TRUE(made) << made.error().message;
  ASSERT_EQ(::setenv("PINFLOW_SOURCE_PASSWORD", "wrong", 1), 0);
  const auto refused = open_source(url("ana"));
  ::unsetenv("PINFLOW_SOURCE_PASSWORD");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("PINFLOW_SOURCE_PASSWORD"));
}

TEST_F(MysqlSourceTest, SaysWhatIsMissing) {
  const auto no_database = open_source(url("ana:s%3Acret%2F", "elsewhere"));
  ASSERT_FALSE(no_database);
  EXPECT_THAT(no_database.error().message, HasSubstr("elsewhere"));
  const auto no_server = open_source("mysql://ana:x@127.0.0.1:1/site");
  ASSERT_FALSE(no_server);
  EXPECT_EQ(no_server.error().code, ErrorCode::kUnavailable);
}

TEST_F(MysqlSourceTest, IsNotReadInTheClearWhereTlsIsAskedFor) {
  net::Certificates certificates;
  for (const std::string& options :
       {std::string("ssl-mode=required"), "ssl-ca=" + certificates.certificate("ca").string()}) {
    const auto source = open_source(url() + "?" + options);
    ASSERT_FALSE(source) << options;
    EXPECT_EQ(source.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(source.error().message, HasSubstr("TLS")) << options;
  }
}

TEST_F(MysqlSourceTest, ImportsFiles) {
  std::ofstream(folder_ + "/geo.jsonl") << "{\"ind\":4,\"timestamp\":\"2020-08-28T03:52:47\",\"latitude\":1.1,"
                                           "\"country\":\"Cote d'Ivoire \\\\ \\u00e9\"}\n"
                                           "{\"ind\":9}\n";
  const auto report = import_source(url(), folder_, {.replace = true});
  ASSERT_TRUE(report) << report.error().message;
  const auto source = open_source(url());
  ASSERT_TRUE(source);
  const auto posts = (*source)->read(0, 100);
  ASSERT_TRUE(posts);
  ASSERT_EQ(posts->size(), 2u);
  EXPECT_EQ((*posts)[0].records[1],
            "{\"ind\":4,\"timestamp\":\"2020-08-28 03:52:47\",\"latitude\":1.1,\"longitude\":null,"
            "\"country\":\"Cote d'Ivoire \\\\ \xc3\xa9\"}");
  EXPECT_EQ((*posts)[1].records[1], R"({"ind":9,"timestamp":null,"latitude":null,"longitude":null,"country":null})");
}

// A server whose users may come by TLS alone, as RDS has it with require_secure_transport.
class MysqlTlsTest : public MysqlSourceTest {
 protected:
  static void SetUpTestSuite() {
    certificates_ = std::make_unique<net::Certificates>();
    certificates_->issue("server");
    start_with({"--require-secure-transport=ON", "--ssl-cert=" + certificates_->certificate("server").string(),
                "--ssl-key=" + certificates_->key("server").string()});
  }
  static void TearDownTestSuite() {
    MysqlSourceTest::TearDownTestSuite();
    certificates_.reset();
  }
  static std::string authority(const net::Certificates& of) { return "?ssl-ca=" + of.certificate("ca").string(); }

  static inline std::unique_ptr<net::Certificates> certificates_;
};

TEST_F(MysqlTlsTest, IsReadWhereTheAuthorityAndTheNameAreRight) {
  for (const std::string& options : {authority(*certificates_), std::string("?ssl-mode=required")}) {
    const auto made = create_source(url() + options, {.seed = 1, .posts = 30}, {.replace = true});
    ASSERT_TRUE(made) << options << ": " << made.error().message;
    const auto source = open_source(url() + options);
    ASSERT_TRUE(source) << options << ": " << source.error().message;
    EXPECT_EQ((*source)->extent().posts, 30);
  }
}

TEST_F(MysqlTlsTest, IsRefusedWhereTheServerIsAnother) {
  const net::Certificates other;
  std::string elsewhere = url();
  elsewhere.replace(elsewhere.find("127.0.0.1"), 9, "127.0.0.2");  // Not in the certificate.
  for (const std::string& address :
       {url() + authority(other), url() + "?ssl-mode=verify-identity", elsewhere + authority(*certificates_)}) {
    const auto source = open_source(address);
    ASSERT_FALSE(source) << address;
    EXPECT_EQ(source.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(source.error().message, HasSubstr("check that the certificate")) << address;
  }
  EXPECT_TRUE(open_source(elsewhere + "?ssl-mode=required"));  // There is a server.
  EXPECT_FALSE(open_source(url()));                            // It takes none in the clear.
}

}  // namespace
}  // namespace pinflow::emulator
