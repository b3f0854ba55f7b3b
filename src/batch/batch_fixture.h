#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/batch_job.h"
#include "batch/published.h"
#include "batch/questions.h"
#include "batch/testing/recorded_posts.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "sink/object_line.h"
#include "sink/object_name.h"
#include "sink/plan.h"

namespace pinflow::batch {

// A data folder with sunk objects, and the batch over it.
class BatchFixture : public ::testing::Test {
 protected:
  BatchFixture() : disk_(disk::make_real_disk()), statements_(sql::Statements::load(std::nullopt).value()) {
    // In memory where there is such a file system: each run makes a hundred syncs, and none is needed here.
    const std::filesystem::path temporary = std::filesystem::exists("/dev/shm")
                                                ? std::filesystem::path("/dev/shm")
                                                : std::filesystem::temp_directory_path();
    std::string pattern = (temporary / "pinflow_batch_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    objects_ = objects::open_folder_store(*disk_, folder_ / "objects").value();
    tables_ = objects::open_folder_store(*disk_, folder_ / "tables").value();
    engine_ = sql::open_engine({.folders = {folder_}}).value();
  }
  ~BatchFixture() override { std::filesystem::remove_all(folder_); }

  // Sinks lines into one object that begins where the last one of its partition ended.
  void sink(records::Kind kind, const std::vector<std::string>& lines, std::int32_t partition = 0) {
    const log::TopicPartition place{records::Names().topic(kind), log::PartitionId(partition)};
    if (folders_by_field_ && partition == kByFields) return sink_by_fields(place, lines);
    std::string bytes;
    for (const std::string& line : lines) bytes += line + "\n";
    std::int64_t& next = next_offset_[place];
    ASSERT_TRUE(objects_->put_new(sink::object_name(place, log::Offset(next)), bytes));
    next += static_cast<std::int64_t>(lines.size());
  }
  void sink(const std::vector<testing::Post>& posts) {
    for (const records::Kind kind : records::kKinds) {
      std::vector<std::string> lines;
      for (const testing::Post& post : posts) lines.push_back(testing::json_of(kind, post));
      sink(kind, lines);
    }
  }
  // Where a test asks for it, this partition is sunk below folders by plans, in pairs: a line waits in its folder while the next is put into
  // another one, and comes with the line after that.
  static constexpr std::int32_t kByFields = 2;
  void sink_by_fields(const log::TopicPartition& place, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      Folders& folders = folders_[place];
      const log::Offset offset(next_offset_[place]++);
      if (folders.waiting.empty()) {
        folders.waiting_at.append(offset);
        folders.waiting = line + "\n";
        continue;
      }
      sink::Plan plan{.number = ++folders.plans, .high = offset + 1, .open = {}, .objects = {}};
      sink::Plan::Object& object = plan.objects.emplace_back();
      std::string bytes = line + "\n";
      if (folders.plans % 2 == 1) {
        plan.open = folders.waiting_at;
      } else {
        object.offsets = std::exchange(folders.waiting_at, {});
        bytes = std::exchange(folders.waiting, {}) + bytes;
      }
      object.offsets.append(offset);
      object.name =
          sink::object_name({place, object.offsets.first(), fmt::format("folder={}", folders.plans % 2), {}, {}}, {});
      ASSERT_TRUE(sink::PlanBook(*objects_, place).add(plan));
      ASSERT_TRUE(objects_->put_new(object.name, bytes));
    }
  }
  static std::vector<testing::Post> posts(std::int64_t count) {
    std::vector<testing::Post> posts;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string person = std::to_string(i % 7);
      posts.push_back({.ind = i,
                       .category = i % 3 == 0 ? "art" : "quotes",
                       .poster = "poster " + person,
                       .followers = person + "k",
                       .country = i % 2 == 0 ? "Chad" : "Peru",
                       .first = "Person",
                       .last = person,
                       .age = static_cast<int>(20 + 5 * (i % 7)),
                       .joined = "2016-02-03 04:05:06"});
    }
    return posts;
  }

  BatchContext context() {
    return {*objects_, {*tables_, *engine_, clock_, random_, logger_}, *disk_, folder_ / "state", statements_, log_};
  }
  Result<BatchReport> try_run(const BatchOptions& options = {}, std::stop_token stop = {}) {
    BatchJob job(context(), options);
    auto ended = job.run(nullptr, std::move(stop));
    report_ = job.report();
    return ended;
  }
  BatchReport run(const BatchOptions& options = {}) {
    auto report = try_run(options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *std::move(report) : BatchReport();
  }

  std::vector<std::string> rows_of(const std::string& table, const std::string& columns, const std::string& order) {
    return rows_at(table, delta::read_snapshot(*tables_, *engine_, table)->version, columns, order);
  }
  std::vector<std::string> rows_at(const std::string& table, delta::Version version, const std::string& columns,
                                   const std::string& order) {
    const delta::Snapshot snapshot = delta::read_snapshot(*tables_, *engine_, table, version).value();
    const std::string select = delta::select_all(*tables_, table, snapshot).value();
    const auto answer =
        engine_->connect().value()->query(fmt::format("SELECT {} FROM ({}) ORDER BY {}", columns, select, order));
    EXPECT_TRUE(answer) << answer.error().message;
    std::vector<std::string> rows;
    for (const auto& cells : answer->rows) {
      std::string& row = rows.emplace_back();
      for (const sql::Value& cell : cells) row += (row.empty() ? "" : "|") + (cell.is_null() ? "null" : cell.to_text());
    }
    return rows;
  }
  std::map<std::string, std::string> stored_answers() {
    std::map<std::string, std::string> answers;
    for (const sql::Statement& question : statements_.in_folder("questions")) {
      const std::string name = question.name.substr(question.name.find('/') + 1);
      answers[name] = format_csv(read_answer(*tables_, *engine_, name).value());
    }
    return answers;
  }
  // All that a run leaves behind, as readers of its publication see it: each row of the model and of each answer.
  std::map<std::string, std::vector<std::string>> published_rows() {
    std::map<std::string, std::vector<std::string>> all;
    const Publication publication = read_publication(*tables_).value();
    for (const auto& [name, table] : publication.tables) {
      if (name.starts_with("batch_check")) continue;  // They tell of each run.
      const auto snapshot = delta::read_snapshot(*tables_, *engine_, name, table.version).value();
      EXPECT_EQ(snapshot.rows(), table.rows) << name;
      const std::string columns = name == "batch_dead_letters" ? "source_topic, source_partition, source_offset, reason"
                                                               : "* EXCLUDE (arrived_at)";
      const bool has_arrival =
          std::ranges::any_of(snapshot.schema, [](const delta::Field& field) { return field.name == "arrived_at"; });
      all[name] = rows_at(name, table.version, has_arrival ? columns : "*", "ALL");
    }
    return all;
  }
  std::size_t parquet_files() {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "tables"))
      files += entry.path().extension() == ".parquet" ? 1 : 0;
    return files;
  }

  std::filesystem::path folder_;
  BatchReport report_;  // Of the last run, also of one that failed.
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<objects::ObjectStore> objects_, tables_;
  std::unique_ptr<sql::Engine> engine_;
  sql::Statements statements_;
  ManualClock clock_;
  Random random_{5};
  NullLogger logger_;
  log::Log* log_ = nullptr;
  std::map<log::TopicPartition, std::int64_t> next_offset_;
  struct Folders {
    std::int64_t plans = 0;
    sink::OffsetRuns waiting_at;
    std::string waiting;
  };
  std::map<log::TopicPartition, Folders> folders_;
  bool folders_by_field_ = false;
};

}  // namespace pinflow::batch
