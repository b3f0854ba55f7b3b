// What a lane may meet: other starts, streams that come again, clocks that jump, disks that are full, every kind of dirt.
#include <csignal>
#include <fstream>
#include <sys/resource.h>

#include <gmock/gmock.h>

#include "delta/check.h"
#include "stream/internal/kind_lane.h"
#include "stream/lane_fixture.h"
#include "stream/latest.h"

namespace pinflow::stream {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LaneFaults : public LaneFixture {
 protected:
  LaneFaults() {
    stopped_.request_stop();
    make_topic(stream_);
  }
  void append(int count, WallTime time = log::MemoryLog::kTime) {
    for (int i = 0; i < count; ++i) log_.append(stream_, 0, {fmt::format(R"({{"index":{}}})", i)}, time);
  }
  std::unique_ptr<internal::KindLane> make_lane() {
    return std::make_unique<internal::KindLane>(records::Kind::kPin, options_,
                                                StreamContext{log_, *store_, *engine_, statements_, clock_, logger_},
                                                Random(++seed_), budget_);
  }
  void turn(internal::KindLane& lane) {
    lane.prepare();
    lane.fetch(stopped_.get_token());
    lane.commit();
  }
  void turn(int times = 1) {
    if (!lane_) lane_ = make_lane();
    for (int i = 0; i < times; ++i) turn(*lane_);
  }
  void expect_sound(const std::string& table) {
    const auto report = delta::check_table(*store_, *engine_, table);
    ASSERT_TRUE(report) << report.error().message;
    for (const auto& finding : report->findings) ADD_FAILURE() << finding.file << " " << finding.what;
  }

  StreamOptions options_{.pipeline_id = "p1"};
  internal::BatchBudget budget_{options_.batch_memory, 1};
  const std::string stream_ = options_.names.stream(records::Kind::kPin);
  const std::string table_ = options_.names.table(records::Kind::kPin);
  ManualClock clock_;
  std::stop_source stopped_;
  std::uint64_t seed_ = 0;
  std::unique_ptr<internal::KindLane> lane_;
};

// ---- where it begins

TEST_F(LaneFaults, BeginsAtTheLatestAndKeepsThatPlaceThroughACrash) {
  append(5);
  options_.start = Latest{};
  turn();  // Finds its place, and dies before the first record.
  lane_.reset();
  append(3);
  turn();
  EXPECT_THAT(places(table_), ElementsAre("0:5", "0:6", "0:7"));
}

TEST_F(LaneFaults, BeginsAtTheLatestOfAnEmptyStream) {
  options_.start = Latest{};
  turn();
  append(3);
  lane_.reset();
  turn();
  EXPECT_EQ(places(table_).size(), 3u);
  expect_sound(table_);
}

TEST_F(LaneFaults, BeginsAtATimeOrAnOffset) {
  append(4, log::MemoryLog::kTime);
  append(2, log::MemoryLog::kTime + 10s);
  options_.start = log::MemoryLog::kTime + 5s;
  turn();
  EXPECT_THAT(places(table_), ElementsAre("0:4", "0:5"));
  options_.names.prefix = "other";
  log_.append("streaming-other-pin", 0, {R"({"index":1})", R"({"index":2})", R"({"index":3})"});
  options_.start = log::Offset(1);
  lane_ = make_lane();
  turn();
  EXPECT_THAT(places("other_pin_table"), ElementsAre("0:1", "0:2"));
}

TEST_F(LaneFaults, GoesOnWhereItsTableIsWhateverTheStart) {
  append(3);
  turn();
  append(2);
  options_.start = Latest{};
  lane_.reset();
  turn();
  EXPECT_EQ(places(table_).size(), 5u);
}

// ---- the log and the clock

TEST_F(LaneFaults, TakesNothingOfANewStreamForTheOldOne) {
  append(6);
  turn();
  append(4);
  lane_->prepare();
  // Deleted and made again, and longer than the old one, before the lane looks for topics.
  std::vector<log::MemoryLog::Value> values;
  for (int i = 0; i < 20; ++i) values.push_back(fmt::format(R"({{"index":{}}})", 100 + i));
  log_.replace(stream_, values);
  lane_->fetch(stopped_.get_token());
  lane_->commit();
  EXPECT_EQ(places(table_).size(), 6u);
  turn(2);
  const auto inds = rows(table_, "SELECT ind FROM t WHERE ind >= 100 ORDER BY ind");
  ASSERT_EQ(inds.size(), 20u);
  EXPECT_EQ(inds.front()[0].to_text(), "100");
}

TEST_F(LaneFaults, CommitsWhatItHadOfAStreamThatWasDeleted) {
  append(6);
  turn(0);
  lane_ = make_lane();
  lane_->prepare();
  lane_->fetch(stopped_.get_token());
  ASSERT_TRUE(log_.delete_topic(stream_));
  lane_->commit();
  clock_.advance(1s);
  turn();
  EXPECT_EQ(places(table_).size(), 6u);
  EXPECT_TRUE(lane_->status().partitions.empty());
}

TEST_F(LaneFaults, OutlivesAClockThatJumps) {
  options_.checkpoint_interval = 2;
  for (const auto jump : {0h, 24h * 400, -24h * 800, 24h * 30, -1h}) {
    clock_.jump_wall(jump);
    append(4);
    turn();
  }
  lane_.reset();
  append(1);
  turn();
  EXPECT_EQ(places(table_).size(), 21u);
  EXPECT_EQ(rows(table_, "SELECT DISTINCT source_offset FROM t").size(), 21u);
  expect_sound(table_);
}

// ---- the disk

// No file of this process may grow past a limit, as if the disk were full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    previous_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit small{bytes, limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, previous_);
  }

 private:
  rlimit limit_{};
  void (*previous_)(int) = nullptr;
};

