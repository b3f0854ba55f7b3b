#pragma once

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "log/log.h"

namespace pinflow::sink::testing {

// A log in memory for tests of its readers: topics, blocking fetches, groups, retention, gaps. Safe from any
// thread.
class MemoryLog final : public log::Log {
 public:
  // Appends one value to a partition, at the next offset.
  void append(const std::string& topic, std::int32_t partition, std::optional<std::string> value) {
    {
      const std::scoped_lock lock(mutex_);
      Partition& to = topics_.at(topic).partitions.at(static_cast<std::size_t>(partition));
      to.records.push_back(
          {log::Offset(to.end++), WallTime(std::chrono::milliseconds(1'700'000'000'000)), {}, std::move(value), {}});
    }
    grown_.notify_all();
  }
  // Leaves offsets out, as compaction and transaction markers do.
  void skip_offsets(const std::string& topic, std::int32_t partition, std::int64_t count) {
    const std::scoped_lock lock(mutex_);
    topics_.at(topic).partitions.at(static_cast<std::size_t>(partition)).end += count;
  }
  // Drops the records below an offset, as retention does.
  void drop_below(const std::string& topic, std::int32_t partition, std::int64_t begin) {
    const std::scoped_lock lock(mutex_);
    Partition& from = topics_.at(topic).partitions.at(static_cast<std::size_t>(partition));
    from.begin = begin;
    std::erase_if(from.records, [&](const auto& record) { return record.offset.value() < begin; });
  }
  std::int64_t fetches() const {
    const std::scoped_lock lock(mutex_);
    return fetches_;
  }

  Result<log::Topic> create_topic(const log::TopicSpec& spec) override {
    const std::scoped_lock lock(mutex_);
    if (topics_.contains(spec.name)) return fail(ErrorCode::kConflict, "the topic exists");
    Stored& made = topics_[spec.name];
    made.topic = {spec.name, Uuid::random(random_), spec.partitions, spec.configs};
    made.partitions.resize(static_cast<std::size_t>(spec.partitions));
    return made.topic;
  }
  Result<void> delete_topic(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    topics_.erase(name);
    for (auto& [group, offsets] : groups_)
      std::erase_if(offsets, [&](const auto& entry) { return entry.first.topic == name; });
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
    std::vector<log::Topic> all;
    for (const auto& [name, stored] : topics_) all.push_back(stored.topic);
    return all;
  }
  void produce(const std::string& topic, log::PartitionId partition, std::vector<log::Record> records,
               log::ProduceDone done) override {
    for (log::Record& record : records) append(topic, std::max(0, partition.value()), std::move(record.value));
    done({});
  }

  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    ++fetches_;
    std::vector<log::FetchedPartition> fetched;
    grown_.wait_for(lock, stop, request.max_wait, [&] {
      fetched = read(request);
      std::size_t bytes = 0, records = 0;
      bool failed = false;
      for (const auto& partition : fetched) {
        failed |= partition.error.has_value() || partition.records.empty();
        records += partition.records.size();
        for (const auto& record : partition.records) bytes += record.value.value_or("").size() + 1;
      }
      return failed || bytes >= request.min_bytes || records >= request.max_records;
    });
    return fetched;
  }
  Result<log::OffsetRange> offsets(const log::TopicPartition& name) override {
    const std::scoped_lock lock(mutex_);
    const Partition* partition = find(name);
    if (partition == nullptr) return fail(ErrorCode::kNotFound, "no such partition");
    return log::OffsetRange{log::Offset(partition->begin), log::Offset(partition->end)};
  }
  Result<void> commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets) override {
    const std::scoped_lock lock(mutex_);
    for (const auto& offset : offsets) groups_[group][offset.partition] = offset.offset;
    return {};
  }
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string& group) override {
    const std::scoped_lock lock(mutex_);
    std::vector<log::GroupOffset> all;
    for (const auto& [name, offset] : groups_[group]) all.push_back({name, offset});
    return all;
  }

 private:
  struct Partition {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::vector<log::StoredRecord> records;
  };
  struct Stored {
    log::Topic topic;
    std::vector<Partition> partitions;
  };

  const Partition* find(const log::TopicPartition& name) const {
    const auto found = topics_.find(name.topic);
    const auto index = static_cast<std::size_t>(name.partition.value());
    if (found == topics_.end() || index >= found->second.partitions.size()) return nullptr;
    return &found->second.partitions[index];
  }

  std::vector<log::FetchedPartition> read(const log::FetchRequest& request) const {
    std::vector<log::FetchedPartition> fetched;
    std::size_t bytes = 0, count = 0;
    for (const auto& [name, offset] : request.positions) {
      log::FetchedPartition entry{name, {}, {}, offset, {}};
      const Partition* partition = find(name);
      if (partition == nullptr) {
        entry.error = Error{ErrorCode::kNotFound, "no such partition"};
      } else if (offset.value() < partition->begin || offset.value() > partition->end) {
        entry.error = Error{ErrorCode::kInvalid, "offset out of range"};
      } else {
        entry.high_watermark = log::Offset(partition->end);
        auto at = std::ranges::lower_bound(partition->records, offset, {}, &log::StoredRecord::offset);
        for (;
             at != partition->records.end() && count < request.max_records && (bytes == 0 || bytes < request.max_bytes);
             ++at) {
          entry.records.push_back(*at);
          bytes += at->value.value_or("").size() + 1;
          ++count;
        }
        entry.next = at == partition->records.end() ? log::Offset(partition->end) : at->offset;
      }
      if (entry.error || entry.next > offset) fetched.push_back(std::move(entry));
    }
    return fetched;
  }

  mutable std::mutex mutex_;
  std::condition_variable_any grown_;
  Random random_{7};
  std::int64_t fetches_ = 0;
  std::map<std::string, Stored> topics_;
  std::map<std::string, std::map<log::TopicPartition, log::Offset>> groups_;
};

}  // namespace pinflow::sink::testing
