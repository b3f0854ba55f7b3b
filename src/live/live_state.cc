#include "live/live_state.h"

#include <algorithm>

#include "live/age_groups.h"
#include "live/profile_text.h"

namespace pinflow::live {

namespace {

constexpr std::chrono::hours kLongestWindow{24};
constexpr std::size_t kPinKind = 0, kGeoKind = 1, kUserKind = 2;  // In SeenPosts.

WallTime since_1970(WallTime time) {
  return std::clamp(time, WallTime(), WallTime(std::chrono::milliseconds(kLastMs)));
}

bool names_place(std::string_view text) {
  return text.size() <= kMaxNameBytes && holds_text(text);
}

}  // namespace

LiveParts::LiveParts(const StateOptions& options)
    : categories(options.max_categories),
      countries(options.max_countries),
      age_groups(kAgeGroups.size()),
      profiles(options.profiles, countries),
      category_profiles(options.max_pairs),
      country_profiles(options.max_pairs),
      country_categories(options.max_pairs) {}

LiveState::LiveState(const StateOptions& options)
    : allowed_lateness_(options.allowed_lateness),
      parts_(options),
      seen_(options.max_seen_pages),
      join_(options.max_pending) {}

SourceState& LiveState::follow(const log::TopicPartition& partition, const Uuid& topic) {
  SourceState& source = sources_[partition];
  if (source.topic != topic) source = {.topic = topic};
  return source;
}

WallTime note_time(SourceState& source, WallTime time, std::chrono::milliseconds allowed_lateness) {
  time = since_1970(time);
  if (source.newest) {
    source.late += time < *source.newest - allowed_lateness;
    source.too_late += time <= *source.newest - kLongestWindow;
  }
  source.newest = std::max(source.newest.value_or(time), time);
  return time;
}

void LiveState::apply(SourceState& source, const Pin& pin) {
  Pin noted = pin;
  noted.time = note_time(source, pin.time, allowed_lateness_);
  if (!take(noted)) ++parts_.counts.repeats;
}

void LiveState::apply(SourceState& source, const Geo& geo) {
  Geo noted = geo;
  noted.time = note_time(source, geo.time, allowed_lateness_);
  if (!take(noted)) ++parts_.counts.repeats;
}

void LiveState::apply(SourceState& source, const User& user) {
  User noted = user;
  noted.time = note_time(source, user.time, allowed_lateness_);
  if (!take(noted)) ++parts_.counts.repeats;
}

bool LiveState::take(const Pin& pin) {
  if (!seen_.insert(pin.ind, kPinKind)) return false;
  const WallTime time = since_1970(pin.time);
  ++parts_.counts.posts;
  parts_.first = std::min(parts_.first, time);
  parts_.newest = std::max(parts_.newest, time);
  const DecayWeight weight(time);
  const std::uint32_t minute = minute_of(time);
  parts_.windows.add(minute);
  parts_.minutes.add(minute);

  RowId profile = kNoRow;
  if (pin.profile.size() <= kMaxNameBytes && names_profile(pin.profile)) {
    profile =
        parts_.profiles.add({.profile = pin.profile, .followers = pin.followers, .time = time, .offset = pin.offset},
                            weight, minute, [this](std::span<const RowId> ids) { forget_profiles(ids); });
  } else {
    ++parts_.counts.without_profile;
  }
  const RowId category = count_category(pin.category, weight, minute, profile);

  JoinedPost& post = join_.arrived(pin.ind, time);
  post.has_pin = true;
  post.profile = profile;
  post.category = category;
  post.time = time;
  post.offset = pin.offset;
  if (post.has_geo) count_country(post);
  if (post.has_user) count_age_group(post);
  if (post.has_geo && post.has_user) join_.done(pin.ind);
  return true;
}

bool LiveState::take(const Geo& geo) {
  if (!seen_.insert(geo.ind, kGeoKind)) return false;
  const WallTime time = since_1970(geo.time);
  RowId country = kNoRow;
  if (names_place(geo.country)) {
    country = parts_.countries.intern(geo.country, [this](RowId id) { forget_country(id); });
  }
  JoinedPost& post = join_.arrived(geo.ind, time);
  post.has_geo = true;
  post.country = country;
  if (post.has_pin) count_country(post);
  if (post.has_pin && post.has_user) join_.done(geo.ind);
  return true;
}

bool LiveState::take(const User& user) {
  if (!seen_.insert(user.ind, kUserKind)) return false;
  const WallTime time = since_1970(user.time);
  JoinedPost& post = join_.arrived(user.ind, time);
  post.has_user = true;
  post.age_group = age_group_of(user.age);
  if (post.has_pin) count_age_group(post);
  if (post.has_pin && post.has_geo) join_.done(user.ind);
  return true;
}

RowId LiveState::count_category(std::string_view category, const DecayWeight& weight, std::uint32_t minute,
                                RowId profile) {
  if (!names_place(category)) return kNoRow;
  const RowId id = parts_.categories.intern(category, [this](RowId gone) { forget_category(gone); });
  parts_.categories.add(id, weight, minute);
  if (profile != kNoRow) parts_.category_profiles.add(id, profile, minute, minute_of(parts_.newest));
  return id;
}

void LiveState::count_country(const JoinedPost& post) {
  if (post.country == kNoRow) return;
  const std::uint32_t minute = minute_of(post.time);
  const std::uint32_t newest = minute_of(parts_.newest);
  parts_.countries.add(post.country, DecayWeight(post.time), minute);
  if (post.category != kNoRow) parts_.country_categories.add(post.country, post.category, minute, newest);
  if (post.profile == kNoRow) return;
  parts_.country_profiles.add(post.country, post.profile, minute, newest);
  parts_.profiles.set_country(post.profile, post.country, {post.time, post.offset});
}

void LiveState::count_age_group(const JoinedPost& post) {
  if (post.age_group == 0) return;
  const RowId group = parts_.age_groups.intern(age_group_name(post.age_group), [](RowId) {});
  parts_.age_groups.add(group, DecayWeight(post.time), minute_of(post.time));
  if (post.profile != kNoRow) {
    parts_.profiles.set_age_group(post.profile, post.age_group, {post.time, post.offset});
  }
}

void LiveState::forget_profiles(std::span<const RowId> ids) {
  std::vector<bool> gone(parts_.profiles.ids_end());
  for (const RowId id : ids) gone[id] = true;
  const auto is_gone = [&](RowId id) { return id < gone.size() && gone[id]; };
  parts_.category_profiles.drop_members(is_gone);
  parts_.country_profiles.drop_members(is_gone);
  join_.for_each([&](JoinedPost& post) {
    if (is_gone(post.profile)) post.profile = kNoRow;
  });
}

void LiveState::forget_category(RowId id) {
  parts_.category_profiles.drop_group(id);
  parts_.country_categories.drop_members([&](RowId member) { return member == id; });
  join_.for_each([&](JoinedPost& post) {
    if (post.category == id) post.category = kNoRow;
  });
}

void LiveState::forget_country(RowId id) {
  parts_.country_profiles.drop_group(id);
  parts_.country_categories.drop_group(id);
  parts_.profiles.forget_country(id);
  join_.for_each([&](JoinedPost& post) {
    if (post.country == id) post.country = kNoRow;
  });
}

}  // namespace pinflow::live