TEST_F(LaneFaults, WaitsForAFullDiskAndGoesOn) {
  options_.max_batch_records = 10;
  append(3);
  turn();
  append(25);
  log_.append(stream_, 0, {"no row"});
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{100}, rlim_t{2'000}}) {
    {
      const FullDisk full(bytes);
      turn(3);
    }
    EXPECT_NE(lane_->status().error, "") << bytes;
    EXPECT_EQ(places(table_).size(), 3u) << bytes;
    clock_.advance(31s);
  }
  turn(5);
  EXPECT_EQ(lane_->status().error, "");
  EXPECT_EQ(places(table_).size(), 28u);
  EXPECT_EQ(rows(table_, "SELECT DISTINCT source_offset FROM t").size(), 28u);
  EXPECT_EQ(places(options_.dead_letters).size(), 1u);
  expect_sound(table_);
}

// ---- dirt

std::string wrap(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The catalogue of dirt that transport adds: what becomes of each record. An empty reason: a row.
struct Dirt {
  std::string what;
  std::optional<std::string> record;
  std::string reason;
};

std::vector<Dirt> dirt() {
  const std::string plain = R"({"index":7528,"category":"art"})";
  const std::string envelope = R"({"records":[{"value":)" + plain + "}]}";
  std::vector<Dirt> all = {
      {"clean", plain, ""},
      {"sent again", plain, ""},
      {"numbers as strings", R"({"index":"7528","downloaded":"1","category":"art"})", ""},
      {"strings as numbers", R"({"index":7528,"title":967,"category":"art"})", ""},
      {"whole number as float", R"({"index":7528.0,"category":"art"})", ""},
      {"the other name", R"({"ind":7528,"category":"art"})", ""},
      {"record as string", wrap(plain), ""},
      {"record as string in a string", wrap(wrap(plain)), ""},
      {"envelope", envelope, ""},
      {"envelope as string", wrap(envelope), ""},
      {"envelope as string in a string", wrap(wrap(envelope)), ""},
      {"record as string in an envelope", R"({"records":[{"value":)" + wrap(plain) + "}]}", ""},
      {"new members", R"({"index":7528,"category":"art","board":{"name":"x","pins":[1,2]},"likes":3})", ""},
      {"members missing", R"({"index":7528})", ""},
      {"all null but the number", R"({"index":7528,"title":null,"category":null})", ""},
      {"too deeply wrapped", wrap(wrap(wrap(wrap(plain)))), "the record is wrapped more than 3 times"},
      {"two records in an envelope", R"({"records":[{"value":{"index":1}},{"value":{"index":2}}]})",
       "the envelope does not hold exactly one record"},
      {"header-like", R"({"index":["index"],"unique_id":["unique_id"]})", "member 'index' is not a whole number"},
      {"header as text", R"({"index":"index","unique_id":"unique_id"})", "member 'index' is not a whole number"},
      {"all null", R"({"index":null,"title":null})", "member 'index' is missing"},
      {"no number", R"({"title":"x"})", "member 'index' is missing"},
      {"a test message", "hello", "the record is not JSON"},
      {"empty", "", "the record is empty"},
      {"no value", std::nullopt, "the record has no value"},
      {"cut off", plain.substr(0, 20), "the record is not JSON"},
      {"two objects", plain + plain, "the record is not JSON"},
      {"python's spelling", "{'index': 7528, 'title': None}", "the record is not JSON"},
      {"Not a Number", R"({"index":NaN})", "the record is not JSON"},
      {"an array", "[" + plain + "]", "the record is not an object"},
      {"a number", "7528", "the record is not an object"},
      {"a fraction", R"({"index":75.28})", "member 'index' is not a whole number"},
      {"too large a number", R"({"index":92233720368547758080})", "member 'index' is out of range"},
      {"an object for a text", R"({"index":1,"title":{"en":"x"}})", "member 'title' is not text"},
      {"not UTF-8", "{\"index\":1,\"title\":\"\xff\"}", "the record is not UTF-8"},
      {"half a surrogate pair", R"({"index":1,"title":"\ud83d"})", "member 'title' has an escape that is no character"},
      {"too deep", R"({"index":1,"x":)" + std::string(80, '[') + std::string(80, ']') + "}",
       "the record is nested deeper than 64 levels"},
  };
  const std::string frame = R"({"index":7528,"category":"art","description":""})";
  constexpr std::size_t kMebibyte = std::size_t{1} << 20;
  std::string large = frame;
  large.insert(large.size() - 2, std::string(kMebibyte - frame.size(), 'x'));
  all.push_back({"1 MiB", large, ""});
  large.insert(large.size() - 2, "x");
  all.push_back({"1 MiB and a byte", large, "the record is larger than 1 MiB"});
  return all;
}

TEST_F(LaneFaults, EveryDirtBecomesARowOrADeadLetterWithItsReason) {
  const auto all = dirt();
  for (const Dirt& one : all) log_.append(stream_, 0, {one.record});
  turn(2);
  std::map<std::string, std::string> found;
  for (const auto& row : rows(table_, "SELECT source_offset, ind FROM t")) {
    EXPECT_EQ(row[1].to_text(), "7528");
    found[row[0].to_text()] = "";
  }
  std::map<std::string, std::optional<std::string>> raw;
  for (const auto& row : rows(options_.dead_letters, "SELECT source_offset, reason, raw FROM t")) {
    EXPECT_TRUE(found.emplace(row[0].to_text(), row[1].to_text()).second) << "neither both nor twice";
    const auto* bytes = std::get_if<sql::Bytes>(&row[2].data);
    raw[row[0].to_text()] = bytes != nullptr ? std::optional(bytes->data) : std::nullopt;
  }
  ASSERT_EQ(found.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(all[i].what);
    const std::string offset = std::to_string(i);
    EXPECT_EQ(found.at(offset), all[i].reason);
    if (!all[i].reason.empty()) {
      EXPECT_EQ(raw.at(offset), all[i].record) << "the bytes are kept as they came";
    }
  }
}

TEST_F(LaneFaults, BothSpellingsOfATimeAreOneTime) {
  options_.names.prefix = "p";
  log_.append("streaming-p-geo", 0,
              {R"({"ind":1,"timestamp":"2020-08-28 03:52:47"})", R"({"ind":1,"timestamp":"2020-08-28T03:52:47"})"});
  internal::KindLane lane(records::Kind::kGeo, options_,
                          StreamContext{log_, *store_, *engine_, statements_, clock_, logger_}, Random(1), budget_);
  turn(lane);
  EXPECT_EQ(rows("p_geo_table", "SELECT DISTINCT ind, timestamp FROM t").size(), 1u);
  EXPECT_EQ(places("p_geo_table").size(), 2u);
}

// ---- tables by date

TEST_F(LaneFaults, PutsRowsByTheDateOfTheirArrival) {
  options_.partition_by_date = true;
  const WallTime midnight = std::chrono::ceil<std::chrono::days>(log::MemoryLog::kTime);
  append(2, midnight - 1ms);
  append(3, midnight);
  turn();
  const auto snapshot = delta::read_snapshot(*store_, *engine_, table_);
  ASSERT_TRUE(snapshot);
  EXPECT_THAT(snapshot->partition_columns, ElementsAre("arrival_date"));
  EXPECT_EQ(snapshot->files.size(), 2u);
  const auto dates = rows(table_, "SELECT arrival_date, count(*) FROM t GROUP BY ALL ORDER BY ALL");
  ASSERT_EQ(dates.size(), 2u);
  EXPECT_EQ(dates[0][0].to_text() + " " + dates[0][1].to_text(), "2023-11-14 2");
  EXPECT_EQ(dates[1][0].to_text() + " " + dates[1][1].to_text(), "2023-11-15 3");
  expect_sound(table_);
}

TEST_F(LaneFaults, MakesFewFilesACommitWhateverTheDatesOfRecords) {
  options_.partition_by_date = true;
  for (int day = 0; day < 100; ++day) append(1, log::MemoryLog::kTime + 24h * day);
  turn();
  EXPECT_THAT(lane_->status().last_error, HasSubstr("dates"));
  for (int i = 0; i < 40 && places(table_).size() < 100; ++i) {
    clock_.advance(31s);
    turn();
  }
  EXPECT_LE(lane_->status().files, 32 * lane_->status().commits);
  EXPECT_EQ(places(table_).size(), 100u);
}

// ---- views of the latest

TEST_F(LaneFaults, ViewsOfTheLatestRunAsTheyArePrinted) {
  for (const char* text :
       {R"({"index":1,"category":"old"})", R"({"index":2,"category":"only"})", R"({"index":1,"category":"new"})"}) {
    log_.append(stream_, 0, {text});
    turn();
  }
  const auto snapshot = delta::read_snapshot(*store_, *engine_, table_);
  ASSERT_TRUE(snapshot);
  // The engine has no extension that reads Delta: the same rows under the name of its function.
  const auto select = delta::select_all(*store_, table_, *snapshot);
  ASSERT_TRUE(session_->run("CREATE TEMP MACRO delta_scan(folder) AS TABLE " + *select));
  const std::string view = latest_view(ViewEngine::kDuckDb, "it's_latest", snapshot->schema, "/tables/it's");
  const auto made = session_->run(view);
  ASSERT_TRUE(made) << made.error().message;
  const auto answer = session_->query("SELECT * FROM \"it's_latest\" ORDER BY ind");
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->rows.size(), 2u);
  EXPECT_EQ(answer->columns.size(), snapshot->schema.size());
  const auto category = std::ranges::find(answer->columns, "category") - answer->columns.begin();
  EXPECT_EQ(answer->rows[0][static_cast<std::size_t>(category)].to_text(), "new");
  EXPECT_EQ(answer->rows[1][static_cast<std::size_t>(category)].to_text(), "only");
  EXPECT_THAT(latest_view(ViewEngine::kSpark, "v", {{"ind", "long"}}, "/t"),
              HasSubstr("SELECT `ind`\nFROM (\n  SELECT *, row_number()"));
  EXPECT_THAT(latest_view(ViewEngine::kSpark, "v", {{"ind", "long"}}, "/t"), HasSubstr("FROM delta.`/t`"));
}

}  // namespace
}  // namespace pinflow::stream
