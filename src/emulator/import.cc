#include <charconv>
#include <chrono>
#include <fstream>

#include <fmt/format.h>

#include "emulator/internal/table_store.h"
#include "emulator/source.h"
#include "records/raw_batch.h"

namespace pinflow::emulator {

namespace {

using internal::TableStore;

constexpr std::size_t kSliceBytes = std::size_t{8} << 20;
constexpr std::size_t kReasons = 10;

// 'YYYY-MM-DD HH:MM:SS', also with a T between, as the first form. Empty for what is no time of that form.
std::optional<std::string> read_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fits = kForm[i] == 'd'   ? text[i] >= '0' && text[i] <= '9'
                      : kForm[i] == ' ' ? text[i] == ' ' || text[i] == 'T'
                                        : text[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    unsigned value = 0;
    std::from_chars(text.data() + at, text.data() + at + size, value);
    return value;
  };
  using namespace std::chrono;
  const year_month_day date(year(static_cast<int>(number(0, 4))), month(number(5, 2)), day(number(8, 2)));
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
  std::string time(text);
  time[10] = ' ';
  return time;
}

// Copies row 0 of `from` to the end of `to`, or says why it cannot; then the batch is unchanged.
std::optional<std::string> copy_row(const ColumnBatch& from, ColumnBatch& to) {
  std::optional<std::string> time;
  for (const Column& column : to.columns()) {
    if (!internal::is_time_column(column.name())) continue;
    const Column& read = from.columns()[static_cast<std::size_t>(&column - to.columns().data())];
    if (read.is_null(0)) continue;
    time = read_time(read.text_at(0));
    if (!time) return fmt::format("member '{}' is not a time like 2022-10-19 17:54:26", column.name());
  }
  for (std::size_t i = 0; i < to.columns().size(); ++i) {
    const Column& read = from.columns()[i];
    Column& column = to.column(i);
    if (read.is_null(0)) {
      column.append_null();
    } else if (column.type() == ColumnType::kText) {
      column.append_text(internal::is_time_column(column.name()) ? std::string_view(*time) : read.text_at(0));
    } else if (column.type() == ColumnType::kDouble) {
      column.append_double(read.double_at(0));
    } else {
      column.append_integer(read.integer_at(0));
    }
  }
  return std::nullopt;
}

// Loads one file of one kind. A value for one import.
class Importer final {
 public:
  Importer(TableStore& store, const FillOptions& options, ImportReport& report)
      : store_(store), options_(options), report_(report) {}

  Result<void> load(std::size_t k, const std::filesystem::path& path, std::ifstream& file) {
    const records::Kind kind = records::kKinds[k];
    records::RawBatch one(kind);
    ColumnBatch rows(records::raw_columns(kind));
    std::string line;
    for (std::int64_t number = 1; std::getline(file, line); ++number) {
      if (options_.stop.stop_requested()) return fail(ErrorCode::kCancelled, "importing was stopped");
      if (line.empty() || line == "\r") continue;
      one.clear();
      const auto added = one.add(line, {.topic = "import", .offset = number});
      const std::optional<std::string> reason = added ? copy_row(one.batch(), rows) : added.error().message;
      if (reason) {
        ++report_.refused;
        if (report_.reasons.size() < kReasons) {
          report_.reasons.push_back(fmt::format("{}, line {}: {}", path.filename().string(), number, *reason));
        }
        continue;
      }
      ++report_.rows[k];
      if (rows.memory() >= kSliceBytes) TRY(flush(kind, rows));
    }
    if (file.bad())
      return fail(ErrorCode::kUnavailable, fmt::format("reading {} failed; check the disk", path.string()));
    return flush(kind, rows);
  }

 private:
  Result<void> flush(records::Kind kind, ColumnBatch& rows) {
    if (rows.rows() == 0) return {};
    TRY(store_.insert(kind, rows));
    rows.clear();
    std::int64_t all = report_.refused;
    for (const std::int64_t count : report_.rows) all += count;
    if (options_.progress) options_.progress(all);
    return {};
  }

  TableStore& store_;
  const FillOptions& options_;
  ImportReport& report_;
};

}  // namespace

Result<ImportReport> import_source(const std::string& location, const std::filesystem::path& folder,
                                   const FillOptions& options) {
  std::array<std::ifstream, records::kKinds.size()> files;
  std::array<std::filesystem::path, records::kKinds.size()> paths;
  bool any = false;
  for (std::size_t k = 0; k < files.size(); ++k) {
    paths[k] = folder / fmt::format("{}.jsonl", records::to_string(records::kKinds[k]));
    std::error_code error;
    if (!std::filesystem::exists(paths[k], error)) continue;
    files[k].open(paths[k], std::ios::binary);
    if (!files[k]) {
      return fail(ErrorCode::kUnavailable, fmt::format("cannot read {}; check its permissions", paths[k].string()));
    }
    any = true;
  }
  if (!any) {
    return fail(ErrorCode::kNotFound,
                fmt::format("the folder {} has none of pin.jsonl, geo.jsonl and user.jsonl", folder.string()));
  }
  TRY_ASSIGN(auto store, internal::open_empty_store(location, options.replace));
  ImportReport report;
  Importer importer(*store, options, report);
  for (std::size_t k = 0; k < files.size(); ++k) {
    if (files[k].is_open()) TRY(importer.load(k, paths[k], files[k]));
  }
  TRY(store->commit());
  return report;
}

}  // namespace pinflow::emulator
