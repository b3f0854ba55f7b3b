#include "live/condensed.h"

#include <limits>

#include <fmt/format.h>

#include "live/profiles.h"
#include "live/state_bytes.h"

namespace pinflow::live {

using records::Kind;

namespace {

constexpr std::string_view kEntryTags = "pgu";  // By kind.
constexpr std::string_view kMarkTags = "PGU";
constexpr std::size_t kEntryKey = 1 + 4 + 8;
constexpr std::size_t kMarkKey = 1 + 4;

template <class Number>
void append_big_endian(std::string& out, Number value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::make_unsigned_t<Number>>(value) >> shift));
}
template <class Number>
Number big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(0, sizeof(Number))) value = value << 8 | static_cast<std::uint8_t>(byte);
  return static_cast<Number>(value);
}

std::string key_of(std::string_view tags, const SourcePartition& source) {
  std::string key(1, tags[static_cast<std::size_t>(source.kind)]);
  append_big_endian(key, source.partition);
  return key;
}

void write(StateWriter& out, const SourcePlace& place) {
  out.whole(place.incarnation);
  out.whole(static_cast<std::uint64_t>(place.offset.value()));
}

void write(StateWriter& out, const std::optional<std::int64_t>& number) {
  out.whole(number ? 1 : 0);
  if (number) out.integer(*number);
}

std::int64_t read_offset(StateReader& in) {
  const std::uint64_t value = in.whole();
  return static_cast<std::int64_t>(value > std::numeric_limits<std::int64_t>::max() ? in.refuse() : value);
}
SourcePlace read_place(StateReader& in) {
  const std::uint64_t incarnation = in.whole();
  return {incarnation, log::Offset(read_offset(in))};
}
std::optional<std::int64_t> read_number(StateReader& in) {
  if (in.below(2) == 0) return std::nullopt;
  return in.integer();
}
WallTime read_time(StateReader& in) {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(in.below(kLastMs + 1))));
}
std::uint64_t milliseconds_of(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch() / std::chrono::milliseconds(1));
}
std::string_view read_name(StateReader& in) {
  const std::string_view text = in.text();
  if (text.size() > kMaxNameBytes) in.refuse();
  return text;
}

CondensedEntry read_entry(StateReader& in, const SourcePartition& source, std::int64_t ind) {
  CondensedEntry entry{.source = source, .place = read_place(in), .ind = ind, .time = read_time(in)};
  if (source.kind != Kind::kUser) entry.name = read_name(in);
  if (source.kind == Kind::kPin) entry.category = read_name(in);
  if (source.kind != Kind::kGeo) entry.number = read_number(in);
  return entry;
}

CondensedMark read_mark(StateReader& in, const SourcePartition& source) {
  CondensedMark mark{.source = source, .next = read_place(in), .high_watermark = log::Offset(read_offset(in))};
  if (in.below(2) == 1) mark.newest = read_time(in);
  mark.late = in.whole();
  mark.too_late = in.whole();
  mark.repeats = in.whole();
  mark.unreadable = in.whole();
  return mark;
}

}  // namespace

log::Record encode(const CondensedEntry& entry) {
  std::string key = key_of(kEntryTags, entry.source);
  append_big_endian(key, entry.ind);
  StateWriter out;
  out.whole(kCondensedVersion);
  write(out, entry.place);
  out.whole(milliseconds_of(entry.time));
  if (entry.source.kind != Kind::kUser) out.text(entry.name);
  if (entry.source.kind == Kind::kPin) out.text(entry.category);
  if (entry.source.kind != Kind::kGeo) write(out, entry.number);
  return {.key = std::move(key), .value = std::move(out).take(), .headers = {}, .timestamp = {}};
}

log::Record encode(const CondensedMark& mark) {
  StateWriter out;
  out.whole(kCondensedVersion);
  write(out, mark.next);
  out.whole(static_cast<std::uint64_t>(mark.high_watermark.value()));
  out.whole(mark.newest ? 1 : 0);
  if (mark.newest) out.whole(milliseconds_of(*mark.newest));
  out.whole(mark.late);
  out.whole(mark.too_late);
  out.whole(mark.repeats);
  out.whole(mark.unreadable);
  return {.key = key_of(kMarkTags, mark.source), .value = std::move(out).take(), .headers = {}, .timestamp = {}};
}

Result<Condensed> decode_condensed(std::string_view key, std::string_view value) {
  const auto no_such = [] { return fail(ErrorCode::kCorrupt, "it is no record of condensed streams"); };
  if (key.empty()) return no_such();
  const bool is_entry = kEntryTags.contains(key.front());
  const std::size_t kind = (is_entry ? kEntryTags : kMarkTags).find(key.front());
  if (kind == std::string_view::npos || key.size() != (is_entry ? kEntryKey : kMarkKey)) return no_such();
  const SourcePartition source{static_cast<Kind>(kind), big_endian<std::int32_t>(key.substr(1))};
  if (source.partition < 0) return no_such();
  StateReader in(value);
  if (const std::uint64_t version = in.whole(); in.ok() && version != kCondensedVersion) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a record of condensed streams has version {}, and this program knows {}: "
                            "use the program that wrote it, or a newer one",
                            version, kCondensedVersion));
  }
  Condensed read;
  if (is_entry) {
    read = read_entry(in, source, big_endian<std::int64_t>(key.substr(5)));
  } else {
    read = read_mark(in, source);
  }
  if (!in.ok() || !in.at_end()) return no_such();
  return read;
}

Result<Condensed> decode_condensed(const log::StoredRecord& record) {
  if (!record.key || !record.value) return fail(ErrorCode::kCorrupt, "it is no record of condensed streams");
  return decode_condensed(*record.key, *record.value);
}

log::PartitionId condensed_partition(const SourcePartition& source, std::int32_t for_each_kind) {
  return log::PartitionId(static_cast<std::int32_t>(source.kind) * for_each_kind + source.partition % for_each_kind);
}

}  // namespace pinflow::live
