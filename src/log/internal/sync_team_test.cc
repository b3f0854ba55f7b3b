#include "log/internal/sync_team.h"

#include <atomic>
#include <latch>

#include <gtest/gtest.h>

namespace pinflow::log {
namespace {

TEST(SyncTeam, RunsEachPartOnceAndReturnsAfterTheLast) {
  for (const std::size_t threads : {1U, 2U, 4U}) {
    SyncTeam team(threads);
    for (std::size_t count = 0; count < 40; ++count) {
      std::vector<std::atomic<int>> calls(count);
      team.run(count, [&](std::size_t part) { ++calls[part]; });
      for (const auto& call : calls) EXPECT_EQ(call, 1);
    }
  }
}

TEST(SyncTeam, RunsPartsAtTheSameTime) {
  SyncTeam team(3);
  std::latch all_there(3);
  team.run(3, [&](std::size_t) { all_there.arrive_and_wait(); });  // Would hang if one waited for another to end.
}

}  // namespace
}  // namespace pinflow::log
