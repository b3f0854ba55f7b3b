#include "app/kafka_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"

namespace pinflow::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class KafkaOptions : public testing::Test {
 protected:
  Result<kafka_door::KafkaServerOptions> options() { return kafka_options(config_, disk_, id_); }
  std::string problem() {
    const auto made = options();
    return made ? "no problem" : made.error().message;
  }
  disk::MemoryDisk disk_;
  config::Config config_;
  Uuid id_ = *Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
};

TEST_F(KafkaOptions, ListenOnBothLoopbacksByDefault) {
  const auto made = options();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(made->port, 9092);
  EXPECT_EQ(made->cluster_id, "ABEiM0RVZneImaq7zN3u_w");
  EXPECT_EQ(made->topic_defaults.retention_ms, -1);
}

TEST_F(KafkaOptions, AdvertiseAHostWithOrWithoutPort) {
  const auto advertised = [&](const std::string& text) {
    config_.kafka.advertised = text;
    const auto made = options();
    return made ? fmt::format("{}|{}", made->advertised_host, made->advertised_port) : made.error().message;
  };
  EXPECT_EQ(advertised(""), "|0");
  EXPECT_EQ(advertised("kafka.example"), "kafka.example|0");
  EXPECT_EQ(advertised("kafka.example:19092"), "kafka.example|19092");
  EXPECT_EQ(advertised("fd00::1"), "fd00::1|0");
  EXPECT_EQ(advertised("[fd00::1]:9093"), "fd00::1|9093");
  EXPECT_THAT(advertised("kafka.example:x"), HasSubstr("the port is not one"));
  EXPECT_THAT(advertised(":9092"), HasSubstr("names no host"));
}

TEST_F(KafkaOptions, ReadUsersFromTheirFile) {
  ASSERT_TRUE(disk_.create_folders("/etc"));
  ASSERT_TRUE(disk_.write_file("/etc/users", "# who may come\nann:se:cret\r\n\nbob:x\n"));
  config_.kafka.users = "/etc/users";
  const auto made = options();
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->users.size(), 2u);
  EXPECT_EQ(made->users[0].name, "ann");
  EXPECT_EQ(made->users[0].password, "se:cret");
}

TEST_F(KafkaOptions, NameTheLineOfABadUserAndNotItsPassword) {
  ASSERT_TRUE(disk_.create_folders("/etc"));
  config_.kafka.users = "/etc/users";
  EXPECT_THAT(problem(), HasSubstr("kafka.users"));
  ASSERT_TRUE(disk_.write_file("/etc/users", "ann:a\nann:hidden\n"));
  EXPECT_THAT(problem(), HasSubstr("/etc/users: line 2: the user 'ann' is there twice"));
  EXPECT_THAT(problem(), Not(HasSubstr("hidden")));
  ASSERT_TRUE(disk_.write_file("/etc/users", "hidden\n"));
  EXPECT_THAT(problem(), HasSubstr("line 1: expected name:password"));
  ASSERT_TRUE(disk_.write_file("/etc/users", "\n"));
  EXPECT_THAT(problem(), HasSubstr("there is no user"));
}

}  // namespace
}  // namespace pinflow::app
