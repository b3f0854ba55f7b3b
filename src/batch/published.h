#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delta/table.h"
#include "objects/object_store.h"

namespace pinflow::batch {

struct PublishedTable {
  delta::Version version;
  std::int64_t rows = 0;
  friend bool operator==(const PublishedTable&, const PublishedTable&) = default;
};

struct PublishedQuestion {
  std::string name;
  std::string description;
  std::vector<std::string> columns;
  std::string table;
  std::int64_t rows = 0;
  std::string run_id;  // Of the run that answered it; an older one where it failed since. Empty: it was never answered.
  std::string error;   // Why the published run could not answer it; empty where it did.
  friend bool operator==(const PublishedQuestion&, const PublishedQuestion&) = default;
};

struct PublishedCheck {
  std::string name;
  std::string description;
  bool stops = false;
  std::uint64_t findings = 0;
  std::string error;  // Why it could not run.
  friend bool operator==(const PublishedCheck&, const PublishedCheck&) = default;
};

// What readers see of the batch: the results of one run, each table in one version (docs/formats/batch-publication.md). A run writes its
// tables first and this record last, in one put; so a reader that reads the tables in these versions sees one run or the next and
// never a mix.
struct Publication {
  std::string run_id;
  WallTime started;
  WallTime finished;
  std::optional<WallTime> data_through;  // When the newest object was sunk that the run or one before it read.
  std::map<std::string, PublishedTable> tables;
  std::vector<PublishedQuestion> questions;  // Sorted by name.
  std::vector<PublishedCheck> checks;        // Sorted by name.
  friend bool operator==(const Publication&, const Publication&) = default;
};

// The name of the record in the store of tables.
inline constexpr std::string_view kPublicationName = "batch/published.json";

// Reads what the last run published. kNotFound: none has yet (with the command that does). kCorrupt: the record cannot be read, or is of a
// newer version of pinflow.
Result<Publication> read_publication(objects::ObjectStore& tables);
// Replaces it.
Result<void> publish(objects::ObjectStore& tables, const Publication& publication);

// One JSON document, and back.
std::string format_publication(const Publication& publication);
Result<Publication> parse_publication(std::string_view text);

}  // namespace pinflow::batch
