// Writing profiles into a checkpoint and reading them back.
#include <algorithm>

#include "live/age_groups.h"
#include "live/profiles.h"

namespace pinflow::live {

namespace {

void save_since(StateWriter& out, const Since& since) {
  out.whole(static_cast<std::uint64_t>(since.time.time_since_epoch().count()));
  out.integer(since.offset);
}

WallTime load_time(StateReader& in) {
  return WallTime(std::chrono::milliseconds(in.below(kLastMs + 1)));
}

Since load_since(StateReader& in) {
  const WallTime time = load_time(in);
  return {time, in.integer()};
}

}  // namespace

void Profiles::save_row(StateWriter& out, RowId id, std::uint32_t newest,
                        const std::vector<RowId>& country_places) const {
  const Hot& hot = hot_[id];
  const Cold& cold = cold_[id];
  out.text(*cold.name);
  out.whole(cold.posts);
  out.whole(static_cast<std::uint64_t>(cold.first_post.time_since_epoch().count()));
  out.whole(static_cast<std::uint64_t>(hot.last_post.time_since_epoch().count()));
  out.whole(cold.followers ? static_cast<std::uint64_t>(*cold.followers) + 1 : 0);
  if (cold.followers) save_since(out, cold.followers_since);
  out.whole(cold.country == kNoRow ? 0 : country_places[cold.country] + 1);
  if (cold.country != kNoRow) save_since(out, cold.country_since);
  out.whole(cold.age_group);
  if (cold.age_group != 0) save_since(out, cold.age_group_since);
  cold.sums.save(out);
  cold.windows.save(out, newest);
}

void Profiles::load_row(StateReader& in, RowId id, std::uint32_t newest, std::span<const RowId> countries) {
  Hot& hot = hot_[id];
  Cold& cold = cold_[id];
  cold.posts = in.whole();
  cold.first_post = load_time(in);
  hot.last_post = load_time(in);
  if (const std::uint64_t followers = in.below(std::uint64_t{INT64_MAX} + 2); followers > 0) {
    cold.followers = static_cast<std::int64_t>(followers - 1);
    cold.followers_since = load_since(in);
  }
  if (const std::uint64_t country = in.below(countries.size() + 1); country > 0) {
    cold.country = countries[country - 1];
    cold.country_since = load_since(in);
  }
  cold.age_group = static_cast<std::uint8_t>(in.below(kAgeGroups.size() + 1));
  if (cold.age_group != 0) cold.age_group_since = load_since(in);
  cold.sums.load(in);
  cold.windows.load(in, newest);
  hot.sums = cold.sums.doubles();
  if (cold.followers) set_followers_part(id);
}

std::vector<RowId> Profiles::save(StateWriter& out, std::uint32_t newest, std::span<const RowId> countries) const {
  std::vector<RowId> country_places;
  for (RowId place = 0; place < countries.size(); ++place) {
    if (countries[place] >= country_places.size()) country_places.resize(countries[place] + 1);
    country_places[countries[place]] = place;
  }
  std::vector<RowId> ids;
  ids.reserve(index_.size());
  for (RowId id = 0; id < hot_.size(); ++id) {
    if (holds(id)) ids.push_back(id);
  }
  std::ranges::sort(ids, [&](RowId a, RowId b) { return *cold_[a].name < *cold_[b].name; });
  out.whole(evicted_);
  out.whole(ids.size());
  for (const RowId id : ids) save_row(out, id, newest, country_places);
  return ids;
}

std::vector<RowId> Profiles::load(StateReader& in, std::uint32_t newest, std::span<const RowId> countries) {
  std::vector<RowId> ids;
  evicted_ = in.whole();
  for (std::uint64_t left = in.count(16); left > 0 && in.ok(); --left) {
    const std::string_view name = in.text();
    if (index_.size() >= options_.max_profiles || index_.contains(name)) {
      in.refuse();
      break;
    }
    ids.push_back(make_row(name));
    load_row(in, ids.back(), newest, countries);
  }
  ++version_;
  return ids;
}

}  // namespace pinflow::live
