#include "report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow::bench {

namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown";
}

// Median milliseconds of appending 4 KiB and fdatasync.
double sync_milliseconds(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "sync-probe";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return 0;
  const std::string block(4096, 'x');
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (::write(file, block.data(), block.size()) < 0 || ::fdatasync(file) != 0) break;
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  ::close(file);
  std::filesystem::remove(path);
  return median_of(times);
}

std::string number(double value) {
  if (value >= 1'000) return fmt::format("{:.0f}", value);
  if (value >= 100) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double Measure::median() const {
  return median_of(runs);
}

Report::Report(const std::filesystem::path& folder) {
  utsname system{};
  ::uname(&system);
  struct sysinfo memory{};
  ::sysinfo(&memory);
  machine_ = {{"time", format_iso8601(SystemClock().now())},
              {"version", PINFLOW_VERSION},
              {"processor", processor()},
              {"cores", std::to_string(std::thread::hardware_concurrency())},
              {"memory", fmt::format("{} MiB", memory.totalram * memory.mem_unit >> 20)},
              {"kernel", fmt::format("{} {}", system.sysname, system.release)},
              {"fdatasync of 4 KiB", fmt::format("{:.3f} ms (median of 200)", sync_milliseconds(folder))}};
  for (const auto& [name, value] : machine_) fmt::print("{:<20}{}\n", name, value);
  fmt::print("\n{:<52}{:>12}  {:<10}  {}\n", "measure", "median", "unit", "details");
  std::fflush(stdout);
}

void Report::add(Measure measure) {
  std::string details;
  for (const auto& [name, value] : measure.details) details += fmt::format("{} {}   ", name, number(value));
  if (measure.runs.size() > 1) {
    const auto [least, most] = std::ranges::minmax(measure.runs);
    details += fmt::format("[{} .. {}]", number(least), number(most));
  }
  fmt::print("{:<52}{:>12}  {:<10}  {}\n", measure.name, number(measure.median()), measure.unit, details);
  std::fflush(stdout);
  measures_.push_back(std::move(measure));
}

void Report::fail(std::string_view name, std::string_view why) {
  fmt::print("{:<52}{:>12}  {}\n", name, "FAILED", why);
  std::fflush(stdout);
  failures_.emplace_back(name, why);
}

Result<void> Report::write_json(const std::filesystem::path& path) const {
  JsonWriter json;
  json.begin_object().key("machine").begin_object();
  for (const auto& [name, value] : machine_) json.key(name).string(value);
  json.end_object().key("measures").begin_array();
  for (const Measure& measure : measures_) {
    json.begin_object().key("name").string(measure.name).key("unit").string(measure.unit);
    json.key("median").number(measure.median()).key("runs").begin_array();
    for (const double run : measure.runs) json.number(run);
    json.end_array().key("details").begin_object();
    for (const auto& [name, value] : measure.details) json.key(name).number(value);
    json.end_object().end_object();
  }
  json.end_array().key("failures").begin_array();
  for (const auto& [name, why] : failures_)
    json.begin_object().key("name").string(name).key("why").string(why).end_object();
  json.end_array().end_object();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << std::move(json).take() << '\n';
  file.close();
  if (!file) return pinflow::fail(ErrorCode::kUnavailable, "cannot write " + path.string());
  return {};
}

}  // namespace pinflow::bench
