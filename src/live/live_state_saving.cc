// The state as bytes, and back (docs/formats/live-checkpoint.md, "Content").
#include <algorithm>
#include <functional>

#include "live/age_groups.h"
#include "live/live_state.h"

namespace pinflow::live {

namespace {

constexpr std::uint64_t kHasPin = 1, kHasGeo = 2, kHasUser = 4;

std::uint64_t ms_of(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
WallTime load_time(StateReader& in) {
  return WallTime(std::chrono::milliseconds(in.below(kLastMs + 1)));
}

// The place of each id in a list of ids.
std::vector<RowId> places_of(const std::vector<RowId>& ids) {
  std::vector<RowId> places;
  for (RowId place = 0; place < ids.size(); ++place) {
    if (ids[place] >= places.size()) places.resize(ids[place] + 1, kNoRow);
    places[ids[place]] = place;
  }
  return places;
}

// 0 for no row.
void save_place(StateWriter& out, const std::vector<RowId>& places, RowId id) {
  out.whole(id == kNoRow ? 0 : places[id] + 1);
}
RowId load_place(StateReader& in, const std::vector<RowId>& ids) {
  const std::uint64_t place = in.below(ids.size() + 1);
  return place == 0 ? kNoRow : ids[place - 1];
}

void save_pairs(StateWriter& out, const PairCounts& pairs, const std::vector<RowId>& groups,
                const std::vector<RowId>& members, std::uint32_t newest) {
  const std::vector<RowId> places = places_of(members);
  out.whole(pairs.evicted());
  for (const RowId group : groups) pairs.save(out, group, newest, [&](RowId member) { return places[member]; });
}
void load_pairs(StateReader& in, PairCounts& pairs, const std::vector<RowId>& groups, const std::vector<RowId>& members,
                std::uint32_t newest) {
  pairs.set_evicted(in.whole());
  for (const RowId group : groups) pairs.load(in, group, newest, members);
}

}  // namespace

void LiveState::save_sources(StateWriter& out) const {
  out.whole(sources_.size());
  for (const auto& [partition, source] : sources_) {
    out.text(partition.topic);
    out.whole(static_cast<std::uint64_t>(partition.partition.value()));
    out.raw({reinterpret_cast<const char*>(source.topic.bytes.data()), source.topic.bytes.size()});
    out.whole(static_cast<std::uint64_t>(source.next.value()));
    out.whole(source.newest ? ms_of(*source.newest) + 1 : 0);
    out.whole(source.late);
    out.whole(source.too_late);
  }
}

void LiveState::load_sources(StateReader& in) {
  for (std::uint64_t left = in.count(22); left > 0 && in.ok(); --left) {
    log::TopicPartition partition{.topic = std::string(in.text()), .partition = {}};
    partition.partition = log::PartitionId(static_cast<std::int32_t>(in.below(std::uint64_t{1} << 31)));
    SourceState& source = sources_[partition];
    const std::string_view id = in.raw(source.topic.bytes.size());
    std::ranges::copy(id, source.topic.bytes.begin());
    source.next = log::Offset(static_cast<std::int64_t>(in.below(std::uint64_t{1} << 63)));
    if (const std::uint64_t newest = in.below(kLastMs + 2); newest > 0) {
      source.newest = WallTime(std::chrono::milliseconds(newest - 1));
    }
    source.late = in.whole();
    source.too_late = in.whole();
  }
}

void LiveState::save_join(StateWriter& out, const std::vector<RowId>& profiles,
                          const std::vector<RowId>& categories) const {
  const std::vector<RowId> profile_places = places_of(profiles);
  const std::vector<RowId> category_places = places_of(categories);
  out.whole(join_.joined());
  out.whole(join_.evicted());
  out.whole(join_.pending());
  for (const auto& [ind, post] : join_.sorted()) {
    out.integer(ind);
    out.whole((post->has_pin ? kHasPin : 0) | (post->has_geo ? kHasGeo : 0) | (post->has_user ? kHasUser : 0));
    out.whole(ms_of(post->oldest));
    if (post->has_pin) {
      save_place(out, profile_places, post->profile);
      save_place(out, category_places, post->category);
      out.whole(ms_of(post->time));
      out.integer(post->offset);
    }
    if (post->has_geo) out.text(parts_.countries.name(post->country));
    if (post->has_user) out.whole(post->age_group);
  }
}

void LiveState::load_join(StateReader& in, const std::vector<RowId>& profiles, const std::vector<RowId>& categories) {
  const std::uint64_t joined = in.whole();
  join_.restore_counts(joined, in.whole());
  for (std::uint64_t left = in.count(4); left > 0 && in.ok(); --left) {
    const std::int64_t ind = in.integer();
    const std::uint64_t has = in.below(kHasPin + kHasGeo + kHasUser);  // Not all three: it would not be pending.
    if (has == 0) in.refuse();
    JoinedPost post{
        .has_pin = (has & kHasPin) != 0, .has_geo = (has & kHasGeo) != 0, .has_user = (has & kHasUser) != 0};
    post.oldest = load_time(in);
    if (post.has_pin) {
      post.profile = load_place(in, profiles);
      post.category = load_place(in, categories);
      post.time = load_time(in);
      post.offset = in.integer();
    }
    if (post.has_geo) {
      const std::string_view country = in.text();
      if (!country.empty()) post.country = parts_.countries.intern(country, [this](RowId id) { forget_country(id); });
    }
    if (post.has_user) post.age_group = static_cast<std::uint8_t>(in.below(kAgeGroups.size() + 1));
    if (!join_.restore(ind, post)) in.refuse();
  }
}

std::string LiveState::save() const {
  StateWriter out;
  const std::uint32_t newest = minute_of(parts_.newest);
  save_sources(out);
  out.whole(parts_.counts.posts);
  out.whole(parts_.counts.repeats);
  out.whole(parts_.counts.without_profile);
  out.whole(parts_.counts.unreadable);
  out.whole(parts_.counts.posts > 0 ? ms_of(parts_.first) + 1 : 0);
  out.whole(ms_of(parts_.newest));
  parts_.windows.save(out, newest);
  parts_.minutes.save(out, newest);
  const std::vector<RowId> categories = parts_.categories.save(out, newest);
  const std::vector<RowId> countries = parts_.countries.save(out, newest);
  parts_.age_groups.save(out, newest);
  const std::vector<RowId> profiles = parts_.profiles.save(out, newest, countries);
  save_pairs(out, parts_.category_profiles, categories, profiles, newest);
  save_pairs(out, parts_.country_profiles, countries, profiles, newest);
  save_pairs(out, parts_.country_categories, countries, categories, newest);
  seen_.save(out);
  save_join(out, profiles, categories);
  return std::move(out).take();
}

Result<void> LiveState::load(std::string_view bytes) {
  StateReader in(bytes);
  load_sources(in);
  parts_.counts.posts = in.whole();
  parts_.counts.repeats = in.whole();
  parts_.counts.without_profile = in.whole();
  parts_.counts.unreadable = in.whole();
  const std::uint64_t first = in.below(kLastMs + 2);
  if ((first > 0) != (parts_.counts.posts > 0)) in.refuse();  // The first post's time is there where there are posts.
  if (first > 0) parts_.first = WallTime(std::chrono::milliseconds(first - 1));
  parts_.newest = load_time(in);
  const std::uint32_t newest = minute_of(parts_.newest);
  parts_.windows.load(in, newest);
  parts_.minutes.load(in, newest);
  const std::vector<RowId> categories = parts_.categories.load(in, newest);
  const std::vector<RowId> countries = parts_.countries.load(in, newest);
  parts_.age_groups.load(in, newest);
  const std::vector<RowId> profiles = parts_.profiles.load(in, newest, countries);
  load_pairs(in, parts_.category_profiles, categories, profiles, newest);
  load_pairs(in, parts_.country_profiles, countries, profiles, newest);
  load_pairs(in, parts_.country_categories, countries, categories, newest);
  seen_.load(in);
  load_join(in, profiles, categories);
  if (!in.ok() || !in.at_end()) {
    return fail(ErrorCode::kCorrupt,
                "the saved state of the live metrics cannot be read, or the bounds of `live` have no room for it");
  }
  return {};
}

}  // namespace pinflow::live
