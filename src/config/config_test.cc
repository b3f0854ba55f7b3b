#include "config/config.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"

namespace pinflow::config {
namespace {

using testing::HasSubstr;

class ConfigFile : public testing::Test {
 protected:
  ConfigFile()
      : path_(std::filesystem::temp_directory_path() / ("pinflow-config-" + std::to_string(::getpid()) + ".toml")) {}
  ~ConfigFile() override { std::filesystem::remove(path_); }
  Sources with_file(const std::string& text) {
    std::ofstream(path_) << text;
    return {.file = path_, .environment = {}, .flags = {}};
  }
  static std::string problem(const Sources& sources) {
    const auto loaded = load(sources);
    return loaded ? "no problem" : loaded.error().message;
  }
  std::filesystem::path path_;
};

TEST_F(ConfigFile, DefaultsNeedNoFile) {
  const auto loaded = load({});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.http.port, 8082);
  EXPECT_EQ(loaded->origins.at("http.port"), "default");
}

TEST_F(ConfigFile, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  Sources sources = with_file("[http]\nport = 1\n[sink]\nflush_size = 7\nrotate_interval = \"2m\"\n");
  sources.environment = {{"PINFLOW_HTTP__PORT", "2"}, {"PINFLOW_SINK__FLUSH_SIZE", "8"}};
  sources.flags = {{"http.port", "3"}};
  const auto loaded = load(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.http.port, 3);
  EXPECT_EQ(loaded->config.sink.flush_size, 8);
  EXPECT_EQ(loaded->config.sink.rotate_interval, std::chrono::minutes(2));
  EXPECT_EQ(loaded->origins.at("sink.flush_size"), "environment PINFLOW_SINK__FLUSH_SIZE");
  EXPECT_THAT(loaded->origins.at("sink.rotate_interval"), HasSubstr(":5"));
}

TEST_F(ConfigFile, UnknownKeysAreNamedWithPlaceAndNearest) {
  const std::string message = problem(with_file("[http]\n\nprot = 1\n"));
  EXPECT_THAT(message, HasSubstr(".toml:3"));
  EXPECT_THAT(message, HasSubstr("unknown key 'http.prot'"));
  EXPECT_THAT(message, HasSubstr("Did you mean 'http.port'?"));
  Sources sources;
  sources.environment = {{"PINFLOW_HTTP__PROT", "1"}};
  EXPECT_THAT(problem(sources), HasSubstr("Did you mean 'PINFLOW_HTTP__PORT'?"));
}

TEST_F(ConfigFile, EveryProblemIsToldAtOnce) {
  const std::string message =
      problem(with_file("[http]\nport = 70000\nmax_body = \"10 apples\"\n[log]\ndurability = \"maybe\"\n"));
  EXPECT_THAT(message, HasSubstr("http.port: expected a whole number from 0 to 65535, not '70000'"));
  EXPECT_THAT(message, HasSubstr("http.max_body: expected a size"));
  EXPECT_THAT(message, HasSubstr("log.durability: expected one of 'power', 'interval', 'os', not 'maybe'"));
}

TEST_F(ConfigFile, BrokenTomlIsNamedWithLineAndColumn) {
  EXPECT_THAT(problem(with_file("[http\n")), HasSubstr(".toml:1:6: not valid TOML"));
}

TEST_F(ConfigFile, MissingFileSaysWhatToCheck) {
  Sources sources;
  sources.file = "no/such.toml";
  EXPECT_THAT(problem(sources), HasSubstr("--config"));
}

TEST_F(ConfigFile, RemoteAddressNeedsPlainWords) {
  EXPECT_THAT(problem(with_file("[http]\naddresses = \"0.0.0.0\"\n")), HasSubstr("http.insecure_remote"));
  EXPECT_EQ(problem(with_file("[http]\naddresses = \"0.0.0.0\"\ninsecure_remote = true\n")), "no problem");
  EXPECT_THAT(problem(with_file("[http]\naddresses = \"::1,10.0.0.1\"\n")), HasSubstr("'10.0.0.1' can be reached"));
  EXPECT_THAT(problem(with_file("[http]\naddresses = \"::1,\"\n")), HasSubstr("such as '127.0.0.1,::1'"));
  EXPECT_THAT(problem(with_file("[http]\ntls_certificate = \"c\"\n")), HasSubstr("belong together"));
  EXPECT_THAT(problem(with_file("[http]\ntls_client_ca = \"c\"\n")),
              HasSubstr("http.tls_certificate and http.tls_key"));
  EXPECT_THAT(problem(with_file("[http]\ntls_require_client_certificate = true\n")),
              HasSubstr("set http.tls_client_ca"));
}

TEST_F(ConfigFile, RemoteAddressIsFineWithTlsAndCredentialsOfEitherKind) {
  const std::string remote = "[http]\naddresses = \"0.0.0.0\"\n";
  const std::string tls = "tls_certificate = \"c\"\ntls_key = \"k\"\n";
  const std::string token = "authentication = \"token\"\n";
  EXPECT_THAT(problem(with_file(remote + tls)), HasSubstr("the door asks for no credentials. Three ways mend it"));
  EXPECT_THAT(problem(with_file(remote + token)), HasSubstr("credentials and posts would cross the network readable"));
  EXPECT_EQ(problem(with_file(remote + tls + token)), "no problem");
  EXPECT_EQ(problem(with_file(remote + tls + "tls_client_ca = \"a\"\n")), "no problem");
  EXPECT_THAT(problem(with_file(remote + tls + token + "anonymous = \"query,admin\"\n")),
              HasSubstr("could do everything without credentials"));
  EXPECT_EQ(problem(with_file(remote + tls + token + "anonymous = \"produce:clicks\"\n")), "no problem");
  EXPECT_EQ(problem(with_file("[http]\n" + token + "anonymous = \"admin\"\n")), "no problem");
}

TEST_F(ConfigFile, SettingsOfAccessNeedEachOther) {
  EXPECT_THAT(problem(with_file("[http]\nauthentication = \"tokens\"\n")), HasSubstr("expected one of 'off', 'token'"));
  EXPECT_THAT(problem(with_file("[http]\nclient_certificates = \"f\"\n")), HasSubstr("set http.tls_client_ca"));
  EXPECT_THAT(problem(with_file("[kinesis]\nverify_signatures = true\n")), HasSubstr("set kinesis.access_keys"));
  EXPECT_THAT(problem(with_file("[kinesis]\naccept_session_tokens = true\n")),
              HasSubstr("kinesis.verify_signatures = true"));
}

TEST_F(ConfigFile, KinesisIsReadIntoAnEmbeddedLog) {
  EXPECT_EQ(problem(with_file("[kinesis]\nread_from = \"http://127.0.0.1:4567\"\n")), "no problem");
  EXPECT_THAT(problem(with_file("[kinesis]\nread_from = \"http://127.0.0.1:4567\"\n[log]\nengine = \"kafka\"\n"
                                "[kafka_cluster]\nbootstrap_servers = \"a:1\"\n")),
              HasSubstr("needs log.engine = 'embedded'"));
}

TEST_F(ConfigFile, KafkaDoorIsOpenedToStrangersOnPurposeOnly) {
  EXPECT_THAT(problem(with_file("[kafka]\naddresses = \"127.0.0.1,0.0.0.0\"\n")),
              HasSubstr("'0.0.0.0' can be reached from other machines, and the door asks for no credentials"));
  EXPECT_THAT(problem(with_file("[kafka]\naddresses = \"0.0.0.0\"\nusers = \"u\"\n")),
              HasSubstr("kafka.tls_certificate and kafka.tls_key"));
  EXPECT_EQ(problem(with_file("[kafka]\naddresses = \"0.0.0.0\"\nusers = \"u\"\ntls_certificate = \"c\"\n"
                              "tls_key = \"k\"\n")),
            "no problem");
  EXPECT_EQ(problem(with_file("[kafka]\naddresses = \"0.0.0.0\"\ninsecure_remote = true\n")), "no problem");
  EXPECT_THAT(problem(with_file("[kafka]\ntls_key = \"k\"\n")), HasSubstr("belong together"));
  EXPECT_THAT(problem(with_file("[kafka]\naddresses = \"127.0.0.1,\"\n")), HasSubstr("such as '127.0.0.1,::1'"));
}

TEST_F(ConfigFile, KafkaRestSettingsAreChecked) {
  EXPECT_THAT(problem(with_file("[kafka_rest]\nprofile = \"redpanda\"\n")),
              HasSubstr("kafka_rest.profile: expected one of 'confluent', 'karapace', not 'redpanda'"));
  EXPECT_THAT(problem(with_file("[kafka_rest]\nbase_uri = \"pin.example\"\n")),
              HasSubstr("kafka_rest.base_uri: expected an address such as"));
  EXPECT_EQ(problem(with_file("[kafka_rest]\nbase_uri = \"https://pin.example/kafka\"\n")), "no problem");
}

TEST_F(ConfigFile, KafkaClusterNeedsBrokersAndWhatItsLoginTakes) {
  EXPECT_THAT(problem(with_file("[log]\nengine = \"redpanda\"\n")), HasSubstr("expected one of 'embedded', 'kafka'"));
  EXPECT_THAT(problem(with_file("[log]\nengine = \"kafka\"\n")),
              HasSubstr("kafka_cluster.bootstrap_servers: log.engine = 'kafka' needs the brokers"));
  const auto cluster = [&](const std::string& lines) {
    return problem(with_file("[log]\nengine = \"kafka\"\n[kafka_cluster]\nbootstrap_servers = \"k:9092\"\n" + lines));
  };
  EXPECT_EQ(cluster(""), "no problem");
  EXPECT_THAT(cluster("security_protocol = \"tls\"\n"), HasSubstr("'sasl_ssl', not 'tls'"));
  EXPECT_THAT(cluster("sasl_mechanism = \"PLAIN\"\n"), HasSubstr("nobody logs in"));
  EXPECT_THAT(cluster("ca_file = \"ca\"\n"), HasSubstr("means nothing with kafka_cluster.security_protocol"));
  EXPECT_THAT(cluster("security_protocol = \"ssl\"\nkey_file = \"k\"\n"), HasSubstr("belong together"));
  const std::string login = "security_protocol = \"sasl_ssl\"\n";
  EXPECT_THAT(cluster(login), HasSubstr("set kafka_cluster.sasl_mechanism"));
  EXPECT_THAT(cluster(login + "sasl_mechanism = \"GSSAPI\"\n"), HasSubstr("'AWS_MSK_IAM', not 'GSSAPI'"));
  EXPECT_THAT(cluster(login + "sasl_mechanism = \"SCRAM-SHA-512\"\nusername = \"u\"\n"),
              HasSubstr("needs kafka_cluster.username and kafka_cluster.password_file"));
  EXPECT_EQ(cluster(login + "sasl_mechanism = \"SCRAM-SHA-512\"\nusername = \"u\"\npassword_file = \"p\"\n"),
            "no problem");
  EXPECT_EQ(cluster(login + "sasl_mechanism = \"AWS_MSK_IAM\"\n"), "no problem");
  EXPECT_THAT(cluster("security_protocol = \"sasl_plaintext\"\nsasl_mechanism = \"AWS_MSK_IAM\"\n"),
              HasSubstr("goes over TLS alone"));
}

TEST_F(ConfigFile, PasswordOfTheClusterIsNeverShown) {
  Sources sources;
  sources.environment = {{"PINFLOW_KAFKA_CLUSTER__PASSWORD", "correct horse"}};
  const auto loaded = load(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.kafka_cluster.password.value, "correct horse");
  for (const Printed& line : print(*loaded)) {
    EXPECT_EQ(line.value.find("horse"), std::string::npos) << line.key;
    if (line.key == "kafka_cluster.password") EXPECT_EQ(line.value, "(not shown)");
  }
  sources.environment.clear();
  sources.flags = {{"kafka_cluster.password", "correct horse"}};
  EXPECT_THAT(problem(sources), HasSubstr("list of processes"));
  EXPECT_EQ(problem(sources).find("horse"), std::string::npos);
}

TEST_F(ConfigFile, LimitsMayBeUnlimited) {
  const auto loaded = load(with_file("[log]\nretention_time = \"7d\"\nretention_size = \"unlimited\"\n"));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.log.retention_time, std::chrono::hours(7 * 24));
  EXPECT_FALSE(loaded->config.log.retention_size);
  EXPECT_THAT(problem(with_file("[log]\nretention_time = \"soon\"\n")), HasSubstr("(or 'unlimited')"));
}

TEST_F(ConfigFile, PrintedValuesAreReadBackEqual) {
  const auto loaded = load({});
  ASSERT_TRUE(loaded);
  Sources sources;
  for (const Printed& line : print(*loaded)) sources.flags.emplace_back(line.key, line.value);
  const auto again = load(sources);
  ASSERT_TRUE(again) << again.error().message;
  for (const Setting& setting : settings()) EXPECT_EQ(setting.print(again->config), setting.print(loaded->config));
}

}  // namespace
}  // namespace pinflow::config
