#include "kinesis_source/stream_copy.h"

#include <algorithm>
#include <deque>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"
#include "log/testing/memory_log.h"

namespace pinflow::kinesis_source {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr const char* kStream = "streaming-pinterest-pin";

// As a producer library packs records; texts are short.
std::string pack(const std::vector<std::pair<std::string, std::string>>& records) {
  const auto field = [](char tag, const std::string& bytes) {
    return std::string{tag, static_cast<char>(bytes.size())} + bytes;
  };
  std::string body;
  for (const auto& [key, data] : records) body += field(0x0a, key);
  for (std::size_t i = 0; i < records.size(); ++i)
    body += field(0x1a, std::string{0x08, static_cast<char>(i)} + field(0x1a, records[i].second));
  aws::KeyHasher hasher;
  std::string packed = "\xf3\x89\x9a\xc2" + body;
  for (int shift = 120; shift >= 0; shift -= 8) packed.push_back(static_cast<char>(hasher(body) >> shift));
  return packed;
}

// A stream of Kinesis in memory: shards that split and merge, and the faults that readers see.
class FakeKinesis final : public KinesisApi {
 public:
  struct Stored {
    Shard shard;
    std::vector<Record> records;
    bool closed = false;
    std::size_t trimmed = 0;
  };

  std::string open(std::vector<std::string> parents = {}) {
    for (const std::string& parent : parents) shards.at(parent).closed = true;
    const std::string id = "shardId-" + std::to_string(1000 + shards.size());
    shards[id].shard = {.id = id, .parents = std::move(parents), .first = std::to_string(sequence_ + 1)};
    return id;
  }
  void put(const std::string& shard, const std::string& key, const std::string& data) {
    sequence_ += 9'999'999;  // Grows a digit now and then, so that texts do not sort as numbers.
    shards.at(shard).records.push_back({std::to_string(sequence_), key, data, WallTime(milliseconds(sequence_))});
  }

  Result<std::vector<Shard>> list_shards(const std::string& stream) override {
    EXPECT_EQ(stream, kStream);
    TRY(fault());
    std::vector<Shard> all;
    for (const auto& [id, stored] : shards) {
      all.push_back(stored.shard);
      all.back().open = !stored.closed;
    }
    return all;
  }
  Result<std::string> iterator(const std::string&, const std::string& id,
                               const std::optional<std::string>& after) override {
    TRY(fault());
    const Stored& stored = shards.at(id);
    std::size_t at = stored.trimmed;
    while (after && at < stored.records.size() && !sequence_before(*after, stored.records[at].sequence)) ++at;
    return id + "/" + std::to_string(at);
  }
  Result<GotRecords> get_records(const std::string& iterator) override {
    ++calls;
    TRY(fault());
    const std::size_t slash = iterator.find('/');
    const std::string id = iterator.substr(0, slash);
    const Stored& stored = shards.at(id);
    begun.insert(id);
    std::size_t at = std::max(stored.trimmed, std::stoul(iterator.substr(slash + 1)));
    GotRecords got;
    while (at < stored.records.size() && got.records.size() < most) got.records.push_back(stored.records[at++]);
    got.behind = at < stored.records.size() ? behind : milliseconds(0);
    if (!stored.closed || at < stored.records.size()) got.next = id + "/" + std::to_string(at);
    return got;
  }

  Result<std::chrono::hours> retention(const std::string&) override { return kept; }

