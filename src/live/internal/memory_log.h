#pragma once

#include <condition_variable>
#include <map>
#include <mutex>

#include "base/random.h"
#include "log/log.h"

namespace pinflow::live {

// A Log in memory for the tests of this module, with the faults that they need. What is appended is durable
// at once. Groups and produce are not there: only what a reader calls. Safe from any thread.
class MemoryLog final : public log::Log {
 public:
  // Appends JSON texts (or nulls) to one partition of a topic, making both if they are not there. Returns the
  // end offset.
  log::Offset append(const std::string& topic, std::vector<std::optional<std::string>> values, WallTime time,
                     std::int32_t partition = 0) {
    const std::scoped_lock lock(mutex_);
    auto [entry, is_new] = topics_.try_emplace(topic);
    if (is_new) entry->second.id = Uuid::random(random_);
    auto& partitions = entry->second.partitions;
    if (partitions.size() <= static_cast<std::size_t>(partition))
      partitions.resize(static_cast<std::size_t>(partition) + 1);
    auto& records = partitions[static_cast<std::size_t>(partition)].records;
    for (auto& value : values) {
      const log::Offset offset(static_cast<std::int64_t>(records.size()));
      records.push_back({.offset = offset, .timestamp = time, .key = {}, .value = std::move(value), .headers = {}});
    }
    changed_.notify_all();
    return log::Offset(static_cast<std::int64_t>(records.size()));
  }

  void fail_fetches(std::optional<Error> error) {
    with_lock([&] { fetch_error_ = std::move(error); });
  }
  void damage_partition(const std::string& topic, std::optional<Error> error) {
    with_lock([&] { topics_.at(topic).partitions.at(0).error = std::move(error); });
  }
  // Removes all records before `begin`, as retention does.
  void remove_before(const std::string& topic, log::Offset begin) {
    with_lock([&] { topics_.at(topic).partitions.at(0).begin = begin; });
  }
  // Replaces a topic by a new one of the same name in one step.
  void replace(const std::string& topic, std::vector<std::optional<std::string>> values, WallTime time) {
    Entry entry{.id = {}, .partitions = std::vector<Partition>(1)};
    for (auto& value : values) {
      auto& records = entry.partitions[0].records;
      const log::Offset offset(static_cast<std::int64_t>(records.size()));
      records.push_back({.offset = offset, .timestamp = time, .key = {}, .value = std::move(value), .headers = {}});
    }
    with_lock([&] {
      entry.id = Uuid::random(random_);
      topics_.at(topic) = std::move(entry);
    });
  }
  // Waits until the reader waits for news.
  void await_waiting() {
    std::unique_lock lock(mutex_);
    fetched_.wait(lock, [&] { return waiting_ > 0; });
  }
  // Waits until fetch was called so many times more.
  void await_fetches(int count) {
    std::unique_lock lock(mutex_);
    const int goal = fetches_ + count;
    fetched_.wait(lock, [&] { return fetches_ >= goal; });
  }

  Result<log::Topic> create_topic(const log::TopicSpec& spec) override {
    append(spec.name, {}, WallTime(), spec.partitions - 1);
    return topic(spec.name);
  }
  Result<void> delete_topic(const std::string& name) override {
    with_lock([&] { topics_.erase(name); });
    return {};
  }
  Result<log::Topic> topic(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    return log::Topic{.name = name,
                      .id = found->second.id,
                      .partitions = static_cast<std::int32_t>(found->second.partitions.size()),
                      .configs = {}};
  }
  std::vector<log::Topic> topics() override { return {}; }
  void produce(const std::string&, log::PartitionId, std::vector<log::Record>, log::ProduceDone done) override {
    done({});
  }

  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    ++fetches_;
    fetched_.notify_all();
    std::vector<log::FetchedPartition> answer;
    const auto something = [&] {
      answer = read(request);
      return fetch_error_ || !answer.empty();
    };
    ++waiting_;
    changed_.wait_for(lock, stop, request.max_wait, something);
    --waiting_;
    if (fetch_error_) return fail(*fetch_error_);
    return answer;
  }

  Result<log::OffsetRange> offsets(const log::TopicPartition& partition) override {
    const std::scoped_lock lock(mutex_);
    const Partition& found = topics_.at(partition.topic).partitions.at(0);
    return log::OffsetRange{found.begin, log::Offset(static_cast<std::int64_t>(found.records.size()))};
  }
  Result<void> commit_offsets(const std::string&, const std::vector<log::GroupOffset>&) override { return {}; }
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string&) override {
    return std::vector<log::GroupOffset>();
  }

 private:
  struct Partition {
    log::Offset begin{};
    std::vector<log::StoredRecord> records{};
    std::optional<Error> error{};
  };
  struct Entry {
    Uuid id;
    std::vector<Partition> partitions;
  };

  template <class Change>
  void with_lock(Change change) {
    const std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::vector<log::FetchedPartition> read(const log::FetchRequest& request) const {
    std::vector<log::FetchedPartition> answer;
    for (const auto& [where, offset] : request.positions) {
      log::FetchedPartition fetched{
          .partition = where, .high_watermark = {}, .records = {}, .next = offset, .error = {}};
      const auto topic = topics_.find(where.topic);
      if (topic == topics_.end()) {
        fetched.error = Error{ErrorCode::kNotFound, "no such topic"};
        answer.push_back(fetched);
        continue;
      }
      const Partition& partition = topic->second.partitions.at(static_cast<std::size_t>(where.partition.value()));
      const log::Offset end(static_cast<std::int64_t>(partition.records.size()));
      fetched.high_watermark = end;
      fetched.error = partition.error;
      if (offset < partition.begin || offset > end) fetched.error = Error{ErrorCode::kInvalid, "offset out of range"};
      if (!fetched.error) {
        // Few records a fetch, so that tests of a thousand posts take many.
        for (log::Offset at = offset; at < end && fetched.records.size() < 100; ++at) {
          fetched.records.push_back(partition.records[static_cast<std::size_t>(at.value())]);
        }
        if (fetched.records.empty()) continue;
        fetched.next = fetched.records.back().offset + 1;
      }
      answer.push_back(std::move(fetched));
    }
    return answer;
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::condition_variable_any fetched_;
  std::map<std::string, Entry> topics_;
  std::optional<Error> fetch_error_;
  Random random_{1};
  int fetches_ = 0;
  int waiting_ = 0;
};

}  // namespace pinflow::live
