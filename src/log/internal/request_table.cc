#include "log/internal/request_table.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace pinflow::log {

BatchProducer producer_of(std::int64_t id, std::int32_t content, std::int16_t partitions) {
  return {id, partitions, content};
}

StoredRequest request_of(const BatchHeader& header, WallTime stored) {
  return {header.producer_id,
          header.base_sequence,
          header.producer_epoch,
          header.last_offset_delta + 1,
          header.base_offset,
          stored,
          WallTime(std::chrono::milliseconds(header.max_timestamp))};
}

std::optional<StoredRequest> RequestTable::find(std::int64_t id, WallTime now) const {
  const auto newest = newest_.find(id);
  if (newest == newest_.end()) return std::nullopt;
  const Entry& entry = *at(newest->second);
  return counts(entry, now) ? std::optional(entry.part) : std::nullopt;
}

std::optional<StoredRequest> RequestTable::find(std::int64_t id, Slot slot, WallTime now) const {
  const auto newest = newest_.find(id);
  if (newest == newest_.end()) return std::nullopt;
  for (const Entry* entry = at(newest->second); entry != nullptr; entry = at(entry->previous)) {
    if (!counts(*entry, now)) return std::nullopt;  // Those before it are older.
    if (entry->slot == slot) return entry->part;
  }
  return std::nullopt;
}

void RequestTable::add(const StoredRequest& part, Slot slot) {
  const std::uint64_t number = first_ + entries_.size();
  auto& newest = newest_[part.id];
  entries_.push_back({part, slot, newest});
  newest = number;
  ++unkept_;
}

void RequestTable::keep(WallTime now) {
  unkept_ = 0;
  while (entries_.size() > capacity_ || (!entries_.empty() && !counts(entries_.front(), now))) forget_oldest();
}

void RequestTable::undo() {
  for (; unkept_ > 0; --unkept_) {
    const Entry& last = entries_.back();
    if (at(last.previous) != nullptr) {
      newest_[last.part.id] = last.previous;
    } else {
      newest_.erase(last.part.id);
    }
    entries_.pop_back();
  }
}

void RequestTable::forget_oldest() {
  const auto newest = newest_.find(entries_.front().part.id);
  if (newest->second == first_) newest_.erase(newest);
  entries_.pop_front();
  ++first_;
}

std::vector<StoredRequest> RequestTable::of_slot(Slot slot, WallTime now) const {
  std::vector<StoredRequest> parts;
  for (std::size_t i = 0; i + unkept_ < entries_.size(); ++i)
    if (entries_[i].slot == slot && counts(entries_[i], now)) parts.push_back(entries_[i].part);
  return parts;
}

void RequestTable::recover(std::vector<StoredRequest> parts, Slot slot) {
  for (StoredRequest& part : parts) recovered_.emplace_back(part, slot);
  if (recovered_.size() / 2 > capacity_) cut_recovered(capacity_);
}

void RequestTable::cut_recovered(std::size_t most) {
  std::ranges::sort(recovered_, {}, [](const auto& entry) {
    const auto& [part, slot] = entry;
    return std::tuple(part.stored, part.record_time, slot, part.base_offset);
  });
  if (recovered_.size() > most)
    recovered_.erase(recovered_.begin(), recovered_.end() - static_cast<std::ptrdiff_t>(most));
}

void RequestTable::settle(WallTime now) {
  cut_recovered(capacity_);
  for (const auto& [part, slot] : recovered_) add(part, slot);
  recovered_ = {};
  keep(now);
}

}  // namespace pinflow::log
