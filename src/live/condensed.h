#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "records/kind.h"

namespace pinflow::live {

inline constexpr std::uint8_t kCondensedVersion = 1;

// Where records come from: one partition of the stream of this kind.
struct SourcePartition {
  records::Kind kind = records::Kind::kPin;
  std::int32_t partition = 0;
  friend auto operator<=>(const SourcePartition&, const SourcePartition&) = default;
};

// A place in a source partition. The incarnation counts how often reading had to begin again at the first record, as the stream was
// made anew.
struct SourcePlace {
  std::uint64_t incarnation = 0;
  log::Offset offset{};
  friend auto operator<=>(const SourcePlace&, const SourcePlace&) = default;
};

// What live metrics need of the first record of a kind for one post. Texts are borrowed.
struct CondensedEntry {
  SourcePartition source{};
  SourcePlace place{};
  std::int64_t ind = 0;
  WallTime time{};
  std::string_view name{};               // poster_name; country; nothing. Empty: none that counts.
  std::string_view category{};           // Of pins.
  std::optional<std::int64_t> number{};  // Followers; nothing; age.
  friend bool operator==(const CondensedEntry&, const CondensedEntry&) = default;
};

// How far a source partition is condensed, and all that depends on the order of its records.
struct CondensedMark {
  SourcePartition source{};
  SourcePlace next{};            // The entries of all records before it are in the topic.
  log::Offset high_watermark{};  // Of the source, as last seen.
  std::optional<WallTime> newest{};
  std::uint64_t late = 0;  // As in SourceState, and since the stream was made.
  std::uint64_t too_late = 0;
  std::uint64_t repeats = 0;  // These two over all incarnations.
  std::uint64_t unreadable = 0;
  friend bool operator==(const CondensedMark&, const CondensedMark&) = default;
};

// The records of the topic of condensed streams (docs/formats/condensed-streams.md). What is encoded has one spelling.
log::Record encode(const CondensedEntry& entry);
log::Record encode(const CondensedMark& mark);

using Condensed = std::variant<CondensedEntry, CondensedMark>;
// The texts of an entry lie in `value`. kInvalid: of another version. kCorrupt: no such record.
Result<Condensed> decode_condensed(std::string_view key, std::string_view value);
Result<Condensed> decode_condensed(const log::StoredRecord& record);

// The partition of the topic that takes all of one source: each kind has partitions of its own, so that readers can take the kinds in step, and
// a takeover reads its own kind alone. `for_each_kind` is a third of the topic's partitions.
log::PartitionId condensed_partition(const SourcePartition& source, std::int32_t for_each_kind);

}  // namespace pinflow::live
