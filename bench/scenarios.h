#pragma once

#include <chrono>
#include <filesystem>

#include "base/result.h"
#include "report.h"

namespace pinflow::bench {

struct Plan {
  std::filesystem::path program;  // pinflow
  std::filesystem::path folder;   // For data folders; removed at the end.
  int runs = 3;
  bool small = false;
  std::chrono::milliseconds load_duration{3'000};
};

// Each runs the program as a user does, adds its measures to the report and notes what came out wrong. An error is a
// failure to measure at all.
Result<void> measure_start(const Plan& plan, Report& report);
Result<void> measure_posting(const Plan& plan, Report& report);
Result<void> measure_stream(const Plan& plan, Report& report);
Result<void> measure_batch(const Plan& plan, Report& report);
Result<void> measure_freshness(const Plan& plan, Report& report);
Result<void> measure_ranking(const Plan& plan, Report& report);

}  // namespace pinflow::bench
