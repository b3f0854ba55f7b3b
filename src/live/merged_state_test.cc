#include "live/merged_state.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "live/live_fixture.h"
#include "live/partition_condenser.h"

namespace pinflow::live {
namespace {

using records::Kind;
constexpr std::int32_t kForEachKind = 2;  // Of three partitions of each stream two share one of the topic.
constexpr std::chrono::minutes kLateness{1};

// The topic of condensed streams, as a cluster keeps it: a log that compaction makes holes in.
struct CompactedTopic {
  std::array<std::vector<std::optional<log::StoredRecord>>, 3 * kForEachKind> partitions;

  void append(const SourcePartition& source, const log::Record& record) {
    auto& to = partitions[static_cast<std::size_t>(condensed_partition(source, kForEachKind).value())];
    to.push_back(log::StoredRecord{.offset = log::Offset(static_cast<std::int64_t>(to.size())),
                                   .timestamp = {},
                                   .key = record.key,
                                   .value = record.value,
                                   .headers = {}});
  }
  // Removes what a later record of the same key follows, up to some place of each partition.
  void compact(Random& random) {
    for (auto& partition : partitions) {
      if (partition.empty()) continue;
      const std::size_t end = random.below(partition.size());  // The last segment is never compacted.
      std::set<std::string> later;
      for (std::size_t i = partition.size(); i-- > 0;) {
        if (!partition[i]) continue;
        if (!later.insert(*partition[i]->key).second && i < end) partition[i].reset();
      }
    }
  }
};

// A process that condenses some partitions, each from its own knowledge of the topic.
struct Process {
  std::map<SourcePartition, PartitionCondenser> owned;
};

class Condensing {
 public:
  Condensing(std::uint64_t seed, int posts)
      : posts_(seed, posts, std::chrono::minutes(seed % 3 * 2) + std::chrono::milliseconds(300)), random_(seed) {}

  std::string direct() const {
    LiveState state({});
    for (const Sent& sent : posts_.shuffled(99)) SentPosts::apply(state, sent);
    return state.save();
  }

  void condense_all() {
    while (!done()) {
      if (random_.chance(0.02)) kill();
      if (random_.chance(0.05)) rebalance();
      if (random_.chance(0.05)) topic.compact(random_);
      step();
      if (random_.chance(0.1)) readers_go_on();
    }
    // Who owns a partition goes on to its end and writes its mark again, after whatever zombies wrote.
    for (const auto& [key, list] : posts_.partitions) {
      const SourcePartition source = source_of(key);
      PartitionCondenser owner = load(source);
      std::vector<log::Record> entries;  // Of what a zombie's mark, which compaction kept, does not have.
      for (auto i = static_cast<std::size_t>(owner.next().offset.value()); i < list.size(); ++i)
        give(owner, list[i], entries);
      owner.end_batch(log::Offset(static_cast<std::int64_t>(list.size())), 0);
      for (const log::Record& entry : entries) topic.append(source, entry);
      topic.append(source, encode(owner.mark()));
    }
  }

  // Of one that read the streams themselves, a part of each.
  std::string direct_until(double part) const {
    LiveState state({});
    for (const Sent& sent : posts_.shuffled(99)) {
      const auto& list = posts_.partitions.at({sent.kind, sent.partition});
      if (static_cast<double>(sent.offset) < part * static_cast<double>(list.size())) SentPosts::apply(state, sent);
    }
    return state.save();
  }

  // A reader that begins now, with nothing or with what such a one had saved.
  std::string read_all(const std::optional<std::string>& direct = {}) {
    MergedState merged({}, {});
    if (direct) EXPECT_TRUE(merged.begin_with(*direct));
    std::array<std::size_t, 3 * kForEachKind> next{};
    read(merged, next, SIZE_MAX);
    return merged.state().save();
  }
  // One that was there all the time, and was restarted now and then.
  std::string read_on() {
    read(*early_, early_next_, SIZE_MAX);
    return early_->state().save();
  }

  CompactedTopic topic;

 private:
  using Place = std::pair<std::size_t, std::int32_t>;

  static SourcePartition source_of(const Place& place) { return {static_cast<Kind>(place.first), place.second}; }
  bool done() const {
    return std::ranges::all_of(posts_.partitions, [&](const auto& entry) {
      const auto at = marked_.find(source_of(entry.first));
      return at != marked_.end() && at->second == static_cast<std::int64_t>(entry.second.size());
    });
  }
  const std::vector<Sent>& records(const SourcePartition& source) const {
    return posts_.partitions.at({static_cast<std::size_t>(source.kind), source.partition});
  }
  Process& any() { return processes_[random_.below(processes_.size())]; }

