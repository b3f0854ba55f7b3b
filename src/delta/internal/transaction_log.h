#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "delta/table.h"

// The words of the Delta transaction log (PROTOCOL.md, "Actions") and their JSON. Pure: bytes in, actions
// out, and back.
namespace pinflow::delta::internal {

struct Protocol {
  std::int64_t reader = 1;
  std::int64_t writer = 2;
  std::vector<std::string> reader_features;
  std::vector<std::string> writer_features;
  friend bool operator==(const Protocol&, const Protocol&) = default;
};

struct Metadata {
  std::string id;
  std::string name;
  std::string description;
  std::string provider = "parquet";
  std::string schema;  // schemaString: a JSON text.
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  std::int64_t created_ms = 0;
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

struct Add {
  DataFile file;
  bool data_change = true;
  bool has_deletion_vector = false;
};

struct Remove {
  std::string path;
  std::int64_t deletion_ms = 0;
  bool data_change = true;
  std::uint64_t size = 0;
  PartitionValues partition_values = {};  // Older writers leave them out.
  friend bool operator==(const Remove&, const Remove&) = default;
};

struct Txn {
  std::string app_id;
  std::int64_t version = 0;
  std::int64_t updated_ms = 0;
  friend bool operator==(const Txn&, const Txn&) = default;
};

struct CommitInfo {
  std::int64_t timestamp_ms = 0;
  std::string operation;
  std::map<std::string, std::string> parameters;
  bool blind_append = false;
  std::map<std::string, std::string> metrics = {};  // operationMetrics: whole numbers as text.
  std::string engine = "pinflow/" PINFLOW_VERSION;
  std::string transaction_id;  // Ours alone: by it we know our own commit after a lost answer.
};

using Action = std::variant<CommitInfo, Protocol, Metadata, Txn, Remove, Add>;
using Commit = std::vector<Action>;

// One JSON object a line, in the order given.
std::string format_commit(const Commit& commit);
// Reads a commit file. Actions and members that the protocol may add later are passed over. kCorrupt names
// the line.
Result<Commit> parse_commit(std::string_view bytes);
// What _last_checkpoint says.
struct CheckpointHint {
  Version version{-1};
  std::int64_t actions = 0;
  std::uint64_t bytes = 0;
  std::int64_t files = 0;
};
std::string format_hint(const CheckpointHint& hint);
Result<CheckpointHint> parse_hint(std::string_view bytes);

// Names below the table's folder: "_delta_log/00000000000000000007.json".
std::string commit_name(Version version);
std::string checkpoint_name(Version version);
inline constexpr std::string_view kLogFolder = "_delta_log/";
inline constexpr std::string_view kHintName = "_delta_log/_last_checkpoint";

// What a name in _delta_log is; anything unknown is nothing, and must be passed over.
struct LogName {
  enum class Kind { kCommit, kCheckpoint, kCheckpointPart, kCheckpointV2 } kind = Kind::kCommit;
  Version version{0};
  std::int64_t part = 1, parts = 1;
};
std::optional<LogName> parse_log_name(std::string_view name);
// The version that any file of a log begins its name with (also checksums and what others may add): 20 digits and a dot.
std::optional<Version> leading_version(std::string_view name);

}  // namespace pinflow::delta::internal
