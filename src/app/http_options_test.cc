#include "app/http_options.h"

#include <gtest/gtest.h>

namespace pinflow::app {
namespace {

TEST(HttpOptions, FollowTheSettings) {
  config::Config config;
  config.http.tls_certificate = "door.pem";
  config.http.tls_key = "door.key";
  config.http.max_header = ByteCount(4096);
  config.http.max_connections_per_address = 7;
  const auto options = http_options(config);
  EXPECT_EQ(options.addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(options.tls.certificate, "door.pem");
  EXPECT_EQ(options.tls.key, "door.key");
  EXPECT_EQ(options.max_header, ByteCount(4096));
  EXPECT_EQ(options.max_target, ByteCount(4096)) << "a target is part of the head";
  EXPECT_EQ(options.max_connections_per_address, 7u);
}

TEST(HttpOptions, NameTheDoorAsAClientWouldDialIt) {
  config::Config config;
  EXPECT_EQ(http_url(config, 8082), "http://127.0.0.1:8082");
  config.http.addresses = "::1";
  config.http.tls_certificate = "door.pem";
  EXPECT_EQ(http_url(config, 443), "https://[::1]:443");
}

}  // namespace
}  // namespace pinflow::app
