#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "log/log.h"

namespace pinflow::sink {

// The names of sunk objects (docs/formats/objects.md), those of the S3 sink connector:
// topics/<topic>/partition=<p>/<topic>+<p>+<first offset, 10 digits>.json. Their order is that of the offsets
// up to kLastOffset; a partition past it cannot be sunk under this layout.
inline constexpr log::Offset kLastOffset{9'999'999'999};

// "topics/pinterest.pin/partition=0/"
std::string object_folder(const log::TopicPartition& partition);
std::string object_name(const log::TopicPartition& partition, log::Offset first);

struct ObjectName {
  log::TopicPartition partition;
  log::Offset first;
};
// Reads a name; empty where it is not one of ours.
std::optional<ObjectName> parse_object_name(std::string_view name);

// Where the sink keeps which topic (by id) the objects of a name belong to: "pinflow/sink/<topic>.id".
std::string identity_name(std::string_view topic);

// Whether a topic's name matches a pattern in which '*' stands for any characters. Patterns match no internal
// topics ("__...") but for those that begin with "__" themselves.
bool matches(std::string_view pattern, std::string_view topic);

}  // namespace pinflow::sink
