#include "live/profiles.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "base/check.h"
#include "live/age_groups.h"

namespace pinflow::live {

namespace {

constexpr std::chrono::hours kActiveFor{24};
constexpr double kMaxFollowersLog = 7;  // Ten million followers and more are the top.
// A median under this would make the first sign of activity count in full.
constexpr double kLeastMedian = 1.0 / 16;

double squash(double value, double median) {
  return value / (value + median);
}

// The lower median of values that are not negative. Their bits sort as they do, so one pass counts them by
// their first 16 bits, and only the few that share those with the median need sorting: several times faster
// than sorting all.
double lower_median(std::vector<double>& values, std::vector<std::uint32_t>& counts) {
  if (values.empty()) return kLeastMedian;
  const auto bin_of = [](double value) { return std::bit_cast<std::uint64_t>(value) >> 48; };
  counts.assign(std::size_t{1} << 15, 0);
  for (const double value : values) ++counts[bin_of(value)];
  std::size_t rank = (values.size() - 1) / 2;
  std::size_t bin = 0;
  while (rank >= counts[bin]) rank -= counts[bin++];
  const auto end = std::remove_if(values.begin(), values.end(), [&](double value) { return bin_of(value) != bin; });
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), middle, end);
  return std::max(*middle, kLeastMedian);
}

}  // namespace

Profiles::Profiles(const ProfilesOptions& options, const Breakdown& countries)
    : options_(options), countries_(countries) {
  CHECK(options.max_profiles > 0, "the live metrics need room for a profile");
}

RowId Profiles::row_of(std::string_view name, const std::function<void(std::span<const RowId>)>& let_go) {
  if (const auto found = index_.find(name); found != index_.end()) return found->second;
  if (index_.size() >= options_.max_profiles) evict(let_go);
  return make_row(name);
}

