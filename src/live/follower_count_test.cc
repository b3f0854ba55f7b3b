#include "live/follower_count.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace pinflow::live {
namespace {

using Case = std::pair<std::string_view, std::optional<std::int64_t>>;

TEST(FollowerCount, ReadsEveryFormThatProfilesShow) {
  const std::vector<Case> cases = {
      {"0", 0},          {"998", 998},          {"124k", 124'000},
      {"991K", 991'000}, {"2M", 2'000'000},     {"15m", 15'000'000},
      {"1.5k", 1'500},   {"5.4M", 5'400'000},   {" 12k ", 12'000},
      {"3 k", 3'000},    {"12,345", 12'345},    {"1,234,567", 1'234'567},
      {"1.25k", 1'250},  {"1B", 1'000'000'000}, {"9223372036854775807", INT64_MAX},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_follower_count(text), expected) << text;
}

TEST(FollowerCount, LeavesWhatIsNoCountUnknown) {
  for (const std::string_view text : {"User Info Error",
                                      "",
                                      " ",
                                      "k",
                                      "M",
                                      "-5",
                                      "1k2",
                                      "1..5k",
                                      ".5k",
                                      "1.k",
                                      ",123",
                                      "1234,567",
                                      "1,23",
                                      "12,3456",
                                      "0x10",
                                      "1e3",
                                      "kk",
                                      "1kk",
                                      "9223372036854775808",
                                      "9223372036854775807k",
                                      "many"}) {
    EXPECT_EQ(parse_follower_count(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pinflow::live
