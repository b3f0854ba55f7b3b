#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"

namespace pinflow::doors {

// A log in memory for the tests of the doors. It answers produce at once on the caller's thread, fails what it is told to fail,
// and forgets everything at its end. Safe from any thread.
class FakeLog final : public log::Log {
 public:
  // Each of the next records fails with the error at the front, if there is one.
  std::vector<std::optional<Error>> next_outcomes;
  // Holds the `done` of a produce until release().
  bool hold = false;

  void add_topic(const std::string& name, std::int32_t partitions,
                 std::vector<std::pair<std::string, std::string>> configs = {}) {
    (void)create_topic({name, partitions, std::move(configs)});
  }
  std::vector<log::StoredRecord> records(const std::string& topic, std::int32_t partition = 0) {
    const std::scoped_lock lock(mutex_);
    return topics_.at(topic).partitions.at(static_cast<std::size_t>(partition));
  }
  std::size_t produce_calls() const { return produce_calls_; }
  void release() {
    for (auto& [done, results] : std::exchange(held_, {})) done(std::move(results));
  }

  Result<log::Topic> create_topic(const log::TopicSpec& spec) override {
    const std::scoped_lock lock(mutex_);
    if (topics_.contains(spec.name)) return fail(ErrorCode::kConflict, "topic exists");
    Stored stored;
    stored.topic = {spec.name, Uuid{}, spec.partitions, spec.configs};
    stored.topic.id.bytes[0] = static_cast<std::uint8_t>(++created_);
    stored.partitions.resize(static_cast<std::size_t>(spec.partitions));
    return topics_.emplace(spec.name, std::move(stored)).first->second.topic;
  }
  Result<void> delete_topic(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    if (topics_.erase(name) == 0) return fail(ErrorCode::kNotFound, "no such topic");
    return {};
  }
  Result<log::Topic> topic(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    return found->second.topic;
  }
  std::vector<log::Topic> topics() override {
    const std::scoped_lock lock(mutex_);
    std::vector<log::Topic> out;
    for (const auto& [name, stored] : topics_) out.push_back(stored.topic);
    return out;
  }
  void produce(const std::string& topic, log::PartitionId partition, std::vector<log::Record> records,
               log::ProduceDone done) override {
    ++produce_calls_;
    std::vector<Result<log::Appended>> results;
    {
      const std::scoped_lock lock(mutex_);
      for (auto& record : records) results.push_back(append(topic, partition, std::move(record)));
    }
    if (hold) {
      held_.emplace_back(std::move(done), std::move(results));
    } else {
      done(std::move(results));
    }
  }
  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token) override {
    const std::scoped_lock lock(mutex_);
    std::vector<log::FetchedPartition> out;
    std::size_t taken = 0;
    for (const auto& [partition, offset] : request.positions) {
      const auto found = topics_.find(partition.topic);
      if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
      const auto& all = found->second.partitions.at(static_cast<std::size_t>(partition.partition.value()));
      log::FetchedPartition fetched{partition, log::Offset(static_cast<std::int64_t>(all.size())), {}, offset, {}};
      for (const auto& record : all) {
        if (record.offset >= offset && taken < request.max_records) {
          fetched.records.push_back(record);
          fetched.next = record.offset + 1;
          ++taken;
        }
      }
      if (!fetched.records.empty()) out.push_back(std::move(fetched));
    }
    return out;
  }
  Result<log::OffsetRange> offsets(const log::TopicPartition& partition) override {
    const std::scoped_lock lock(mutex_);
    const auto& all = topics_.at(partition.topic).partitions.at(static_cast<std::size_t>(partition.partition.value()));
    return log::OffsetRange{log::Offset(0), log::Offset(static_cast<std::int64_t>(all.size()))};
  }
  Result<void> commit_offsets(const std::string&, const std::vector<log::GroupOffset>&) override { return {}; }
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string&) override {
    return std::vector<log::GroupOffset>();
  }

 private:
  struct Stored {
    log::Topic topic;
    std::vector<std::vector<log::StoredRecord>> partitions;
  };

  Result<log::Appended> append(const std::string& topic, log::PartitionId partition, log::Record record) {
    if (!next_outcomes.empty()) {
      const auto outcome = next_outcomes.front();
      next_outcomes.erase(next_outcomes.begin());
      if (outcome) return fail(*outcome);
    }
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    auto& partitions = found->second.partitions;
    const std::size_t index = partition != log::kAnyPartition ? static_cast<std::size_t>(partition.value())
                              : record.key ? std::hash<std::string>()(*record.key) % partitions.size()
                                           : 0;
    auto& records = partitions.at(index);
    const log::Offset offset(static_cast<std::int64_t>(records.size()));
    records.push_back({offset, record.timestamp.value_or(WallTime()), std::move(record.key), std::move(record.value),
                       std::move(record.headers)});
    return log::Appended{log::PartitionId(static_cast<std::int32_t>(index)), offset};
  }

  std::mutex mutex_;
  std::map<std::string, Stored> topics_;
  std::vector<std::pair<log::ProduceDone, std::vector<Result<log::Appended>>>> held_;
  std::size_t produce_calls_ = 0;
  int created_ = 0;
};

}  // namespace pinflow::doors
