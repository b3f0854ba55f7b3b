#include "delta/check.h"

#include "delta/maintenance.h"
#include "delta/table_fixture.h"

namespace pinflow::delta {
namespace {

class Check : public DeltaTable {
 protected:
  // A table with positions, a checkpoint and a rewrite.
  Check() {
    TableSpec wanted = spec();
    wanted.checkpoint_interval = 4;
    auto table = open(wanted);
    for (int i = 0; i < 9; ++i) append(*table, i * 10, i * 10 + 10, {{"lane:pins:0", i}});
    EXPECT_TRUE(optimize(*table, context(), "pins", {}).has_value());
    append(*table, 90, 100);
  }
  CheckReport check() {
    auto report = check_table(*real_store_, *engine_, "pins");
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report.value_or(CheckReport{});
  }
  std::string only_finding() {
    const CheckReport report = check();
    EXPECT_EQ(report.findings.size(), 1U);
    return report.findings.empty() ? "" : report.findings[0].file + " " + report.findings[0].what;
  }
  void change(const std::string& file, std::string_view from, std::string_view to) {
    std::string text = get(file);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, text.npos) << text;
    ASSERT_TRUE(real_store_->put(file, text.replace(at, from.size(), to)).has_value());
  }
  static testing::AssertionResult says(const std::string& text, std::string_view words) {
    if (text.find(words) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "it says: " << text;
  }
};

TEST_F(Check, FindsNothingWrongWithATableOfOurs) {
  const CheckReport report = check();
  for (const CheckFinding& finding : report.findings) ADD_FAILURE() << finding.file << " " << finding.what;
  EXPECT_EQ(report.first, Version(0));
  EXPECT_EQ(report.last, Version(11));
  EXPECT_EQ(report.checkpoints, 2U);
  EXPECT_EQ(report.files, 2U);
  EXPECT_EQ(report.rows, 100);
}

TEST_F(Check, NamesALiveFileThatIsNotThere) {
  const std::string path = read().files.begin()->first;
  ASSERT_TRUE(real_store_->remove("pins/" + path).has_value());
  EXPECT_TRUE(says(only_finding(), path + " is live but not there"));
}

TEST_F(Check, NamesStatisticsThatLeaveRowsOut) {
  change(log_file(11), R"(\"maxValues\":{\"ind\":99)", R"(\"maxValues\":{\"ind\":98)");
  EXPECT_TRUE(says(only_finding(), "maxValues of ind of its statistics leaves rows out: 1"));
}

TEST_F(Check, NamesAWrongNumberOfRowsAndNulls) {
  change(log_file(11), R"(\"numRecords\":10)", R"(\"numRecords\":11)");
  EXPECT_TRUE(says(only_finding(), "numRecords of its statistics is wrong: 10"));
}

TEST_F(Check, NamesAMissingCommit) {
  ASSERT_TRUE(real_store_->remove(log_file(6)).has_value());
  EXPECT_TRUE(says(only_finding(), "00000000000000000006.json is missing"));
}

TEST_F(Check, NamesACheckpointThatDiffersFromItsCommits) {
  change(log_file(2), R"("appId":"lane:pins:0")", R"("appId":"lane:pins:1")");
  const CheckReport report = check();
  ASSERT_FALSE(report.findings.empty());
  EXPECT_TRUE(says(report.findings[0].what, "other source positions"));
}

TEST_F(Check, NamesAnActionThatACommitMayHoldOnce) {
  const std::string text = get(log_file(11));
  ASSERT_TRUE(real_store_->put(log_file(11), text + text.substr(text.find(R"({"add")"))).has_value());
  EXPECT_TRUE(says(only_finding(), "adds part-"));
}

TEST_F(Check, NamesAHintThatLeadsNowhere) {
  ASSERT_TRUE(real_store_->put("pins/_delta_log/_last_checkpoint", R"({"version":7,"size":3})").has_value());
  EXPECT_TRUE(says(only_finding(), "names checkpoint 7"));
}

TEST_F(Check, SaysThatThereIsNoSuchTable) {
  const auto report = check_table(*real_store_, *engine_, "none");
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace pinflow::delta