  std::chrono::hours kept{24};
  milliseconds behind{1'000};  // Of who has records to read.
  std::map<std::string, Stored> shards;
  std::deque<std::optional<Error>> faults;  // Of the next calls.
  std::set<std::string> begun;              // Shards of which records were asked for.
  std::size_t most = 7;
  int calls = 0;

 private:
  Result<void> fault() {
    if (faults.empty()) return {};
    auto next = std::move(faults.front());
    faults.pop_front();
    return next ? Result<void>(fail(*next)) : Result<void>();
  }
  std::uint64_t sequence_ = 90'000'000;
};

class StreamCopyTest : public testing::Test {
 protected:
  StreamCopyTest() { EXPECT_TRUE(log_.create_topic({kStream, 3, {}})); }
  void start() {
    copy_ = std::make_unique<StreamCopy>(StreamCopyOptions{.stream = kStream, .folder = "/state/kinesis"}, kinesis_,
                                         log_, disk_, clock_, logger_);
  }
  // Lets as much time pass as it takes.
  void step(int times = 1) {
    for (int i = 0; i < times; ++i) {
      const SteadyTime next = copy_->step({});
      if (next > clock_.steady_now()) clock_.advance(std::chrono::ceil<milliseconds>(next - clock_.steady_now()));
    }
  }
  // "key data" of all records in the log, sorted.
  std::vector<std::string> copied() {
    std::vector<std::string> all;
    for (std::int32_t i = 0; i < 3; ++i) {
      for (const auto& record : log_.records(kStream, i)) all.push_back(*record.key + " " + *record.value);
    }
    std::ranges::sort(all);
    return all;
  }
  std::vector<std::string> sent() {
    std::vector<std::string> all;
    for (const auto& [id, stored] : kinesis_.shards) {
      for (const Record& record : stored.records) {
        const auto packed = unpack(record.data, hasher_);
        if (!packed) all.push_back(record.key + " " + record.data);
        for (const PackedRecord& one : packed.value_or(std::vector<PackedRecord>()))
          all.push_back(one.key + " " + one.data);
      }
    }
    std::ranges::sort(all);
    return all;
  }
  // Of each key, what it says in the order of offsets.
  std::map<std::string, std::vector<int>> by_key() {
    std::map<std::string, std::vector<int>> all;
    for (std::int32_t i = 0; i < 3; ++i) {
      for (const auto& record : log_.records(kStream, i)) all[*record.key].push_back(std::stoi(*record.value));
    }
    return all;
  }

  FakeKinesis kinesis_;
  aws::KeyHasher hasher_;
  log::MemoryLog log_;
  ManualClock clock_;
  disk::MemoryDisk disk_{&clock_};
  NullLogger logger_;
  std::unique_ptr<StreamCopy> copy_;
};

TEST_F(StreamCopyTest, TakesRecordsWithKeyTimeAndWhereTheyCameFrom) {
  const std::string shard = kinesis_.open();
  kinesis_.put(shard, "a", "one");
  start();
  step(3);
  EXPECT_EQ(copied(), sent());
  for (std::int32_t i = 0; i < 3; ++i) {
    for (const auto& record : log_.records(kStream, i)) {
      const Record& sent = kinesis_.shards.at(shard).records.at(0);
      EXPECT_EQ(record.timestamp, sent.arrived);
      EXPECT_EQ(record.headers,
                (std::vector<log::Header>{{"kinesis.shard", shard}, {"kinesis.sequence", sent.sequence}}));
    }
  }
  EXPECT_EQ(copy_->status().records, 1U);
}

TEST_F(StreamCopyTest, TakesPackedRecordsApartAndLeavesThoseOfAnotherShard) {
  const std::string shard = kinesis_.open();
  const aws::HashKey ada = hasher_("Ada"), bob = hasher_("Bob");
  kinesis_.shards.at(shard).shard.last_hash = std::max(ada, bob) - 1;
  kinesis_.put(shard, "a", pack({{"Ada", "1"}, {"Bob", "2"}, {"Ada", "3"}}));
  kinesis_.put(shard, "Ada", "4");
  start();
  step(3);
  const std::vector<std::string> expected =
      ada < bob ? std::vector<std::string>{"Ada 1", "Ada 3", "Ada 4"} : std::vector<std::string>{"Ada 4", "Bob 2"};
  EXPECT_EQ(copied(), expected);
  start();  // As after SIGKILL.
  step(3);
  EXPECT_EQ(copied(), expected);
}

TEST_F(StreamCopyTest, AsksNoMoreOftenThanKinesisAllows) {
  const std::string shard = kinesis_.open();
  start();
  const SteadyTime begin = clock_.steady_now();
  for (int i = 0; i < 400; ++i) {
    kinesis_.put(shard, "k", std::to_string(i));
    step();
  }
  const auto seconds = std::chrono::duration<double>(clock_.steady_now() - begin).count();
  EXPECT_LE(kinesis_.calls, 5 * seconds + 2);
}

TEST_F(StreamCopyTest, ReadsParentsToTheirEndBeforeTheirChildren) {
  const std::string one = kinesis_.open(), two = kinesis_.open();
  for (int i = 0; i < 40; ++i) kinesis_.put(i % 2 == 0 ? one : two, "key" + std::to_string(i % 5), std::to_string(i));
  const std::string merged = kinesis_.open({one, two});
  for (int i = 40; i < 60; ++i) kinesis_.put(merged, "key" + std::to_string(i % 5), std::to_string(i));
  const std::string left = kinesis_.open({merged}), right = kinesis_.open({merged});
  for (int i = 60; i < 80; ++i)
    kinesis_.put(i % 5 < 3 ? left : right, "key" + std::to_string(i % 5), std::to_string(i));
  start();
  step(2);
  EXPECT_EQ(kinesis_.begun, (std::set{one, two}));
  step(60);
  EXPECT_EQ(copied(), sent());
  for (const auto& [key, values] : by_key()) {
    std::vector<int> of_children;
    std::ranges::copy_if(values, std::back_inserter(of_children), [](int value) { return value >= 40; });
    EXPECT_TRUE(std::ranges::is_sorted(of_children)) << key;
    EXPECT_TRUE(std::ranges::all_of(values.begin(), values.begin() + 8, [](int value) { return value < 40; })) << key;
  }
}

TEST_F(StreamCopyTest, GoesOnAfterEveryFault) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 30; ++i) kinesis_.put(shard, "k", std::to_string(i));
  start();
  for (const ErrorCode code :
       {ErrorCode::kUnavailable, ErrorCode::kOverloaded, ErrorCode::kConflict, ErrorCode::kInvalid}) {
    kinesis_.faults.assign(3, Error(code, "a fault"));
    step(4);
  }
  EXPECT_FALSE(copy_->status().shards.empty());
  step(40);
  EXPECT_EQ(copied(), sent());
  EXPECT_EQ(copy_->status().error, "");
  EXPECT_EQ(copy_->status().shards.at(0).error, "");
}

