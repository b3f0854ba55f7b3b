#include "delta/pending_files.h"

#include <filesystem>
#include <iterator>
#include <utility>

#include "delta/internal/data_writer.h"

namespace pinflow::delta {

namespace {

// More at once would not be faster, and what they hold is on its way from memory.
constexpr std::size_t kAtOnce = 4;

}  // namespace

PendingFiles::PendingFiles(objects::ObjectStore& store, Logger& logger, std::string table)
    : store_(&store), logger_(&logger), table_(std::move(table)) {}

PendingFiles& PendingFiles::operator=(PendingFiles&& other) noexcept {
  std::swap(store_, other.store_);
  std::swap(logger_, other.logger_);
  std::swap(table_, other.table_);
  std::swap(puts_, other.puts_);
  return *this;
}

PendingFiles::~PendingFiles() {
  const auto files = take();
  if (!files) return;
  for (const DataFile& file : *files) discard(file);
}

void PendingFiles::put(DataFile file, disk::Path local) {
  if (puts_.size() >= kAtOnce) puts_[puts_.size() - kAtOnce].done.wait();
  const std::string object = table_ + "/" + file.path;
  auto done = std::async(std::launch::async, [store = store_, object, local = std::move(local)]() -> Result<void> {
    auto put = store->put_file(object, local);
    std::error_code ignored;
    // The store took the file, or nobody will.
    if (!put) std::filesystem::remove(local, ignored);
    return put;
  });
  puts_.push_back({std::move(file), std::move(done)});
}

void PendingFiles::add(PendingFiles&& others) {
  std::ranges::move(others.puts_, std::back_inserter(puts_));
  others.puts_.clear();
}

Result<std::vector<DataFile>> PendingFiles::take() {
  std::vector<DataFile> files;
  Result<void> all;
  for (Put& put : std::exchange(puts_, {})) {
    auto done = put.done.get();
    if (done || done.error().code == ErrorCode::kUnknownOutcome) files.push_back(std::move(put.file));
    if (!done && all) all = std::move(done);
  }
  if (all) return files;
  for (const DataFile& file : files) discard(file);
  return fail(std::move(all).error().with_context("table " + table_));
}

std::int64_t PendingFiles::rows() const {
  std::int64_t rows = 0;
  for (const Put& put : puts_) rows += put.file.rows;
  return rows;
}

void PendingFiles::discard(const DataFile& file) {
  internal::discard_file(*store_, *logger_, table_, file);
}

}  // namespace pinflow::delta
