#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/engine.h"

namespace pinflow::batch::internal {

// What the driver of another engine says of its run (docs/formats/spark-job.md). The rows themselves are in the tables.
struct RemoteResult {
  struct Check {
    std::string name;  // "checks/category_drift".
    std::uint64_t findings = 0;
    sql::ResultTable sample;
  };
  struct Failure {
    std::string statement;
    std::string error;
  };
  struct ObjectLines {
    std::uint64_t lines = 0, letters = 0;
  };
  std::string run_id;
  std::string error;                                  // Why there is nothing else.
  std::map<std::string, std::uint64_t> cleaned_rows;  // By kind.
  std::map<std::tuple<std::string, std::int64_t, std::int64_t>, ObjectLines>
      objects;  // By topic, partition and first offset.
  std::vector<std::pair<std::string, std::uint64_t>> reasons;
  std::vector<Check> checks;
  std::map<std::string, std::vector<std::string>> questions;  // Those that were answered, with their columns.
  std::vector<Failure> failures;
};

// The driver, as it is carried in the program.
std::string_view driver_text();

// kCorrupt: it cannot be read.
Result<RemoteResult> parse_remote_result(std::string_view text);

}  // namespace pinflow::batch::internal
