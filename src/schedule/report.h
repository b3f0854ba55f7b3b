#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinflow::schedule {

// The log's offsets beside those that were taken in; offsets = taken + waiting + gone.
struct LogCounts {
  std::int64_t offsets = 0, taken = 0, waiting = 0, gone = 0;
  friend bool operator==(const LogCounts&, const LogCounts&) = default;
};

// What a run of the batch read, dropped, merged and wrote, as its history keeps it. Of a run that failed: the steps that it reached.
struct Report {
  struct Kind {
    std::string kind;  // pin, geo or user.
    std::int64_t records = 0, added = 0, repeats = 0, replaced = 0, dead_letters = 0, rows = 0;
    friend bool operator==(const Kind&, const Kind&) = default;
  };
  struct Check {
    std::string check;
    bool stops = false;
    std::int64_t findings = 0;
    friend bool operator==(const Check&, const Check&) = default;
  };
  struct Failure {
    std::string statement;
    std::string error;
    friend bool operator==(const Failure&, const Failure&) = default;
  };
  using Counts = std::vector<std::pair<std::string, std::int64_t>>;

  std::string batch_run;  // The id that tables and answers carry.
  bool published = false;
  std::int64_t objects = 0, bytes = 0, skipped_objects = 0;
  std::optional<LogCounts> log;  // None: the process that ran it has no log.
  std::vector<Kind> kinds;
  Counts reasons;  // Why records became dead letters, and how many.
  Counts tables;   // Rows after the run.
  std::vector<Check> checks;
  std::vector<Failure> failures;  // Questions and checks that could not run.
  friend bool operator==(const Report&, const Report&) = default;
};

// The values of the fields of a line that carry the report, in order: {"table", "9\tbatch_pin"} (docs/formats/schedule.md).
std::vector<std::pair<std::string_view, std::string>> report_fields(const Report& report);
// Takes in one such field. False: it is damaged. `key` must be one of a report.
bool take_report_field(Report& report, std::string_view key, std::string_view value);
bool is_report_field(std::string_view key);

}  // namespace pinflow::schedule