  PartitionCondenser load(const SourcePartition& source) const {
    PartitionCondenser condenser(source, 10'000, kLateness);
    const auto at = static_cast<std::size_t>(condensed_partition(source, kForEachKind).value());
    for (const auto& record : topic.partitions[at]) {
      if (!record) continue;
      const auto read = decode_condensed(*record);
      EXPECT_TRUE(read);
      std::visit(
          [&](const auto& what) {
            if (what.source == source) condenser.load(what);
          },
          *read);
    }
    condenser.end_loading();
    return condenser;
  }
  void kill() { any().owned.clear(); }
  // One process takes a partition over; who had it may not know yet, and goes on.
  void rebalance() {
    auto place = posts_.partitions.begin();
    std::advance(place, random_.below(posts_.partitions.size()));
    const SourcePartition source = source_of(place->first);
    if (random_.chance(0.7))
      for (Process& process : processes_) process.owned.erase(source);
    Process& taker = any();
    taker.owned.erase(source);
    taker.owned.emplace(source, load(source));
  }
  void step() {
    Process& process = any();
    if (process.owned.empty()) return rebalance();
    auto at = process.owned.begin();
    std::advance(at, random_.below(process.owned.size()));
    auto& [source, condenser] = *at;
    const auto& all = records(source);
    const auto from = static_cast<std::size_t>(condenser.next().offset.value());
    const std::size_t end = std::min(all.size(), from + random_.below(60));
    std::vector<log::Record> entries;
    for (std::size_t i = from; i < end; ++i) give(condenser, all[i], entries);
    condenser.end_batch(log::Offset(static_cast<std::int64_t>(end)), 0);
    // It dies on the way: before any entry, after some, before the mark.
    const bool dies = random_.chance(0.05);
    const std::size_t stored = dies ? random_.below(entries.size() + 1) : entries.size();
    for (std::size_t i = 0; i < stored; ++i) topic.append(source, entries[i]);
    if (dies) {
      process.owned.erase(at);
      return;
    }
    topic.append(source, encode(condenser.mark()));
    marked_[source] = std::max(marked_[source], static_cast<std::int64_t>(end));
  }
  static void give(PartitionCondenser& condenser, const Sent& sent, std::vector<log::Record>& out) {
    const log::Offset offset(sent.offset);
    if (sent.kind == 0) {
      condenser.condense(Pin{.ind = sent.ind,
                             .profile = sent.name,
                             .followers = sent.number,
                             .category = sent.category,
                             .time = sent.time,
                             .offset = sent.offset},
                         offset, out);
    } else if (sent.kind == 1) {
      condenser.condense(Geo{.ind = sent.ind, .country = sent.name, .time = sent.time}, offset, out);
    } else {
      condenser.condense(User{.ind = sent.ind, .age = sent.number, .time = sent.time}, offset, out);
    }
  }

  void read(MergedState& merged, std::array<std::size_t, 3 * kForEachKind>& next, std::size_t most) {
    for (std::size_t p = 0; p < next.size(); ++p) {
      for (std::size_t left = most; left > 0 && next[p] < topic.partitions[p].size(); --left) {
        const auto& record = topic.partitions[p][next[p]++];
        if (!record) continue;
        const auto taken = decode_condensed(*record);
        std::visit([&](const auto& what) { merged.take(what); }, *taken);
      }
    }
  }
  void readers_go_on() {
    read(*early_, early_next_, random_.below(200));
    if (!random_.chance(0.2)) return;
    StateWriter saved;
    early_->save(saved);
    const std::string bytes = std::move(saved).take();
    early_ = std::make_unique<MergedState>(StateOptions{}, records::Names{});
    StateReader in(bytes);
    const auto loaded = early_->load(in);
    ASSERT_TRUE(loaded) << loaded.error().message;
  }

  const SentPosts posts_;
  Random random_;
  std::array<Process, 3> processes_;
  std::map<SourcePartition, std::int64_t> marked_;
  std::unique_ptr<MergedState> early_ = std::make_unique<MergedState>(StateOptions{}, records::Names{});
  std::array<std::size_t, 3 * kForEachKind> early_next_{};
};

TEST(MergedState, IsThatOfWhoReadTheStreamsWhateverDiedWroteTwiceOrWasCompacted) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Condensing run(seed, 600);
    const std::string expected = run.direct();
    run.condense_all();
    EXPECT_EQ(run.read_all(), expected) << "who begins at the end, seed " << seed;
    EXPECT_EQ(run.read_all(run.direct_until(0.4)), expected) << "who begins with a saved state, seed " << seed;
    EXPECT_EQ(run.read_on(), expected) << "who was there all the time, seed " << seed;
    Random random(seed + 100);
    for (int i = 0; i < 5; ++i) run.topic.compact(random);
    EXPECT_EQ(run.read_all(), expected) << "who begins after compaction, seed " << seed;
  }
}

TEST(MergedState, RefusesToBeginWithOtherStreams) {
  LiveState other({});
  other.follow({"streaming-other-pin", log::PartitionId(0)}, Uuid());
  MergedState merged({}, {});
  const auto begun = merged.begin_with(other.save());
  ASSERT_FALSE(begun);
  EXPECT_NE(begun.error().message.find("streaming-other-pin"), std::string::npos) << begun.error().message;
}

TEST(MergedState, TakesTheGreatestMarkWhateverComesLast) {
  MergedState merged({}, {});
  CondensedMark mark{.source = {Kind::kGeo, 2}, .next = {0, log::Offset(9)}, .repeats = 3};
  EXPECT_TRUE(merged.take(mark));
  mark.next.offset = log::Offset(4);
  mark.repeats = 1;
  EXPECT_FALSE(merged.take(mark));
  EXPECT_EQ(merged.state().parts().counts.repeats, 3);
  mark.next = {1, log::Offset(2)};  // The stream was made anew.
  mark.repeats = 5;
  EXPECT_TRUE(merged.take(mark));
  EXPECT_EQ(merged.state().parts().counts.repeats, 5);
  EXPECT_EQ(merged.state().sources().begin()->second.next, log::Offset(2));
  EXPECT_EQ(merged.state().sources().begin()->first.topic, "streaming-pinterest-geo");
}

}  // namespace
}  // namespace pinflow::live
