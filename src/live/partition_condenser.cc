#include "live/partition_condenser.h"

#include <algorithm>

#include "live/profile_text.h"
#include "live/profiles.h"

namespace pinflow::live {

namespace {

// More than anybody stores between two marks. Past it a repeat may be counted that is none.
constexpr std::size_t kMostLoaded = 1 << 18;

constexpr std::int64_t kIdsPerSlot = 512;
constexpr std::int64_t kIdsPerPage = kIdsPerSlot * static_cast<std::int64_t>(SeenPosts::kKinds);

std::string_view name_that_counts(std::string_view text) {
  return text.size() <= kMaxNameBytes && holds_text(text) ? text : std::string_view();
}

CondensedEntry entry_of(const Pin& pin) {
  const bool counts = pin.profile.size() <= kMaxNameBytes && names_profile(pin.profile);
  return {.ind = pin.ind,
          .time = pin.time,
          .name = counts ? pin.profile : std::string_view(),
          .category = name_that_counts(pin.category),
          .number = pin.followers};
}
CondensedEntry entry_of(const Geo& geo) {
  return {.ind = geo.ind, .time = geo.time, .name = name_that_counts(geo.country), .category = {}, .number = {}};
}
CondensedEntry entry_of(const User& user) {
  return {.ind = user.ind, .time = user.time, .name = {}, .category = {}, .number = user.age};
}

}  // namespace

PartitionCondenser::PartitionCondenser(const SourcePartition& source, std::size_t max_seen_pages,
                                       std::chrono::milliseconds allowed_lateness)
    : allowed_lateness_(allowed_lateness), mark_{.source = source}, seen_(max_seen_pages) {}

void PartitionCondenser::load(const CondensedEntry& entry) {
  mark_as_seen(entry.ind);
  if (entry.place < mark_.next) return;
  last_loaded_.emplace_back(entry.place, entry.ind);
  if (last_loaded_.size() < 2 * kMostLoaded) return;
  std::ranges::nth_element(last_loaded_, last_loaded_.begin() + kMostLoaded, std::greater());
  last_loaded_.resize(kMostLoaded);
}

void PartitionCondenser::load(const CondensedMark& mark) {
  if (mark.next >= mark_.next) mark_ = mark;
}

void PartitionCondenser::end_loading() {
  times_ = {.topic = {}, .next = {}, .newest = mark_.newest, .late = mark_.late, .too_late = mark_.too_late};
  for (const auto& [place, ind] : last_loaded_)
    if (place >= mark_.next) stored_.emplace(ind, place);
  last_loaded_ = {};
}

void PartitionCondenser::begin_again(log::Offset begin) {
  times_ = {};
  mark_.next = {mark_.next.incarnation + 1, begin};
  mark_.newest.reset();
  mark_.late = mark_.too_late = 0;
}

void PartitionCondenser::go_on_at(log::Offset begin) {
  mark_.next.offset = std::max(mark_.next.offset, begin);
}

// Three neighbouring pages take the places that other users give to the three kinds.
bool PartitionCondenser::mark_as_seen(std::int64_t ind) {
  std::int64_t page = ind / kIdsPerPage;
  std::int64_t rest = ind % kIdsPerPage;
  if (rest < 0) {
    rest += kIdsPerPage;
    --page;
  }
  return seen_.insert(page * kIdsPerSlot + rest % kIdsPerSlot, static_cast<std::size_t>(rest / kIdsPerSlot));
}

// Counts a repeat.
bool PartitionCondenser::is_first(std::int64_t ind, log::Offset offset) {
  if (mark_as_seen(ind)) return true;
  const auto stored = stored_.find(ind);
  if (stored == stored_.end() || stored->second != SourcePlace{mark_.next.incarnation, offset}) ++mark_.repeats;
  return false;
}

template <class Record>
void PartitionCondenser::condense(const Record& record, log::Offset offset, std::vector<log::Record>& out) {
  const WallTime time = note_time(times_, record.time, allowed_lateness_);
  if (!is_first(record.ind, offset)) return;
  CondensedEntry entry = entry_of(record);
  entry.source = mark_.source;
  entry.place = {mark_.next.incarnation, offset};
  entry.time = time;
  out.push_back(encode(entry));
}
template void PartitionCondenser::condense(const Pin&, log::Offset, std::vector<log::Record>&);
template void PartitionCondenser::condense(const Geo&, log::Offset, std::vector<log::Record>&);
template void PartitionCondenser::condense(const User&, log::Offset, std::vector<log::Record>&);

void PartitionCondenser::end_batch(log::Offset next, std::uint64_t unreadable) {
  mark_.next.offset = std::max(mark_.next.offset, next);
  mark_.newest = times_.newest;
  mark_.late = times_.late;
  mark_.too_late = times_.too_late;
  mark_.unreadable += unreadable;
  std::erase_if(stored_, [&](const auto& stored) { return stored.second < mark_.next; });
}

void PartitionCondenser::condense(const RecordParser& parsed, const log::FetchedPartition& fetched,
                                  std::vector<log::Record>& out) {
  parsed.for_each([&](const auto& record, log::Offset offset) { condense(record, offset, out); });
  note_high_watermark(fetched.high_watermark);
  end_batch(fetched.next, parsed.unreadable());
}

}  // namespace pinflow::live
