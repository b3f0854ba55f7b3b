#include "log/internal/segment_index.h"

#include <algorithm>

#include "log/internal/bytes.h"
#include "log/internal/sealed_file.h"

namespace pinflow::log {
namespace {

constexpr std::uint64_t kIndexInterval = 16 << 10;
constexpr std::string_view kMagic = "PFIX";
constexpr std::size_t kEntrySize = 24;

}  // namespace

void SegmentIndex::note(const BatchMark& batch, bool forced) {
  if (forced || entries_.empty() || batch.position - entries_.back().position >= kIndexInterval)
    entries_.push_back({batch.offset, batch.position, max_timestamp_});
  max_timestamp_ = std::max(max_timestamp_, batch.max_timestamp);
}

std::optional<IndexEntry> SegmentIndex::floor(Offset offset) const {
  const auto above = std::ranges::upper_bound(entries_, offset, {}, &IndexEntry::offset);
  if (above == entries_.begin()) return std::nullopt;
  return *std::prev(above);
}

const IndexEntry* SegmentIndex::after(std::uint64_t position) const {
  const auto above = std::ranges::upper_bound(entries_, position, {}, &IndexEntry::position);
  return above == entries_.end() ? nullptr : &*above;
}

std::optional<IndexEntry> SegmentIndex::before_time(std::int64_t time) const {
  const auto at = std::ranges::lower_bound(entries_, time, {}, &IndexEntry::max_before);
  if (at == entries_.begin()) return entries_.empty() ? std::nullopt : std::optional(entries_.front());
  return *std::prev(at);
}

std::string SegmentIndex::encode(Offset base, Offset end, std::uint64_t size) const {
  std::string content;
  content.reserve(36 + entries_.size() * kEntrySize);
  append_big_endian<std::int64_t>(content, base.value());
  append_big_endian<std::int64_t>(content, end.value());
  append_big_endian<std::uint64_t>(content, size);
  append_big_endian<std::int64_t>(content, max_timestamp_);
  append_big_endian<std::uint32_t>(content, static_cast<std::uint32_t>(entries_.size()));
  for (const IndexEntry& entry : entries_) {
    append_big_endian<std::int64_t>(content, entry.offset.value());
    append_big_endian<std::uint64_t>(content, entry.position);
    append_big_endian<std::int64_t>(content, entry.max_before);
  }
  return seal(kMagic, content);
}

Result<SegmentIndex::Closed> SegmentIndex::decode(std::string_view bytes) {
  TRY_ASSIGN(std::string_view rest, unseal(kMagic, bytes));
  const auto malformed = [] { return fail(ErrorCode::kCorrupt, "its content is malformed"); };
  std::int64_t base = 0;
  std::int64_t end = 0;
  std::uint32_t count = 0;
  Closed closed;
  if (!take_big_endian(rest, base) || !take_big_endian(rest, end) || !take_big_endian(rest, closed.size) ||
      !take_big_endian(rest, closed.index.max_timestamp_) || !take_big_endian(rest, count) || base < 0 || end < base ||
      rest.size() != std::size_t{count} * kEntrySize)
    return malformed();
  closed.base = Offset(base);
  closed.end = Offset(end);
  closed.index.entries_.reserve(count);
  IndexEntry last{closed.base, 0, kNoTimestamp};
  for (std::uint32_t i = 0; i < count; ++i) {
    std::int64_t offset = 0;
    IndexEntry entry;
    take_big_endian(rest, offset);
    take_big_endian(rest, entry.position);
    take_big_endian(rest, entry.max_before);
    entry.offset = Offset(offset);
    const bool rises = i == 0 || (entry.offset > last.offset && entry.position > last.position);
    if (!rises || entry.offset < last.offset || entry.offset >= closed.end || entry.position >= closed.size ||
        entry.max_before < last.max_before || entry.max_before > closed.index.max_timestamp_)
      return malformed();
    closed.index.entries_.push_back(entry);
    last = entry;
  }
  return closed;
}

}  // namespace pinflow::log
