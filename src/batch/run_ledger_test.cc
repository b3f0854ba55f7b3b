#include "batch/run_ledger.h"

#include <gtest/gtest.h>

#include "disk/memory_disk.h"

namespace pinflow::batch {
namespace {

BatchReport report() {
  BatchReport report;
  report.run_id = "6f1c";
  report.started = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  report.took = std::chrono::milliseconds(850);
  report.objects = 3;
  report.bytes = 4096;
  report.kinds[records::Kind::kPin] = {
      .records = 12, .rows = 9, .added = 8, .repeats = 3, .replaced = 1, .dead_letters = 1};
  report.published = true;
  report.failures.push_back({"questions/mine", Error{ErrorCode::kInvalid, "line 3"}});
  report.tables["batch_pin"] = 9;
  report.checks.push_back(
      {.check = "records_without_post", .description = "", .stops = false, .findings = 4, .sample = {}});
  report.steps = {{"list", std::chrono::milliseconds(5)}, {"read", std::chrono::milliseconds(40)}};
  return report;
}

constexpr std::string_view kCounts =
    R"("objects":3,"bytes":4096,"kinds":{"pin":{"records":12,"rows":9,"added":8,"repeats":3,"replaced":1,"dead_letters":1}},)"
    R"("tables":{"batch_pin":9},"findings":{"records_without_post":4},"failures":[{"statement":"questions/mine","error":"line 3"}],"steps_ms":{"list":5,"read":40}})";

TEST(RunLedger, LineSaysWhatTheRunDid) {
  EXPECT_EQ(ledger_line(report(), std::nullopt),
            R"({"version":1,"run":"6f1c","started":"2023-11-14T22:13:20.123Z","took_ms":850,"outcome":"done",)" +
                std::string(kCounts) + "\n");
}

TEST(RunLedger, LineOfAFailureSaysWhy) {
  EXPECT_EQ(
      ledger_line(report(), Error{ErrorCode::kCorrupt, "object x: \"y\""}),
      R"({"version":1,"run":"6f1c","started":"2023-11-14T22:13:20.123Z","took_ms":850,"outcome":"failed","code":"corrupt",)"
      R"("error":"object x: \"y\"",)" +
          std::string(kCounts) + "\n");
}

TEST(RunLedger, LinesSurviveACrashAndATornOneSpoilsNoOther) {
  disk::MemoryDisk disk;
  ASSERT_TRUE(append_to_ledger(disk, "/state", "{\"run\":1}\n"));
  Random random(3);
  disk.crash(random);
  {
    const auto file = disk.open_append("/state/batch_runs.jsonl").value();
    ASSERT_TRUE(file->append("{\"ru"));
  }
  ASSERT_TRUE(append_to_ledger(disk, "/state", "{\"run\":2}\n"));
  EXPECT_EQ(disk.read_file("/state/batch_runs.jsonl").value(), "{\"run\":1}\n{\"ru\n{\"run\":2}\n");
}

}  // namespace
}  // namespace pinflow::batch
