#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "delta/table.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"

namespace pinflow::delta {

using namespace pinflow::literals;
namespace fs = std::filesystem;

// A store over another one, in which a test can let others come first, lose answers and break puts.
class StageStore final : public objects::ObjectStore {
 public:
  enum class Answer { kTrue, kLostAfterPut, kLostBeforePut };

  explicit StageStore(objects::ObjectStore& real) : real_(real) {}
  Result<void> put(const std::string& name, std::string_view bytes) override {
    if (refused_put == name) return fail(ErrorCode::kUnavailable, "no space");
    return real_.put(name, bytes);
  }
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    if (before_put_new) std::exchange(before_put_new, nullptr)();
    switch (std::exchange(answer, Answer::kTrue)) {
      case Answer::kTrue:
        return real_.put_new(name, bytes);
      case Answer::kLostBeforePut:
        return fail(ErrorCode::kUnknownOutcome, "no answer");
      case Answer::kLostAfterPut:
        TRY(real_.put_new(name, bytes));
        if (after_put_new) std::exchange(after_put_new, nullptr)();
        return fail(ErrorCode::kUnknownOutcome, "no answer");
    }
    return {};
  }
  Result<void> put_file(const std::string& name, const disk::Path& local) override {
    if (!refused_file.empty() && name.find(refused_file) != std::string::npos) {
      return fail(ErrorCode::kUnavailable, "no space");
    }
    return real_.put_file(name, local);
  }
  Result<std::string> get(const std::string& name) override {
    ++gets;
    return real_.get(name);
  }
  Result<objects::ObjectInfo> describe(const std::string& name) override { return real_.describe(name); }
  Result<std::vector<objects::ObjectInfo>> list(const std::string& prefix, const std::string& start_after,
                                                std::size_t limit) override {
    ++lists;
    return real_.list(prefix, start_after, limit);
  }
  Result<void> remove(const std::string& name) override { return real_.remove(name); }
  Result<disk::Path> local_copy(const std::string& name) override { return real_.local_copy(name); }
  Result<disk::Path> scratch(std::string_view suffix) override { return real_.scratch(suffix); }

  std::function<void()> before_put_new, after_put_new;
  Answer answer = Answer::kTrue;
  std::string refused_put;   // The name.
  std::string refused_file;  // A part of the name.
  int gets = 0, lists = 0;

 private:
  objects::ObjectStore& real_;
};

class DeltaTable : public testing::Test {
 protected:
  DeltaTable() {
    std::string pattern = (fs::temp_directory_path() / "pinflow_delta_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    disk_ = disk::make_real_disk();
    real_store_ = objects::open_folder_store(*disk_, folder_ / "tables").value();
    store_ = std::make_unique<StageStore>(*real_store_);
    engine_ = sql::open_engine({.memory_limit = 512_MiB}).value();
    session_ = engine_->connect().value();
  }
  ~DeltaTable() override { fs::remove_all(folder_); }

  TableContext context() { return {*store_, *engine_, clock_, random_, logger_}; }

  static TableSpec spec() {
    TableSpec spec;
    spec.name = "pins";
    spec.schema = {{"ind", "long"}, {"said", "string"}, {"spot", "array<double>"}, {"at", "timestamp"}};
    return spec;
  }
  std::unique_ptr<Table> open(const TableSpec& wanted = spec()) {
    auto table = open_table(context(), wanted);
    EXPECT_TRUE(table.has_value()) << table.error().message;
    return table ? *std::move(table) : nullptr;
  }
  // A SELECT of rows [from, to).
  static std::string rows(int from, int to) {
    return fmt::format(
        "SELECT n::BIGINT AS ind, CASE WHEN n % 3 = 0 THEN NULL ELSE 'said ' || n END AS said, "
        "[n / 2.0, NULL]::DOUBLE[] AS spot, make_timestamp(1700000000000000 + n * 1000001)::TIMESTAMPTZ AS at "
        "FROM range({}, {}) r(n)",
        from, to);
  }
  std::vector<DataFile> write(Table& table, const std::string& select) {
    auto files = table.write_files(*session_, select);
    EXPECT_TRUE(files.has_value()) << files.error().message;
    return files.value_or(std::vector<DataFile>{});
  }
  Version append(Table& table, int from, int to, std::vector<Transaction> transactions = {}) {
    auto version = table.append(write(table, rows(from, to)), transactions);
    EXPECT_TRUE(version.has_value()) << version.error().message;
    return version.value_or(Version(-1));
  }
  sql::ResultTable ask(const std::string& statement) {
    auto result = session_->query(statement);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result ? *std::move(result) : sql::ResultTable{};
  }
  Snapshot read() { return read_snapshot(*real_store_, *engine_, "pins").value(); }
  std::string all_rows() { return select_all(*real_store_, "pins", read()).value(); }
  void expect_rows(int from, int to) {
    EXPECT_EQ(ask(all_rows() + " ORDER BY ind").rows, ask(rows(from, to) + " ORDER BY ind").rows);
    EXPECT_EQ(read().rows(), to - from);
  }
  std::string log_file(int version) { return fmt::format("pins/_delta_log/{:020}.json", version); }
  std::string get(const std::string& name) { return real_store_->get(name).value(); }
  std::size_t data_files() {
    std::size_t count = 0;
    for (const auto& object : real_store_->list("pins/part-").value())
      count += object.name.ends_with(".parquet") ? 1 : 0;
    return count;
  }

  fs::path folder_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<objects::ObjectStore> real_store_;
  std::unique_ptr<StageStore> store_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  ManualClock clock_;
  Random random_{1};
  NullLogger logger_;
};

}  // namespace pinflow::delta
