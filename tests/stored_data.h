#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "disk/disk.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::testing {

// A data folder read from outside, after pinflow stopped: log, objects and tables, each by its own reader.
class StoredData {
 public:
  explicit StoredData(const std::filesystem::path& folder);
  ~StoredData();

  // All record values of a topic by offset, all partitions one after the other; the test fails on gaps or damage.
  std::vector<std::string> topic(const std::string& name);
  // All lines of a topic's objects in order of offset; the test fails where objects overlap or leave a gap.
  std::vector<std::string> sunk(const std::string& topic);
  // Runs a SELECT in which {table} names stand for the current rows of Delta tables.
  sql::ResultTable query(std::string statement);
  // The first cell of the answer as an integer.
  std::int64_t count(const std::string& statement);

 private:
  SystemClock clock_;
  NullLogger logger_;
  std::filesystem::path folder_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<objects::ObjectStore> objects_;
  std::unique_ptr<objects::ObjectStore> tables_;
  std::unique_ptr<sql::Engine> engine_;
};

// Writes a query's answer as text, one row a line, for comparisons.
std::string as_text(const sql::ResultTable& table);

}  // namespace pinflow::testing