TEST_F(StreamCopyTest, SaysWhatItWaitsFor) {
  kinesis_.faults.assign(1, Error(ErrorCode::kNotFound, "no such stream"));
  start();
  step();
  EXPECT_THAT(copy_->status().error, HasSubstr("no such stream"));
}

TEST_F(StreamCopyTest, CopiesNothingTwiceAfterARestartThatSavedNothing) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 50; ++i) kinesis_.put(shard, "key" + std::to_string(i % 7), std::to_string(i));
  start();
  step(3);
  const auto before = copied().size();
  EXPECT_GT(before, 0U);
  EXPECT_LT(before, 50U);
  start();  // As after SIGKILL.
  step(20);
  EXPECT_EQ(copied(), sent());
}

TEST_F(StreamCopyTest, ForgetsNoFinishedShardWhereItEndsBeforeKinesisAnswered) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 5; ++i) kinesis_.put(shard, "k", std::to_string(i));
  kinesis_.open({shard});
  start();
  step(20);
  ASSERT_TRUE(copy_->save());
  start();
  kinesis_.faults.assign(3, Error(ErrorCode::kUnavailable, "no answer"));
  step(2);
  ASSERT_TRUE(copy_->save());
  kinesis_.faults.clear();
  start();
  step(20);
  EXPECT_EQ(copied(), sent());
}

TEST_F(StreamCopyTest, LosesAndDoublesNothingHoweverOftenItDies) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    const auto chance = [&](std::uint64_t of) { return random() % of == 0; };
    kinesis_.shards.clear();
    kinesis_.faults.clear();
    ASSERT_TRUE(log_.delete_topic(kStream));
    ASSERT_TRUE(log_.create_topic({kStream, 3, {}}));
    std::vector<std::string> open = {kinesis_.open(), kinesis_.open()};
    std::map<std::string, std::string> home;  // The shard of a key.
    start();
    int written = 0;
    for (int turn = 0; turn < 150; ++turn) {
      for (std::uint64_t i = random() % 6; i > 0; --i) {
        const std::string key = "key" + std::to_string(random() % 9);
        const std::string& shard = open[std::hash<std::string>()(key) % open.size()];
        if (chance(4)) {
          std::vector<std::pair<std::string, std::string>> packed;
          for (std::uint64_t left = random() % 20; left > 0; --left)
            packed.emplace_back("key" + std::to_string(random() % 9), std::to_string(written++));
          if (!packed.empty()) kinesis_.put(shard, "a", pack(packed));
        }
        kinesis_.put(shard, key, std::to_string(written++));
      }
      if (chance(25)) open = {kinesis_.open({open.front()}), kinesis_.open({open.back()})};
      if (chance(6))
        kinesis_.faults.emplace_back(Error(chance(2) ? ErrorCode::kUnavailable : ErrorCode::kConflict, "a fault"));
      if (chance(8)) {  // Some records are stored, others not, in any order.
        for (int i = 0; i < 60; ++i)
          log_.next_outcomes.emplace_back(chance(3) ? std::nullopt
                                                    : std::optional(Error(ErrorCode::kUnavailable, "full")));
      }
      step();
      log_.next_outcomes.clear();
      if (chance(9)) {
        if (chance(2)) EXPECT_TRUE(copy_->save());
        start();
      }
    }
    kinesis_.faults.clear();
    step(200);
    ASSERT_EQ(copied(), sent()) << "seed " << seed;
  }
}

