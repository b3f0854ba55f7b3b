#include "live/profiles.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "live/profile_text.h"

namespace pinflow::live {

using std::chrono::milliseconds;

namespace {

constexpr std::array<std::int64_t, 3> kHalfLifeMs = {3'600'000, 6 * 3'600'000, 24 * 3'600'000};
constexpr std::size_t kHour = 0, kSixHours = 1, kDay = 2;
constexpr milliseconds kActiveFor{24 * 3'600'000};
constexpr double kMaxFollowersLog = 7;  // Ten million followers and more are the top.
// A median under this would make the first sign of activity count in full.
constexpr double kLeastMedian = 1.0 / 16;
constexpr std::int64_t kLastMs = 253'402'300'799'999;  // End of the year 9999; epochs of an hour stay within 32 bits.

// value * 2^exponent for an exponent of at most 1023: exact, or 0 where nothing is left.
double times_power_of_two(double value, std::int32_t exponent) {
  if (exponent < -1022) return 0;
  return value * std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

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

Profiles::Profiles(const ProfilesOptions& options) : options_(options), seen_(options.max_seen_pages) {
  CHECK(options.max_profiles > 0, "the live metrics need room for a profile");
}

Profiles::Moment Profiles::moment_of(WallTime time) {
  const std::int64_t ms = time.time_since_epoch().count();
  Moment moment;
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    moment.epochs[h] = static_cast<std::int32_t>(ms / kHalfLifeMs[h]);
    moment.fractions[h] = static_cast<double>(ms % kHalfLifeMs[h]) / static_cast<double>(kHalfLifeMs[h]);
  }
  return moment;
}

void Profiles::add(Row& row, const Moment& moment) {
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    const double weight = std::exp2(moment.fractions[h]);
    const std::int32_t ahead = moment.epochs[h] - row.epochs[h];
    if (ahead > 0) {
      row.sums[h] = times_power_of_two(row.sums[h], -ahead) + weight;
      row.epochs[h] = moment.epochs[h];
    } else {
      row.sums[h] += times_power_of_two(weight, ahead);
    }
  }
}

Profiles::Flow Profiles::flow(const Row& row) const {
  std::array<double, kHalfLives> decayed;
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    decayed[h] = times_power_of_two(row.sums[h], row.epochs[h] - evaluation_.moment.epochs[h]) * evaluation_.decays[h];
  }
  const double hourly = decayed[kDay] / 24;
  return {.activity = decayed[kSixHours], .velocity = (decayed[kHour] - hourly) / std::sqrt(hourly + 1)};
}

Profiles::Row& Profiles::row_of(std::string_view name) {
  if (const auto found = index_.find(name); found != index_.end()) return rows_[found->second];
  if (rows_.size() >= options_.max_profiles) evict();
  const auto entry = index_.emplace(std::string(name), static_cast<std::uint32_t>(rows_.size())).first;
  Row& row = rows_.emplace_back();
  row.name = &entry->first;
  return row;
}

void Profiles::take_followers(Row& row, std::int64_t followers, WallTime time, std::int64_t offset) {
  // The count itself breaks the last tie, so that two partitions give one answer whichever is read first.
  if (row.followers &&
      std::tuple(time, offset, followers) <= std::tuple(row.followers_time, row.followers_offset, *row.followers)) {
    return;
  }
  row.followers = followers;
  row.followers_time = time;
  row.followers_offset = offset;
  row.followers_part = std::clamp(std::log10(1 + static_cast<double>(followers)) / kMaxFollowersLog, 0.0, 1.0);
}

Applied Profiles::apply(const Post& post) {
  if (!names_profile(post.profile)) return Applied::kNoProfile;
  if (post.profile.size() > kMaxNameBytes) return Applied::kLongName;
  if (!seen_.insert(post.ind)) return Applied::kRepeat;
  const WallTime time = std::clamp(post.time, WallTime(), WallTime(milliseconds(kLastMs)));
  Row& row = row_of(post.profile);
  add(row, moment_of(time));
  row.last_post = std::max(row.last_post, time);
  ++row.posts;
  if (post.followers && *post.followers >= 0) take_followers(row, *post.followers, time, post.offset);
  newest_ = std::max(newest_, time);
  ++version_;
  return Applied::kCounted;
}

void Profiles::evict() {
  // log2 B of forward decay orders profiles by activity at any moment; of equals the alphabetically first
  // stay.
  auto& order = evaluation_.order;
  order.clear();
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    order.emplace_back(std::log2(rows_[i].sums[kSixHours]) + rows_[i].epochs[kSixHours], i);
  }
  const std::size_t doomed = std::max<std::size_t>(1, rows_.size() / 16);
  const auto first_doomed = order.end() - static_cast<std::ptrdiff_t>(doomed);
  std::nth_element(order.begin(), first_doomed, order.end(), [&](auto& a, auto& b) { return before(a, b); });
  // From the back, so that the row that fills a gap is never itself doomed.
  std::sort(first_doomed, order.end(), [](auto& a, auto& b) { return a.second > b.second; });
  for (auto it = first_doomed; it != order.end(); ++it) {
    index_.erase(*rows_[it->second].name);
    if (it->second + 1 < rows_.size()) {
      rows_[it->second] = rows_.back();
      index_.find(*rows_[it->second].name)->second = it->second;
    }
    rows_.pop_back();
  }
  evicted_ += doomed;
}