RowId Profiles::make_row(std::string_view name) {
  RowId id = static_cast<RowId>(cold_.size());
  if (free_.empty()) {
    hot_.emplace_back();
    cold_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  hot_[id].is_held = true;
  cold_[id].name = &index_.emplace(std::string(name), id).first->first;
  return id;
}

RowId Profiles::add(const ProfilePost& post, const DecayWeight& weight, std::uint32_t minute,
                    const std::function<void(std::span<const RowId>)>& let_go) {
  const RowId id = row_of(post.profile, let_go);
  Hot& hot = hot_[id];
  Cold& cold = cold_[id];
  cold.sums.add(weight);
  hot.sums = cold.sums.doubles();
  cold.windows.add(minute);
  ++cold.posts;
  hot.last_post = std::max(hot.last_post, post.time);
  cold.first_post = std::min(cold.first_post, post.time);
  if (post.followers && *post.followers >= 0) take_followers(id, *post.followers, {post.time, post.offset});
  ++version_;
  return id;
}

void Profiles::take_followers(RowId id, std::int64_t followers, Since since) {
  Cold& cold = cold_[id];
  // The count itself breaks the last tie, so that two partitions give one answer whichever is read first.
  if (cold.followers && std::tuple(since, followers) <= std::tuple(cold.followers_since, *cold.followers)) return;
  cold.followers = followers;
  cold.followers_since = since;
  set_followers_part(id);
}

void Profiles::set_followers_part(RowId id) {
  const auto followers = static_cast<double>(cold_[id].followers.value_or(0));
  hot_[id].followers_part = std::clamp(std::log10(1 + followers) / kMaxFollowersLog, 0.0, 1.0);
}

void Profiles::set_country(RowId id, RowId country, Since since) {
  Cold& cold = cold_[id];
  const bool is_later = cold.country == kNoRow || since > cold.country_since ||
                        (since == cold.country_since && countries_.name(country) < countries_.name(cold.country));
  if (!is_later) return;
  cold.country = country;
  cold.country_since = since;
  ++version_;
}

void Profiles::set_age_group(RowId id, std::uint8_t group, Since since) {
  Cold& cold = cold_[id];
  const bool is_later =
      cold.age_group == 0 || since > cold.age_group_since || (since == cold.age_group_since && group < cold.age_group);
  if (!is_later) return;
  cold.age_group = group;
  cold.age_group_since = since;
  ++version_;
}

void Profiles::forget_country(RowId country) {
  for (Cold& cold : cold_) {
    if (cold.country != country) continue;
    cold.country = kNoRow;
    cold.country_since = {};
  }
}

void Profiles::evict(const std::function<void(std::span<const RowId>)>& let_go) {
  // log2 of the forward-decayed sum orders profiles by activity at any moment.
  std::vector<Scored> order;
  order.reserve(index_.size());
  for (RowId id = 0; id < cold_.size(); ++id) {
    if (!holds(id)) continue;
    order.push_back({std::log2(hot_[id].sums.sums[kSixHours]) + hot_[id].sums.exponents[kSixHours], id});
  }
  const std::size_t doomed = std::max<std::size_t>(1, order.size() / 16);
  const auto first_doomed = order.end() - static_cast<std::ptrdiff_t>(doomed);
  std::nth_element(order.begin(), first_doomed, order.end(), [&](auto& a, auto& b) { return before(a, b); });
  std::vector<RowId> gone;
  for (auto it = first_doomed; it != order.end(); ++it) gone.push_back(it->id);
  let_go(gone);
  for (const RowId id : gone) {
    index_.erase(index_.find(*cold_[id].name));
    hot_[id] = {};
    cold_[id] = {};
    free_.push_back(id);
  }
  evicted_ += doomed;
}

Profiles::Flow Profiles::flow(RowId id) const {
  const Evaluation& e = evaluation_;
  const DecayedDoubles& sums = hot_[id].sums;
  const double hourly = sums.at(kDay, e.moment) / 24;
  return {.activity = sums.at(kSixHours, e.moment),
          .velocity = (sums.at(kHour, e.moment) - hourly) / std::sqrt(hourly + 1)};
}

void Profiles::evaluate(WallTime at) {
  Evaluation& e = evaluation_;
  if (e.version == version_ && e.at == at) return;
  e.version = version_;
  e.at = at;
  e.minute = minute_of(at);
  e.moment = DecayMoment(at);
  e.activity_logs.resize(hot_.size());
  e.velocities.resize(hot_.size());
  e.popularity.resize(hot_.size());
  e.active_logs.clear();
  e.active_velocities.clear();
  for (RowId id = 0; id < hot_.size(); ++id) {
    const Flow now_flowing = flow(id);
    e.activity_logs[id] = std::log2(1 + now_flowing.activity);
    e.velocities[id] = std::max(0.0, now_flowing.velocity);
    if (!hot_[id].is_held || hot_[id].last_post <= at - kActiveFor) continue;
    e.active_logs.push_back(e.activity_logs[id]);
    e.active_velocities.push_back(e.velocities[id]);
  }
  e.active = e.active_logs.size();
  e.activity_median = lower_median(e.active_logs, e.counts);
  e.velocity_median = lower_median(e.active_velocities, e.counts);
  const Weights& weights = options_.weights;
  for (RowId id = 0; id < hot_.size(); ++id) {
    e.popularity[id] = weights.followers * hot_[id].followers_part +
                       weights.activity * squash(e.activity_logs[id], e.activity_median) +
                       weights.velocity * squash(e.velocities[id], e.velocity_median);
  }
}

double Profiles::velocity(RowId id) const {
  return flow(id).velocity;
}

double Profiles::sort_value(RowId id, ProfileOrder order) const {
  switch (order) {
    case ProfileOrder::kPopularity:
      return evaluation_.popularity[id];
    case ProfileOrder::kActivity:
      return flow(id).activity;
    case ProfileOrder::kFollowers:
      return cold_[id].followers ? static_cast<double>(*cold_[id].followers) : -1;
    case ProfileOrder::kVelocity:
      return flow(id).velocity;
    case ProfileOrder::kPosts:
      break;  // The caller knows the window, and where.
  }
  CHECK(false, "an order that profiles alone do not have");
}

std::size_t Profiles::rank(RowId id) const {
  const Scored own{evaluation_.popularity[id], id};
  std::size_t rank = 1;
  for (RowId other = 0; other < hot_.size(); ++other) {
    if (holds(other) && before({evaluation_.popularity[other], other}, own)) ++rank;
  }
  return rank;
}

RowId Profiles::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? kNoRow : found->second;
}

ProfileView Profiles::view(std::size_t rank, RowId id) const {
  const Hot& hot = hot_[id];
  const Cold& cold = cold_[id];
  const Flow now = flow(id);
  return {.rank = rank,
          .name = *cold.name,
          .popularity = evaluation_.popularity[id],
          .followers = cold.followers,
          .posts = cold.posts,
          .window_posts = cold.windows.all(evaluation_.minute),
          .activity = now.activity,
          .velocity = now.velocity,
          .first_post = cold.first_post,
          .last_post = hot.last_post,
          .country = std::string(countries_.name(cold.country)),
          .age_group = std::string(age_group_name(cold.age_group)),
          .followers_part = hot.followers_part,
          .activity_part = squash(evaluation_.activity_logs[id], evaluation_.activity_median),
          .velocity_part = squash(evaluation_.velocities[id], evaluation_.velocity_median)};
}

void Profiles::fill_head(Head& head) const {
  head.profiles = index_.size();
  head.active_profiles = evaluation_.active;
  head.activity_median = evaluation_.activity_median;
  head.velocity_median = evaluation_.velocity_median;
}

}  // namespace pinflow::live