TEST_F(StreamCopyTest, LeavesOutNoRecordThatTheLogRefuses) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 7; ++i) kinesis_.put(shard, "k", std::to_string(i));
  log_.next_outcomes = {std::nullopt, Error(ErrorCode::kInvalid, "too large"), std::nullopt};
  start();
  step();
  EXPECT_EQ(copied().size(), 6U);
  EXPECT_THAT(copy_->status().shards.at(0).error, HasSubstr("too large"));
  EXPECT_TRUE(copy_->save());
  start();
  step(4);
  EXPECT_EQ(copied(), sent());
}

TEST_F(StreamCopyTest, ATopicMadeAgainIsFilledFromTheStart) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 5; ++i) kinesis_.put(shard, "k", std::to_string(i));
  start();
  step(5);
  ASSERT_TRUE(copy_->save());
  ASSERT_TRUE(log_.delete_topic(kStream));
  ASSERT_TRUE(log_.create_topic({kStream, 3, {}}));
  start();
  step(5);
  EXPECT_EQ(copied(), sent());
}

TEST_F(StreamCopyTest, TellsOfAShardThatWentBeforeItWasRead) {
  class Listening final : public Logger {
   public:
    void write(Severity severity, std::string_view message, std::span<const LogField>) override {
      if (severity == Severity::kError) errors.emplace_back(message);
    }
    std::vector<std::string> errors;
  } listening;
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 50; ++i) kinesis_.put(shard, "k", std::to_string(i));
  StreamCopy copy({.stream = kStream, .folder = "/state/kinesis"}, kinesis_, log_, disk_, clock_, listening);
  (void)copy.step({});
  EXPECT_TRUE(listening.errors.empty());
  kinesis_.shards.clear();
  clock_.advance(std::chrono::minutes(1));
  (void)copy.step({});
  ASSERT_EQ(listening.errors.size(), 1U);
  EXPECT_THAT(listening.errors[0], HasSubstr("left Kinesis before all of it was read"));
}

TEST_F(StreamCopyTest, ARefusedRecordStopsItsShardAlone) {
  const std::string one = kinesis_.open();
  const std::string two = kinesis_.open();
  for (int i = 0; i < 3; ++i) kinesis_.put(one, "a", std::to_string(i));
  for (int i = 0; i < 50; ++i) kinesis_.put(two, "b", std::to_string(i));
  log_.refuse = [](const log::Record& record) { return record.key == "a" && record.value == "1"; };
  start();
  step(60);
  EXPECT_EQ(copied().size(), 52U);
  EXPECT_EQ(copy_->status().error, "");
  EXPECT_THAT(copy_->status().shards.at(0).error, HasSubstr("refused"));
  EXPECT_EQ(copy_->status().shards.at(1).error, "");
  start();  // Stored ones are known after a crash, too.
  step(60);
  EXPECT_EQ(copied().size(), 52U);
  log_.refuse = nullptr;
  step(60);
  EXPECT_EQ(copied(), sent());
  EXPECT_EQ(copy_->status().shards.at(0).error, "");
}

TEST_F(StreamCopyTest, ThrottlingIsAnErrorOnlyWhereItLasts) {
  const std::string shard = kinesis_.open();
  kinesis_.put(shard, "k", "1");
  start();
  kinesis_.faults = {std::nullopt, std::nullopt};  // The listing, and the iterator.
  kinesis_.faults.resize(13, Error(ErrorCode::kOverloaded, "throttled"));
  int tolerated = 0;
  for (; tolerated < 20 && copy_->status().error.empty(); ++tolerated) {
    step();
    if (!copy_->status().shards.empty() && !copy_->status().shards.at(0).error.empty()) break;
  }
  EXPECT_GE(tolerated, 5);
  EXPECT_LT(tolerated, 12);
  step(40);
  EXPECT_EQ(copied(), sent());
  EXPECT_EQ(copy_->status().shards.at(0).error, "");
}

