#include "net/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::net {
namespace {

using testing::HasSubstr;

ListenOptions at(std::vector<std::string> addresses, std::uint16_t port = 0) {
  return {std::move(addresses), port, "tests", "test"};
}

TEST(Listen, TakesTheSamePortOnAllAddresses) {
  const auto listening = listen_on(at({"127.0.0.1", "127.0.0.2", "127.0.0.1"}));
  ASSERT_TRUE(listening) << listening.error().message;
  ASSERT_EQ(listening->sockets.size(), 2u);
  EXPECT_EQ(listening->sockets[1].address, "127.0.0.2");
  EXPECT_NE(listening->port, 0);
  EXPECT_EQ(listen_on(at({"127.0.0.2"}, listening->port)).error().code, ErrorCode::kUnavailable);
}

TEST(Listen, UnderstandsLocalhostAsBothLoopbacks) {
  const auto listening = listen_on(at({"localhost"}));
  ASSERT_TRUE(listening) << listening.error().message;
  EXPECT_EQ(listening->sockets.size() + listening->absent.size(), 2u);
}

TEST(Listen, LeavesOutWhatTheMachineLacksUnlessThatIsAll) {
  const auto listening = listen_on(at({"192.0.2.1", "127.0.0.1"}));
  ASSERT_TRUE(listening) << listening.error().message;
  EXPECT_EQ(listening->absent, std::vector<std::string>{"192.0.2.1"});
  const auto none = listen_on(at({"192.0.2.1"}));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(none.error().message, HasSubstr("set test.addresses"));
}

TEST(Listen, SaysWhichSettingIsWrong) {
  for (const auto& addresses : {std::vector<std::string>{"nowhere"}, {""}, {}}) {
    const auto refused = listen_on(at(addresses));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(refused.error().message, HasSubstr("test.addresses"));
  }
  const auto first = listen_on(at({"127.0.0.1"}));
  const auto second = listen_on(at({"127.0.0.1"}, first->port));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("set test.port"));
}

TEST(Listen, RaisesTheLimitOfOpenFiles) {
  EXPECT_GE(raise_open_file_limit(), 256u);
  EXPECT_EQ(raise_open_file_limit(), raise_open_file_limit());
}

}  // namespace
}  // namespace pinflow::net
