#include "access/failed_attempts.h"

#include <algorithm>
#include <array>

namespace pinflow::access {

using std::chrono::milliseconds;

FailedAttempts::Entries::iterator FailedAttempts::find(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return entries_.end();
  if (clock_.steady_now() - found->second->last < kForget) return found->second;
  forget(found->second);
  return entries_.end();
}

void FailedAttempts::forget(Entries::iterator entry) {
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::optional<milliseconds> FailedAttempts::wait(std::string_view key) {
  const auto entry = find(key);
  if (entry == entries_.end()) return std::nullopt;
  const SteadyTime now = clock_.steady_now();
  if (entry->until <= now) return std::nullopt;
  return std::chrono::ceil<milliseconds>(entry->until - now);
}

std::optional<milliseconds> FailedAttempts::failed(std::string_view key) {
  const SteadyTime now = clock_.steady_now();
  auto entry = find(key);
  if (entry == entries_.end()) {
    if (entries_.size() == kMaxKeys) forget(std::prev(entries_.end()));
    entry = entries_.insert(entries_.begin(), Entry{std::string(key), 0, now, now});
    by_key_.emplace(entry->key, entry);
  }
  entries_.splice(entries_.begin(), entries_, entry);
  entry->last = now;
  ++entry->failures;
  if (entry->failures <= kFree) return std::nullopt;
  const int doublings = std::min(entry->failures - kFree - 1, 6);
  const milliseconds pause = std::min<milliseconds>(std::chrono::seconds(1 << doublings), kLongest);
  entry->until = now + pause;
  return pause;
}

void FailedAttempts::succeeded(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) forget(found->second);
}

std::string network_of(std::string_view address) {
  if (address.find('.') != std::string_view::npos) return std::string(address.substr(address.rfind(':') + 1));
  if (address.find(':') == std::string_view::npos) return std::string(address);
  // The groups before "::" are the first ones; what "::" leaves out is zero.
  std::array<std::string_view, 4> groups{"0", "0", "0", "0"};
  std::string_view rest = address.substr(0, address.find("::"));
  for (auto& group : groups) {
    if (rest.empty()) break;
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    group = rest.substr(0, colon);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  std::string network;
  for (const auto& group : groups) network.append(group).append(":");
  return network + ":/64";
}

}  // namespace pinflow::access
