#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "log/log.h"

namespace pinflow::sink {

// The names of sunk objects (docs/formats/objects.md), those of the S3 sink connector:
// <topics dir>/<topic>/<encoded partition>/<topic>+<p>+<first offset, 10 digits><ending>. The order of a folder's names is that of
// the offsets up to kLastOffset; a partition past it cannot be sunk under this layout.
inline constexpr log::Offset kLastOffset{9'999'999'999};

enum class Format : std::uint8_t { kJson, kParquet };
enum class Compression : std::uint8_t { kNone, kGzip, kZstd, kSnappy };  // kSnappy: within Parquet only.

// What the settings say of names. Readers need the same as the writer.
struct NameForm {
  std::string topics_dir = "topics";
  std::string delimiter = "+";  // file.delim: one character.
  int pad = 10;                 // filename.offset.zero.pad.width.
  friend bool operator==(const NameForm&, const NameForm&) = default;
};

struct ObjectName {
  log::TopicPartition partition;
  log::Offset first;
  std::string path;  // The encoded partition: "partition=0", "year=2026/month=11", "country=NL".
  Format format = Format::kJson;
  Compression compression = Compression::kNone;
};

// "topics/pinterest.pin/partition=0/": the default partitioner's folder.
std::string object_folder(const log::TopicPartition& partition, const NameForm& form = {});
// "topics/pinterest.pin/": all objects of a topic.
std::string topic_folder(std::string_view topic, const NameForm& form = {});
// The name under the default partitioner and plain JSON.
std::string object_name(const log::TopicPartition& partition, log::Offset first, const NameForm& form = {});
std::string object_name(const ObjectName& name, const NameForm& form = {});

// ".json", ".json.gz", ".json.zst", ".parquet", ".zstd.parquet" and so on.
std::string_view ending(Format format, Compression compression);
// What a name says of the bytes by its ending alone; empty where the ending is none of those.
struct Packing {
  Format format = Format::kJson;
  Compression compression = Compression::kNone;
};
std::optional<Packing> parse_ending(std::string_view name);

// Reads a name of any partitioner, format and compression; empty where it is not one of ours.
std::optional<ObjectName> parse_object_name(std::string_view name, const NameForm& form = {});

// Where the sink keeps which topic (by id) the objects of a name belong to: "pinflow/sink/<topic>.id".
std::string identity_name(std::string_view topic);

// Whether a topic's name matches a pattern in which '*' stands for any characters. Patterns match no internal
// topics ("__...") but for those that begin with "__" themselves.
bool matches(std::string_view pattern, std::string_view topic);

}  // namespace pinflow::sink