void Profiles::evaluate(WallTime now) {
  Evaluation& e = evaluation_;
  const WallTime at = std::clamp(now, newest_, WallTime(milliseconds(kLastMs)));
  if (e.version == version_ && e.at == at) return;
  e.version = version_;
  e.at = at;
  e.moment = moment_of(at);
  for (std::size_t h = 0; h < kHalfLives; ++h) e.decays[h] = std::exp2(-e.moment.fractions[h]);
  e.activity_logs.resize(rows_.size());
  e.velocities.resize(rows_.size());
  e.popularity.resize(rows_.size());
  e.active_logs.clear();
  e.active_velocities.clear();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Flow now_flowing = flow(rows_[i]);
    e.activity_logs[i] = std::log2(1 + now_flowing.activity);
    e.velocities[i] = std::max(0.0, now_flowing.velocity);
    e.popularity[i] = rows_[i].followers_part;
    if (rows_[i].last_post <= at - kActiveFor) continue;
    e.active_logs.push_back(e.activity_logs[i]);
    e.active_velocities.push_back(e.velocities[i]);
  }
  e.active = e.active_logs.size();
  e.activity_median = lower_median(e.active_logs, e.counts);
  e.velocity_median = lower_median(e.active_velocities, e.counts);
  const Weights& weights = options_.weights;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    e.popularity[i] = weights.followers * e.popularity[i] +
                      weights.activity * squash(e.activity_logs[i], e.activity_median) +
                      weights.velocity * squash(e.velocities[i], e.velocity_median);
  }
}

bool Profiles::before(const std::pair<double, std::uint32_t>& a, const std::pair<double, std::uint32_t>& b) const {
  if (a.first != b.first) return a.first > b.first;
  return *rows_[a.second].name < *rows_[b.second].name;
}

double Profiles::sort_value(std::uint32_t row, Order order) const {
  switch (order) {
    case Order::kPopularity:
      return evaluation_.popularity[row];
    case Order::kActivity:
      return flow(rows_[row]).activity;
    case Order::kFollowers:
      return rows_[row].followers ? static_cast<double>(*rows_[row].followers) : -1;
  }
  CHECK(false, "an order that does not exist");
}

Ranking Profiles::answer_head() const {
  return {.as_of = evaluation_.at,
          .profiles = rows_.size(),
          .active_profiles = evaluation_.active,
          .activity_median = evaluation_.activity_median,
          .velocity_median = evaluation_.velocity_median,
          .items = {}};
}

ProfileView Profiles::view(std::size_t rank, std::uint32_t index) const {
  const Row& row = rows_[index];
  const Flow now = flow(row);
  return {.rank = rank,
          .name = *row.name,
          .popularity = evaluation_.popularity[index],
          .followers = row.followers,
          .posts = row.posts,
          .activity = now.activity,
          .velocity = now.velocity,
          .last_post = row.last_post,
          .followers_part = row.followers_part,
          .activity_part = squash(evaluation_.activity_logs[index], evaluation_.activity_median),
          .velocity_part = squash(evaluation_.velocities[index], evaluation_.velocity_median)};
}

Ranking Profiles::top(std::size_t k, Order order, WallTime now) {
  evaluate(now);
  k = std::min({k, kMaxTop, rows_.size()});
  // A heap of the best k so far, the worst of them in front: most rows fail one comparison.
  auto& best = evaluation_.order;
  best.clear();
  const auto ahead = [&](const auto& a, const auto& b) { return before(a, b); };
  for (std::uint32_t i = 0; i < rows_.size() && k > 0; ++i) {
    const std::pair candidate(sort_value(i, order), i);
    if (best.size() == k) {
      if (!before(candidate, best.front())) continue;
      std::pop_heap(best.begin(), best.end(), ahead);
      best.pop_back();
    }
    best.push_back(candidate);
    std::push_heap(best.begin(), best.end(), ahead);
  }
  std::sort_heap(best.begin(), best.end(), ahead);
  Ranking answer = answer_head();
  answer.items.reserve(k);
  for (std::size_t i = 0; i < k; ++i) answer.items.push_back(view(i + 1, best[i].second));
  return answer;
}

Ranking Profiles::find(std::string_view name, WallTime now) {
  evaluate(now);
  Ranking answer = answer_head();
  const auto found = index_.find(name);
  if (found == index_.end()) return answer;
  const std::pair own(evaluation_.popularity[found->second], found->second);
  std::size_t rank = 1;
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    if (before({evaluation_.popularity[i], i}, own)) ++rank;
  }
  answer.items.push_back(view(rank, found->second));
  return answer;
}

}  // namespace pinflow::live