class Dropped : public StreamCopyTest {
 protected:
  class Listening final : public Logger {
   public:
    void write(Severity severity, std::string_view message, std::span<const LogField>) override {
      if (severity == Severity::kError) errors.emplace_back(message);
    }
    std::vector<std::string> errors;
  };
  // Runs for some time, and stops with its positions saved.
  void run(int times) {
    StreamCopy copy({.stream = kStream, .folder = "/state/kinesis"}, kinesis_, log_, disk_, clock_, listening_);
    for (int i = 0; i < times; ++i) {
      const SteadyTime next = copy.step({});
      if (next > clock_.steady_now()) clock_.advance(std::chrono::ceil<milliseconds>(next - clock_.steady_now()));
    }
    EXPECT_TRUE(copy.save());
  }
  Listening listening_;
};

TEST_F(Dropped, IsToldOfAShardThatWasNotReadForTooLong) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 50; ++i) kinesis_.put(shard, "k", std::to_string(i));
  run(3);
  clock_.advance(std::chrono::hours(48));
  kinesis_.shards.at(shard).trimmed = 30;
  run(30);
  ASSERT_EQ(listening_.errors.size(), 1U);  // Once.
  EXPECT_THAT(listening_.errors[0], HasSubstr("not read for longer than it keeps records"));
  EXPECT_LT(copied().size(), 50U);
}

TEST_F(Dropped, IsNotToldWhereRecordsAreKeptForLonger) {
  kinesis_.kept = std::chrono::hours(24 * 7);
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 50; ++i) kinesis_.put(shard, "k", std::to_string(i));
  run(3);
  clock_.advance(std::chrono::hours(48));
  run(30);
  EXPECT_TRUE(listening_.errors.empty());
  EXPECT_EQ(copied(), sent());
}

TEST_F(Dropped, IsNotToldOfWhoBeginsAtTheOldestRecord) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 50; ++i) kinesis_.put(shard, "k", std::to_string(i));
  kinesis_.behind = std::chrono::hours(24);
  run(30);
  EXPECT_TRUE(listening_.errors.empty());
  EXPECT_EQ(copied(), sent());
}

TEST_F(Dropped, IsToldOfChildrenThatBeginTooLate) {
  const std::string parent = kinesis_.open();
  kinesis_.put(parent, "k", "1");
  run(5);
  const std::string child = kinesis_.open({parent});
  kinesis_.put(child, "k", "2");
  run(4);
  kinesis_.put(child, "k", "3");
  clock_.advance(std::chrono::hours(48));
  run(20);
  ASSERT_FALSE(listening_.errors.empty());
  EXPECT_THAT(listening_.errors[0], HasSubstr("not read for longer than it keeps records"));
}

TEST_F(Dropped, AStreamMadeAgainIsCopiedFromItsOldestRecordOn) {
  const std::string shard = kinesis_.open();
  for (int i = 0; i < 5; ++i) kinesis_.put(shard, "k", std::to_string(i));
  const std::string still_open = kinesis_.open();
  kinesis_.put(still_open, "k", "5");
  (void)kinesis_.open({shard});
  run(20);
  EXPECT_EQ(copied().size(), 6U);
  auto all = sent();
  kinesis_.shards.clear();  // Deleted while nobody looked, and made again: shards have the same names.
  ASSERT_EQ(kinesis_.open(), shard);
  ASSERT_EQ(kinesis_.open(), still_open);
  for (int i = 6; i < 60; ++i) kinesis_.put(i % 2 == 0 ? shard : still_open, "k", std::to_string(i));
  start();
  step(3);
  start();  // As after SIGKILL: what came of the new stream is known.
  step(60);
  for (const auto& one : sent()) all.push_back(one);
  std::ranges::sort(all);
  EXPECT_EQ(copied(), all);
}

TEST(Sequence, AreComparedAsNumbers) {
  EXPECT_TRUE(sequence_before("99", "100"));
  EXPECT_FALSE(sequence_before("100", "99"));
  EXPECT_FALSE(sequence_before("100", "100"));
  EXPECT_TRUE(sequence_before("49590338271490256608559692538361571095921575989136588898",
                              "49590338271490256608559692538361571095921575989136588899"));
}

}  // namespace
}  // namespace pinflow::kinesis_source
