#include "stored_data.h"

#include <algorithm>
#include <sstream>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "delta/table.h"
#include "disk/real_disk.h"
#include "log/embedded_log.h"
#include "objects/folder_store.h"

namespace pinflow::testing {

StoredData::StoredData(const std::filesystem::path& folder) : folder_(folder), disk_(disk::make_real_disk()) {
  objects_ = std::move(objects::open_folder_store(*disk_, folder / "objects").value());
  tables_ = std::move(objects::open_folder_store(*disk_, folder / "tables").value());
  engine_ = std::move(sql::open_engine({}).value());
}
StoredData::~StoredData() = default;

std::vector<std::string> StoredData::topic(const std::string& name) {
  log::EmbeddedLogOptions options;
  options.folder = folder_ / "log";
  options.read_only = true;
  const auto log = log::open_embedded_log(options, *disk_, clock_, logger_);
  EXPECT_TRUE(log) << (log ? "" : log.error().message);
  std::vector<std::string> values;
  if (!log) return values;
  const auto topic = (*log)->topic(name);
  EXPECT_TRUE(topic) << name;
  for (std::int32_t partition = 0; topic && partition < topic->partitions; ++partition) {
    log::Offset next(0);
    for (;;) {
      log::FetchRequest request;
      request.positions = {{{name, log::PartitionId(partition)}, next}};
      const auto fetched = (*log)->fetch(request, {});
      EXPECT_TRUE(fetched) << (fetched ? "" : fetched.error().message);
      if (!fetched || fetched->empty() || fetched->front().records.empty()) break;
      EXPECT_FALSE(fetched->front().error);
      for (const log::StoredRecord& record : fetched->front().records) {
        EXPECT_EQ(record.offset, next);
        next = record.offset + 1;
        values.push_back(record.value.value_or("null"));
      }
    }
  }
  return values;
}

std::vector<std::string> StoredData::sunk(const std::string& topic) {
  std::vector<std::string> lines;
  const auto objects = objects_->list(fmt::format("topics/{}/partition=0/", topic));
  EXPECT_TRUE(objects) << (objects ? "" : objects.error().message);
  for (const objects::ObjectInfo& object : *objects) {
    const std::string expected = fmt::format("topics/{0}/partition=0/{0}+0+{1:010}.json", topic, lines.size());
    EXPECT_EQ(object.name, expected) << "objects overlap or leave a gap";
    std::istringstream text(objects_->get(object.name).value());
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  return lines;
}

sql::ResultTable StoredData::query(std::string statement) {
  for (std::size_t at = 0; (at = statement.find('{', at)) != std::string::npos;) {
    const std::size_t end = statement.find('}', at);
    const std::string name = statement.substr(at + 1, end - at - 1);
    const auto snapshot = delta::read_snapshot(*tables_, *engine_, name);
    EXPECT_TRUE(snapshot) << name << ": " << (snapshot ? "" : snapshot.error().message);
    if (!snapshot) return {};
    const std::string rows = "(" + delta::select_all(*tables_, name, *snapshot).value() + ")";
    statement.replace(at, end - at + 1, rows);
    at += rows.size();
  }
  const auto connection = std::move(engine_->connect().value());
  auto answer = connection->query(statement);
  EXPECT_TRUE(answer) << (answer ? "" : answer.error().message);
  return answer ? std::move(*answer) : sql::ResultTable{};
}

std::int64_t StoredData::count(const std::string& statement) {
  const sql::ResultTable answer = query(statement);
  if (answer.rows.empty()) return -1;
  return std::get<std::int64_t>(answer.rows[0][0].data);
}

std::string as_text(const sql::ResultTable& table) {
  std::string text;
  for (const auto& row : table.rows) {
    for (const sql::Value& value : row) text += value.to_text() + "\t";
    text += "\n";
  }
  return text;
}

}  // namespace pinflow::testing
