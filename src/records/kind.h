#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/columns.h"

namespace pinflow::records {

// The three records that one post makes.
enum class Kind { kPin, kGeo, kUser };
inline constexpr std::array kKinds = {Kind::kPin, Kind::kGeo, Kind::kUser};

std::string_view to_string(Kind kind);  // "pin", "geo", "user".

// The kind that a topic or stream carries by its name: the part behind the last '.' or '-' ("pinterest.pin",
// "streaming-pinterest-geo"). Empty for other names.
std::optional<Kind> kind_of(std::string_view topic);

// The names of topics, streams and tables below one prefix, by default "pinterest".
struct Names {
  std::string prefix = "pinterest";
  std::string topic(Kind kind) const;        // pinterest.pin
  std::string stream(Kind kind) const;       // streaming-pinterest-pin
  std::string table(Kind kind) const;        // pinterest_pin_table
  std::string latest_view(Kind kind) const;  // pinterest_pin_latest
};

// The columns of a record as posted, in the order and under the names of the source tables; `index` is that
// of pin. Numbers are numbers here, times are still text.
std::vector<Column> raw_columns(Kind kind);

// The columns that say where a row comes from; they follow the raw columns and the cleaned ones:
// source_topic (text), source_partition (integer), source_offset (long), arrived_at (timestamp, null where
// unknown).
std::vector<Column> source_columns();

}  // namespace pinflow::records
