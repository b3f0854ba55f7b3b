#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinflow::bench {

// One line of the table: what was measured in each run, and the median of the runs.
struct Measure {
  std::string name;
  std::string unit;
  std::vector<double> runs;
  std::vector<std::pair<std::string, double>> details{};  // "p99 ms", 3.1
  double median() const;
};

double median_of(std::vector<double> values);

// All measures with the machine that they hold for. Each is printed when it is added, so a person sees it grow.
class Report {
 public:
  // Measures the disk that holds `folder` too: what an fsync costs there decides most figures.
  explicit Report(const std::filesystem::path& folder);
  void add(Measure measure);
  // A measurement that failed or whose outcome was wrong; the program then ends with exit code 1.
  void fail(std::string_view name, std::string_view why);
  bool failed() const { return !failures_.empty(); }
  Result<void> write_json(const std::filesystem::path& path) const;

 private:
  std::vector<std::pair<std::string, std::string>> machine_;
  std::vector<Measure> measures_;
  std::vector<std::pair<std::string, std::string>> failures_;
};

}  // namespace pinflow::bench
