#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "records/kind.h"
#include "records/synthetic.h"

namespace pinflow::emulator {

// One post as it will be sent: the JSON of its records, in the order of records::kKinds. A kind of which the source has no row
// for this post is empty.
struct Post {
  std::int64_t index = 0;
  std::array<std::string, records::kKinds.size()> records;
};

// What a source holds, counted when it is opened.
struct SourceExtent {
  std::int64_t posts = 0;        // With a row in at least one table.
  std::int64_t first_index = 0;  // Indices may have gaps.
  std::int64_t end_index = 0;    // One past the last.
};

// The tables that posts are taken from: pinterest_data, geolocation_data and user_data, in a DuckDB file or in MySQL or MariaDB. Used
// by one thread at a time. Memory: the posts of one call.
class Source {
 public:
  virtual ~Source() = default;
  virtual const SourceExtent& extent() const = 0;
  // The posts with first <= index < end, in order of index.
  virtual Result<std::vector<Post>> read(std::int64_t first, std::int64_t end) = 0;
  // The posts of the named indices, in their order, repeated where they are; indices of no post are left out.
  virtual Result<std::vector<Post>> pick(std::span<const std::int64_t> indices) = 0;
};

// A source is named by the path of a DuckDB file or by mysql://user[:password]@host[:port]/database (mariadb:// is the same), with
// ?ssl-mode=required or ?ssl-ca=FILE behind it for an encrypted connection. Parts of
// a URL may be percent-encoded. Without a password in the URL, that of the environment variable PINFLOW_SOURCE_PASSWORD is used.
// Errors never show it. True for URLs.
bool is_database_url(std::string_view location);

// Opens a source for reading. kNotFound: no file or table of that name; the message says how to make it. kUnavailable: the
// server cannot be reached or refuses the user.
Result<std::unique_ptr<Source>> open_source(const std::string& location);

struct FillOptions {
  bool replace = false;  // Drop tables of these names that are there; otherwise they are a kConflict.
  std::stop_token stop = {};
  std::function<void(std::int64_t rows)> progress = {};  // Posts or lines done so far, after each slice.
};

// Makes the tables and fills them with the synthetic data set. A DuckDB file changes all at once or not at all; a MySQL
// server may be left with a part, which the next call replaces when told to.
Result<SourceExtent> create_source(const std::string& location, const records::SyntheticOptions& synthetic,
                                   const FillOptions& options);

struct ImportReport {
  std::array<std::int64_t, records::kKinds.size()> rows{};  // By records::kKinds.
  std::int64_t refused = 0;                                 // Lines that are no record of their kind.
  std::vector<std::string> reasons;                         // Of the first ten, with file and line.
};

// Makes the tables and fills them from the files pin.jsonl, geo.jsonl and user.jsonl of a folder, one record a line. The kinds
// need not have the same rows; a missing file is an empty table, but one must be there.
Result<ImportReport> import_source(const std::string& location, const std::filesystem::path& folder,
                                   const FillOptions& options);

}  // namespace pinflow::emulator
