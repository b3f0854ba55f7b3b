// What a lane does when the posting side changes its schema: members that no column takes are counted, told once, and kept where that is set.
#include <gmock/gmock.h>

#include "delta/check.h"
#include "stream/internal/kind_lane.h"
#include "stream/lane_fixture.h"

namespace pinflow::stream {
namespace {

using ::testing::ElementsAre;

// The warnings, each with its fields as text.
class WarningsLogger final : public Logger {
 public:
  void write(Severity severity, std::string_view message, std::span<const LogField> fields) override {
    if (severity != Severity::kWarning) return;
    std::string line(message);
    for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, field.value);
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

class LaneDrift : public LaneFixture {
 protected:
  LaneDrift() {
    stopped_.request_stop();
    make_topic(stream_);
  }
  void append(std::string_view json) { log_.append(stream_, 0, {std::string(json)}); }
  // A new process takes in what is there.
  TableStatus run() {
    internal::BatchBudget budget(options_.batch_memory, 1);
    internal::KindLane lane(records::Kind::kUser, options_, {log_, *store_, *engine_, statements_, clock_, warnings_},
                            Random(++seed_), budget);
    for (int i = 0; i < 2; ++i) {
      lane.prepare();
      lane.fetch(stopped_.get_token());
      lane.commit();
    }
    EXPECT_EQ(lane.status().last_error, "");
    return lane.status();
  }
  // "ind: members" of each row.
  std::vector<std::string> kept() {
    std::vector<std::string> all;
    for (const auto& row :
         rows(table_, "SELECT ind, coalesce(unknown_members, 'null') FROM t ORDER BY source_offset")) {
      all.push_back(row[0].to_text() + ": " + row[1].to_text());
    }
    return all;
  }

  StreamOptions options_{.pipeline_id = "p1"};
  const std::string stream_ = options_.names.stream(records::Kind::kUser);
  const std::string table_ = options_.names.table(records::Kind::kUser);
  ManualClock clock_;
  WarningsLogger warnings_;
  std::stop_source stopped_;
  std::uint64_t seed_ = 0;
};

TEST_F(LaneDrift, CountsMembersThatNoColumnTakesAndTellsEachOnce) {
  append(R"({"ind":1,"age":20})");
  append(R"({"ind":2,"language":"en","score":1})");
  append(R"({"ind":"x","refused":1})");
  internal::BatchBudget budget(options_.batch_memory, 1);
  internal::KindLane lane(records::Kind::kUser, options_, {log_, *store_, *engine_, statements_, clock_, warnings_},
                          Random(1), budget);
  const auto turn = [&] {
    lane.prepare();
    lane.fetch(stopped_.get_token());
    lane.commit();
  };
  turn();
  append(R"({"ind":3,"language":"fr"})");
  turn();
  const TableStatus status = lane.status();
  ASSERT_EQ(status.unknown_members.size(), 2u);
  EXPECT_EQ(status.unknown_members[0], (records::UnknownMember{"language", 2, stream_, 0, 1}));
  EXPECT_EQ(status.unknown_members[1], (records::UnknownMember{"score", 1, stream_, 0, 1}));
  EXPECT_EQ(status.other_unknown_members, 0u);
  EXPECT_EQ(status.records, 4u);
  const std::string line =
      "Records have a member that no column takes; it is left out of their rows and stays in the log table={} "
      "member={} topic={} partition=0 offset=1";
  EXPECT_THAT(warnings_.lines, ElementsAre(fmt::format(fmt::runtime(line), table_, "language", stream_),
                                           fmt::format(fmt::runtime(line), table_, "score", stream_)));
}

TEST_F(LaneDrift, KeepsThemInAColumnThatATableGets) {
  append(R"({"ind":1,"language":"en"})");
  run();
  options_.keep_unknown_members = true;
  append(R"({"ind":2,"language":"fr","tags":[1, {"a":null}]})");
  append(R"({"ind":3,"age":"30"})");
  append(R"({"ind":2,"language":"it"})");
  const TableStatus status = run();
  EXPECT_EQ(status.version, 3) << "the table, its first rows, the column, more rows";
  EXPECT_THAT(kept(), ElementsAre("1: null", R"(2: {"language":"fr","tags":[1, {"a":null}]})", "3: null",
                                  R"(2: {"language":"it"})"));
  options_.keep_unknown_members = false;
  append(R"({"ind":4,"language":"es"})");
  EXPECT_EQ(run().rows, 5);
  EXPECT_EQ(kept().back(), "4: null");
  const auto report = delta::check_table(*store_, *engine_, table_);
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& finding : report->findings) ADD_FAILURE() << finding.file << " " << finding.what;
}

TEST_F(LaneDrift, KeepsThemBehindTheDateOfATableByDate) {
  options_.partition_by_date = true;
  append(R"({"ind":1,"language":"en"})");
  run();
  options_.keep_unknown_members = true;
  append(R"({"ind":2,"language":"fr"})");
  run();
  EXPECT_THAT(kept(), ElementsAre("1: null", R"(2: {"language":"fr"})"));
  EXPECT_EQ(rows(table_, "SELECT DISTINCT arrival_date FROM t").size(), 1u);
}

}  // namespace
}  // namespace pinflow::stream
