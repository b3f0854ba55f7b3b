#include "app/cluster_options.h"

#include <gmock/gmock.h>

#include "disk/memory_disk.h"

namespace pinflow::app {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class ClusterSettings : public ::testing::Test {
 protected:
  ClusterSettings() {
    config_.kafka_cluster.bootstrap_servers = "k:9092";
    EXPECT_TRUE(disk_.create_folders("/c"));
  }
  Properties properties() {
    auto read = cluster_properties(config_, disk_);
    EXPECT_TRUE(read) << read.error().message;
    return read.value_or(Properties());
  }
  std::string problem() {
    const auto read = cluster_properties(config_, disk_);
    return read ? "no problem" : read.error().message;
  }
  void write(const char* name, const char* text) { ASSERT_TRUE(disk_.write_file(name, text)); }

  config::Config config_;
  disk::MemoryDisk disk_;
};

TEST_F(ClusterSettings, OfAnOpenClusterAreItsBrokers) {
  EXPECT_THAT(properties(), ElementsAre(Pair("bootstrap.servers", "k:9092"), Pair("security.protocol", "plaintext")));
}

TEST_F(ClusterSettings, TakeThePasswordFromTheFirstLineOfItsFile) {
  config_.kafka_cluster.sasl_mechanism = "SCRAM-SHA-512";
  config_.kafka_cluster.username = "ann";
  config_.kafka_cluster.password_file = "/c/password";
  EXPECT_THAT(problem(), HasSubstr("kafka_cluster.password_file"));
  write("/c/password", "\n");
  EXPECT_THAT(problem(), HasSubstr("the first line of /c/password is empty"));
  write("/c/password", "a secret=1\r\nrest");
  const Properties read = properties();
  EXPECT_THAT(read, Contains(Pair("sasl.mechanisms", "SCRAM-SHA-512")));
  EXPECT_THAT(read, Contains(Pair("sasl.username", "ann")));
  EXPECT_THAT(read, Contains(Pair("sasl.password", "a secret=1")));
}

TEST_F(ClusterSettings, LogInToMskByABearerToken) {
  config_.kafka_cluster.sasl_mechanism = "AWS_MSK_IAM";
  EXPECT_THAT(properties(), Contains(Pair("sasl.mechanisms", "OAUTHBEARER")));
}

TEST_F(ClusterSettings, FindTheRegionToSignFor) {
  EXPECT_THAT(cluster_region(config_, "").error().message, HasSubstr("'k:9092' names none"));
  config_.kafka_cluster.bootstrap_servers = "b-1.pins.abc123.c2.kafka.eu-west-1.amazonaws.com:9098,b-2:9098";
  EXPECT_EQ(cluster_region(config_, "").value(), "eu-west-1");
  EXPECT_EQ(cluster_region(config_, "us-east-2").value(), "us-east-2");
  config_.kafka_cluster.region = "ap-south-1";
  EXPECT_EQ(cluster_region(config_, "us-east-2").value(), "ap-south-1");
}

TEST_F(ClusterSettings, NameTheFileThatIsMissing) {
  config_.kafka_cluster.ca_file = "/c/ca.pem";
  EXPECT_THAT(problem(), HasSubstr("kafka_cluster.ca_file"));
  write("/c/ca.pem", "x");
  EXPECT_THAT(properties(), Contains(Pair("ssl.ca.location", "/c/ca.pem")));
}

TEST_F(ClusterSettings, WinOverTheFileOfProperties) {
  config_.kafka_cluster.properties_file = "/c/more";
  write("/c/more", "# of ours\n client.rack = a \n\nsecurity.protocol=ssl\n");
  EXPECT_THAT(properties(), ElementsAre(Pair("bootstrap.servers", "k:9092"), Pair("security.protocol", "plaintext"),
                                        Pair("client.rack", "a")));
  write("/c/more", "client.rack=a\nsasl.password\n");
  EXPECT_THAT(problem(), HasSubstr("/c/more: line 2: expected name=value"));
}

}  // namespace
}  // namespace pinflow::app
