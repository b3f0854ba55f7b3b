#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "delta/table.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "query/query_runner.h"

namespace pinflow::query {

// Logs nothing but what a test asks for afterwards.
class LastLine final : public Logger {
 public:
  void write(Severity, std::string_view message, std::span<const LogField> fields) override {
    std::string line(message);
    for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, field.value);
    const std::scoped_lock lock(mutex_);
    line_ = std::move(line);
  }
  std::string line() const {
    const std::scoped_lock lock(mutex_);
    return line_;
  }

 private:
  mutable std::mutex mutex_;
  std::string line_;
};

// Tables in a folder of their own, and a runner over them whose worker is this test's program (query_runner_test.cc).
class QueryFixture : public ::testing::Test {
 protected:
  QueryFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-query-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    disk_ = disk::make_real_disk();
    EXPECT_TRUE(disk_->create_folders(root_ / "tables"));
    store_ = objects::open_folder_store(*disk_, root_ / "tables").value();
    sql::EngineOptions options;
    options.folders = {root_ / "tables"};
    engine_ = sql::open_engine(options).value();
    statements_ = sql::Statements::load(std::nullopt).value();
    options_.scratch = root_ / "scratch";
    options_.folders = {root_ / "tables"};
  }
  ~QueryFixture() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  delta::TableContext context() { return {*store_, *engine_, clock_, random_, logger_}; }

  // Makes a table with the columns that `select` gives, and its rows.
  void make(delta::TableSpec spec, const std::string& select) {
    const auto table = delta::open_table(context(), spec).value();
    const auto session = engine_->connect().value();
    ASSERT_TRUE(table->append(table->write_files(*session, select).value(), {}).has_value());
  }

  Result<QueryAnswer> ask(const std::string& sql, AnswerFormat format = AnswerFormat::kCsv,
                          const std::stop_token& stop = {}, ReadAt read_at = {}) {
    QueryRunner runner(options_, {*store_, *engine_, statements_, names_, clock_, logger_});
    return runner.run({sql, format, std::move(read_at), "tester"}, stop);
  }

  std::filesystem::path root_;
  SystemClock clock_;
  Random random_{7};
  LastLine logger_;
  records::Names names_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<objects::ObjectStore> store_;
  std::unique_ptr<sql::Engine> engine_;
  sql::Statements statements_;
  RunnerOptions options_;
};

}  // namespace pinflow::query
