#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "live/breakdown.h"
#include "live/pair_counts.h"
#include "live/post_join.h"
#include "live/profiles.h"
#include "live/seen_posts.h"
#include "live/windows.h"
#include "log/log.h"

namespace pinflow::live {

// The bounds of the state; docs/live-metrics.md says what each costs.
struct StateOptions {
  ProfilesOptions profiles{};
  std::size_t max_categories = 1'000;
  std::size_t max_countries = 1'000;
  std::size_t max_pairs = 1'000'000;       // Of a profile with a category, and as many with a country.
  std::size_t max_pending = 500'000;       // Posts of which not all records have come.
  std::size_t max_seen_pages = 1'000'000;  // SeenPosts.
  std::chrono::milliseconds allowed_lateness{60'000};
};

// Records as the state sees them. Texts are borrowed for the call. `time` is the time of the record, not later than now.
struct Pin {
  std::int64_t ind = 0;
  std::string_view profile{};               // poster_name as posted.
  std::optional<std::int64_t> followers{};  // Empty: unknown, which says nothing about the profile.
  std::string_view category{};
  WallTime time{};
  std::int64_t offset = 0;
};
struct Geo {
  std::int64_t ind = 0;
  std::string_view country{};
  WallTime time{};
};
struct User {
  std::int64_t ind = 0;
  std::optional<std::int64_t> age{};
  WallTime time{};
};

// How far one partition is read, and how its times went.
struct SourceState {
  Uuid topic;
  log::Offset next{};  // All records before it are in the state.
  std::optional<WallTime> newest{};
  std::uint64_t late = 0;
  std::uint64_t too_late = 0;
};

// Notes the time of the next record of a partition, of late ones too; gives it as the state counts it: from 1970 to 9999.
WallTime note_time(SourceState& source, WallTime time, std::chrono::milliseconds allowed_lateness);

struct StateCounts {
  std::uint64_t posts = 0;            // Counted.
  std::uint64_t repeats = 0;          // Records of a kind that had come for their post already.
  std::uint64_t without_profile = 0;  // Posts of nobody: no name, the sentinel, or one of more than kMaxNameBytes.
  std::uint64_t unreadable = 0;       // No record of their kind: the stream lane dead-letters them.
};

// What is counted, for answering; answers.h asks it. Copying and moving is out: parts know each other.
struct LiveParts {
  explicit LiveParts(const StateOptions& options);
  LiveParts(const LiveParts&) = delete;
  LiveParts& operator=(const LiveParts&) = delete;

  StateCounts counts;
  WallTime first = WallTime::max();  // Times of the first and the newest post.
  WallTime newest{};
  WindowCounts windows;  // Of all posts ...
  MinuteSeries minutes;
  Breakdown categories;
  Breakdown countries;
  Breakdown age_groups;
  Profiles profiles;  // It uses `countries`.
  PairCounts category_profiles;
  PairCounts country_profiles;
  PairCounts country_categories;
};

// All that the live metrics know: a sans-I/O core. Records and their times go in; `parts` is what answers are made from. The state is
// a function of the set of records read from each partition, whatever the order between partitions was, and so are its saved
// bytes, as long as (1) no bound of the options was passed and (2) records of one kind for one post (repeats) lie in one
// partition; of repeats the first read counts. Past a bound it depends on the order of all calls, and on nothing else. One thread
// at a time may change it; save() only reads.
class LiveState final {
 public:
  explicit LiveState(const StateOptions& options);

  // The state of a partition, made where it is new: at offset 0. A topic that was made again under its name (another id) begins at
  // 0; what the old one brought stays. Good as long as the state.
  SourceState& follow(const log::TopicPartition& partition, const Uuid& topic);
  // Of a partition that is followed.
  SourceState& source(const log::TopicPartition& partition) { return sources_.at(partition); }
  const std::map<log::TopicPartition, SourceState>& sources() const { return sources_; }

  void apply(SourceState& source, const Pin& pin);
  void apply(SourceState& source, const Geo& geo);
  void apply(SourceState& source, const User& user);
  // Takes records whose partition tells elsewhere how its times went (MergedState), with times as note_time() gives them. Returns false, and
  // changes nothing, where a record of the kind had come for the post.
  bool take(const Pin& pin);
  bool take(const Geo& geo);
  bool take(const User& user);
  // Adds to the repeats; modulo 2^64, so that what was added can be taken back.
  void note_repeats(std::uint64_t records) { parts_.counts.repeats += records; }
  void note_unreadable(std::uint64_t records) { parts_.counts.unreadable += records; }

  LiveParts& parts() { return parts_; }
  const LiveParts& parts() const { return parts_; }
  const PostJoin& join() const { return join_; }
  const SeenPosts& seen() const { return seen_; }

  // The same state gives the same bytes (docs/formats/live-checkpoint.md, "Content").
  std::string save() const;
  // Reads them into a state that is new. kCorrupt: not such bytes, or more than this state's bounds have room for; the state
  // is then of no use.
  Result<void> load(std::string_view bytes);

 private:
  RowId count_category(std::string_view category, const DecayWeight& weight, std::uint32_t minute, RowId profile);
  void count_country(const JoinedPost& post);
  void count_age_group(const JoinedPost& post);
  void forget_profiles(std::span<const RowId> ids);
  void forget_category(RowId id);
  void forget_country(RowId id);
  void save_sources(StateWriter& out) const;
  void load_sources(StateReader& in);
  void save_join(StateWriter& out, const std::vector<RowId>& profiles, const std::vector<RowId>& categories) const;
  void load_join(StateReader& in, const std::vector<RowId>& profiles, const std::vector<RowId>& categories);

  const std::chrono::milliseconds allowed_lateness_;
  LiveParts parts_;
  SeenPosts seen_;
  PostJoin join_;
  std::map<log::TopicPartition, SourceState> sources_;
};

}  // namespace pinflow::live
