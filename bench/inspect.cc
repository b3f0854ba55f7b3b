#include "inspect.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "child.h"
#include "http/client.h"

namespace pinflow::bench {

namespace {

// The number behind `mark`, searched from `from` on.
std::optional<std::int64_t> number_behind(std::string_view text, std::string_view mark, std::size_t from = 0) {
  const std::size_t at = text.find(mark, from);
  if (at == text.npos) return std::nullopt;
  std::int64_t number = 0;
  const char* begin = text.data() + at + mark.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The last name in a folder, in order of the alphabet, among those with this ending.
std::string last_name(const std::filesystem::path& folder, std::string_view ending) {
  std::string last;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(ending) && name.front() != '.' && name.front() != '_') last = std::max(last, name);
  }
  return last;
}

}  // namespace

Result<std::int64_t> end_offset(std::uint16_t port, const std::string& topic) {
  const auto client = http::make_client({.host = "127.0.0.1", .port = port, .prefix = ""}, std::chrono::seconds(10));
  http::Request request;
  request.method = "GET";
  request.target = "/topics/" + topic + "/partitions/0/offsets";
  TRY_ASSIGN(const http::Response response, client->send(request));
  const auto end = number_behind(response.body, R"("end_offset":)");
  if (response.status != 200 || !end) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} answered {}: {}", request.target, response.status, response.body));
  }
  return *end;
}

std::int64_t committed_end(const std::filesystem::path& table) {
  const std::filesystem::path log = table / "_delta_log";
  const std::string name = last_name(log, ".json");
  if (name.size() != 25) return 0;  // 20 digits and ".json".
  const std::string commit = read_file(log / name);
  const std::size_t transaction = commit.find(R"("txn":)");
  if (transaction == std::string::npos) return 0;
  return number_behind(commit, R"("version":)", transaction).value_or(-1) + 1;
}

std::int64_t sunk_end(const std::filesystem::path& data, const std::string& topic) {
  const std::filesystem::path folder = data / "objects" / "topics" / topic / "partition=0";
  const std::string name = last_name(folder, ".json");
  const auto first = number_behind(name, "+0+");
  if (!first) return 0;
  const std::string lines = read_file(folder / name);
  return *first + std::ranges::count(lines, '\n');
}

Result<std::int64_t> table_rows(const std::filesystem::path& program, const std::filesystem::path& data,
                                const std::string& table) {
  TRY_ASSIGN(const Finished tables, run_program(program, {"tables", "--format", "json", "--data", data.string()},
                                                data.string() + ".log", std::chrono::seconds(60)));
  const std::size_t at = tables.printed.find(fmt::format(R"("table":"{}")", table));
  if (at == std::string::npos) return fail(ErrorCode::kNotFound, fmt::format("there is no table {}", table));
  return number_behind(tables.printed, R"("rows":)", at).value_or(-1);
}

}  // namespace pinflow::bench
