#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "log/log.h"
#include "log/whole_share.h"

namespace pinflow::log {

// A log in memory for the tests of its users: topics, blocking fetches, groups, gaps and retention, and the faults that they need.
// What is appended is durable at once. Safe from any thread, but for the public fields.
class MemoryLog final : public Log {
 public:
  using Value = std::optional<std::string>;
  static constexpr WallTime kTime{std::chrono::milliseconds(1'700'000'000'000)};

  // Each of the next produced records fails with the error at the front, if there is one.
  std::deque<std::optional<Error>> next_outcomes;
  // Records that are refused as long as it is set, as those that are too large.
  std::function<bool(const Record&)> refuse;
  // Holds the `done` of a produce until release().
  bool hold = false;
  // Of one partition in one fetch, so that a test of many records takes several.
  std::size_t most_fetched = SIZE_MAX;

  // ---- what it holds

  // Appends values to one partition, making topic and partition where they are missing. Gives the end offset.
  Offset append(const std::string& topic, std::int32_t partition, std::vector<Value> values, WallTime time = kTime) {
    Offset end;
    {
      const std::scoped_lock lock(mutex_);
      Partition& to = make_partition(topic, partition);
      for (Value& value : values) to.append({{}, time, {}, std::move(value), {}});
      changed_.notify_all();
      end = to.end;
    }
    tell_watches();
    shares_.changed();
    return end;
  }
  // Leaves offsets out, as compaction and transaction markers do.
  void skip_offsets(const std::string& topic, std::int32_t partition, std::int64_t count) {
    change(topic, partition, [&](Partition& at) { at.end = at.end + count; });
  }
  // Drops the records below an offset, as retention does.
  void drop_below(const std::string& topic, std::int32_t partition, Offset begin) {
    change(topic, partition, [&](Partition& at) {
      at.begin = begin;
      std::erase_if(at.records, [&](const auto& record) { return record.offset < begin; });
    });
  }
  // Puts a new topic of one partition in place of the one of that name, in one step.
  void replace(const std::string& topic, std::vector<Value> values) {
    Stored made{{topic, {}, 1, {}, kTime}, std::vector<Partition>(1)};
    for (Value& value : values) made.partitions[0].append({{}, kTime, {}, std::move(value), {}});
    {
      const std::scoped_lock lock(mutex_);
      made.topic.id = Uuid::random(random_);
      topics_.insert_or_assign(topic, std::move(made));
      changed_.notify_all();
    }
    shares_.changed();
  }
  std::vector<StoredRecord> records(const std::string& topic, std::int32_t partition = 0) const {
    const std::scoped_lock lock(mutex_);
    return topics_.at(topic).partitions.at(static_cast<std::size_t>(partition)).records;
  }

  // ---- faults

  // Fetches fail as wholes until told otherwise.
  void fail_fetches(std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    fetch_error_ = std::move(error);
    changed_.notify_all();
  }
  void damage_partition(const std::string& topic, std::int32_t partition, std::optional<Error> error) {
    change(topic, partition, [&](Partition& at) { at.error = std::move(error); });
  }
  void release() {
    for (auto& [done, results] : std::exchange(held_, {})) done(std::move(results));
  }

  // ---- what was asked of it

  std::int64_t fetches() const {
    const std::scoped_lock lock(mutex_);
    return fetches_;
  }
  std::size_t produce_calls() const {
    const std::scoped_lock lock(mutex_);
    return produce_calls_;
  }
  // Waits until a reader waits for news.
  void await_waiting() {
    std::unique_lock lock(mutex_);
    fetched_.wait(lock, [&] { return waiting_ > 0; });
  }
  // Waits until fetch was called so many times more.
  void await_fetches(int count) {
    std::unique_lock lock(mutex_);
    fetched_.wait(lock, [&, goal = fetches_ + count] { return fetches_ >= goal; });
  }

  // ---- Log

  Result<Topic> create_topic(const TopicSpec& spec) override {
    std::unique_lock lock(mutex_);
    if (topics_.contains(spec.name)) return fail(ErrorCode::kConflict, "the topic exists");
    Stored& made = topics_[spec.name];
    made.topic = {spec.name, Uuid::random(random_), spec.partitions, spec.configs, kTime};
    made.partitions.resize(static_cast<std::size_t>(spec.partitions));
    Topic topic = made.topic;
    lock.unlock();
    shares_.changed();
    return topic;
  }
  Result<void> delete_topic(const std::string& name) override {
    std::unique_lock lock(mutex_);
    if (topics_.erase(name) == 0) return fail(ErrorCode::kNotFound, "no such topic");
    for (auto& [group, offsets] : groups_)
      std::erase_if(offsets, [&](const auto& entry) { return entry.first.topic == name; });
    changed_.notify_all();
    lock.unlock();
    tell_watches();
    shares_.changed();
    return {};
  }
  Result<Topic> add_partitions(const std::string& topic, std::int32_t total) override {
    std::unique_lock lock(mutex_);
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    if (total <= found->second.topic.partitions) return fail(ErrorCode::kInvalid, "partitions are only added");
    make_partition(topic, total - 1);
    Topic grown = found->second.topic;
    lock.unlock();
    shares_.changed();
    return grown;
  }
  Result<Topic> alter_topic(const std::string& topic,
                            std::vector<std::pair<std::string, std::string>> configs) override {
    const std::scoped_lock lock(mutex_);
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    found->second.topic.configs = std::move(configs);
    return found->second.topic;
  }
  Result<Offset> delete_records(const TopicPartition& name, Offset before) override {
    if (!find_locked(name)) return fail(ErrorCode::kNotFound, "no such partition");
    drop_below(name.topic, name.partition.value(), before);
    return before;
  }
  Result<Topic> topic(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    return found->second.topic;
  }
  std::vector<Topic> topics() override {
    const std::scoped_lock lock(mutex_);
    std::vector<Topic> all;
    for (const auto& [name, stored] : topics_) all.push_back(stored.topic);
    return all;
  }

  void produce(const std::string& topic, PartitionId partition, std::vector<Record> records,
               ProduceDone done) override {
    std::vector<Result<Appended>> results;
    {
      const std::scoped_lock lock(mutex_);
      ++produce_calls_;
      for (Record& record : records) results.push_back(store(topic, partition, std::move(record)));
      changed_.notify_all();
      if (hold) held_.emplace_back(std::move(done), std::move(results));
    }
    tell_watches();
    if (done) done(std::move(results));
  }

  void produce_once(const std::string& topic, RequestMark mark, std::vector<Record> records,
                    std::vector<PartitionId> partitions, ProduceDone done) override {
    std::vector<Result<Appended>> results(records.size(), fail(ErrorCode::kConflict, "it came with other content"));
    {
      const std::scoped_lock lock(mutex_);
      ++produce_calls_;
      auto& [content, stored] =
          once_.try_emplace(mark.request, mark.content, std::vector<std::optional<Appended>>(records.size()))
              .first->second;
      for (std::size_t i = 0; content == mark.content && i < records.size(); ++i) {
        results[i] = stored[i]
                         ? Result<Appended>(*stored[i])
                         : store(topic, partitions.empty() ? kAnyPartition : partitions[i], std::move(records[i]));
        if (!results[i]) continue;
        stored[i] = *results[i];
        stored[i]->repeated = true;
      }
      changed_.notify_all();
      if (hold) held_.emplace_back(std::move(done), std::move(results));
    }
    tell_watches();
    if (done) done(std::move(results));
  }

  Result<std::vector<FetchedPartition>> fetch(const FetchRequest& request, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    ++fetches_;
    ++waiting_;
    fetched_.notify_all();
    std::vector<FetchedPartition> answer;
    changed_.wait_for(lock, stop, request.max_wait, [&] {
      answer = read(request);
      return fetch_error_ || is_enough(answer, request);
    });
    --waiting_;
    if (fetch_error_) return fail(*fetch_error_);
    return answer;
  }
  Result<OffsetRange> offsets(const TopicPartition& name) override {
    const std::scoped_lock lock(mutex_);
    const Partition* partition = find(name);
    if (partition == nullptr) return fail(ErrorCode::kNotFound, "no such partition");
    return OffsetRange{partition->begin, partition->end};
  }
  Result<std::optional<TimedOffset>> find_time(const TopicPartition& name, WallTime time) override {
    const std::scoped_lock lock(mutex_);
    const Partition* partition = find(name);
    if (partition == nullptr) return fail(ErrorCode::kNotFound, "no such partition");
    const auto first =
        std::ranges::find_if(partition->records, [&](const StoredRecord& record) { return record.timestamp >= time; });
    if (first == partition->records.end()) return std::nullopt;
    return TimedOffset{first->offset, first->timestamp, 0};
  }
  std::unique_ptr<Watch> watch(std::span<const FetchPosition> positions,
                               std::move_only_function<void()> ready) override {
    auto waiter = std::make_shared<Waiter>();
    waiter->positions.assign(positions.begin(), positions.end());
    waiter->ready = std::move(ready);
    {
      const std::scoped_lock lock(mutex_);
      std::erase_if(watches_, [](const auto& watch) { return watch.expired(); });
      watches_.push_back(waiter);
    }
    tell_watches();
    return std::make_unique<Waiting>(std::move(waiter));
  }
  Result<void> commit_offsets(const std::string& group, const std::vector<GroupOffset>& offsets) override {
    const std::scoped_lock lock(mutex_);
    for (const GroupOffset& offset : offsets) groups_[group].insert_or_assign(offset.partition, offset);
    return {};
  }
  Result<std::vector<GroupOffset>> committed_offsets(const std::string& group) override {
    const std::scoped_lock lock(mutex_);
    std::vector<GroupOffset> all;
    for (const auto& [name, offset] : groups_[group]) all.push_back(offset);
    return all;
  }
  Result<std::unique_ptr<Share>> join(const std::string&, const std::vector<std::string>& topics) override {
    return shares_.join(topics);
  }

 private:
  struct Partition {
    Offset begin;
    Offset end;
    std::vector<StoredRecord> records;
    std::optional<Error> error;

    Offset append(StoredRecord record) {
      record.offset = end;
      records.push_back(std::move(record));
      return std::exchange(end, end + 1);
    }
  };
  struct Stored {
    Topic topic;
    std::vector<Partition> partitions;
  };

  struct Waiter {
    std::mutex mutex;
    std::vector<FetchPosition> positions;
    std::move_only_function<void()> ready;  // Empty: it ran, or was withdrawn.
  };
  class Waiting final : public Watch {
   public:
    explicit Waiting(std::shared_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}
    ~Waiting() override {
      const std::scoped_lock lock(waiter_->mutex);
      waiter_->ready = nullptr;
    }

   private:
    std::shared_ptr<Waiter> waiter_;
  };

  // Runs the watches that have something. Without the log's lock, since they may ask the log.
  void tell_watches() {
    std::vector<std::shared_ptr<Waiter>> all;
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& watch : watches_) {
        auto waiter = watch.lock();
        if (waiter && std::ranges::any_of(waiter->positions, [&](const FetchPosition& position) {
              const Partition* partition = find(position.partition);
              return partition == nullptr || partition->end > position.offset;
            })) {
          all.push_back(std::move(waiter));
        }
      }
    }
    for (const auto& waiter : all) {
      std::move_only_function<void()> ready;
      {
        const std::scoped_lock lock(waiter->mutex);
        ready = std::exchange(waiter->ready, nullptr);
      }
      if (ready) ready();
    }
  }

  template <class Change>
  void change(const std::string& topic, std::int32_t partition, Change apply) {
    {
      const std::scoped_lock lock(mutex_);
      apply(topics_.at(topic).partitions.at(static_cast<std::size_t>(partition)));
      changed_.notify_all();
    }
    tell_watches();
  }

  bool find_locked(const TopicPartition& name) const {
    const std::scoped_lock lock(mutex_);
    return find(name) != nullptr;
  }

  Partition& make_partition(const std::string& topic, std::int32_t partition) {
    auto [entry, is_new] = topics_.try_emplace(topic);
    Stored& stored = entry->second;
    if (is_new) stored.topic = {topic, Uuid::random(random_), 0, {}, kTime};
    stored.topic.partitions = std::max(stored.topic.partitions, partition + 1);
    stored.partitions.resize(static_cast<std::size_t>(stored.topic.partitions));
    return stored.partitions[static_cast<std::size_t>(partition)];
  }

  const Partition* find(const TopicPartition& name) const {
    const auto found = topics_.find(name.topic);
    const auto index = static_cast<std::size_t>(name.partition.value());
    if (found == topics_.end() || index >= found->second.partitions.size()) return nullptr;
    return &found->second.partitions[index];
  }

  Result<Appended> store(const std::string& topic, PartitionId partition, Record record) {
    if (!next_outcomes.empty()) {
      const auto outcome = std::move(next_outcomes.front());
      next_outcomes.pop_front();
      if (outcome) return fail(*outcome);
    }
    if (refuse && refuse(record)) return fail(ErrorCode::kInvalid, "the record is refused");
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    auto& partitions = found->second.partitions;
    const std::size_t index = partition != kAnyPartition ? static_cast<std::size_t>(partition.value())
                              : record.key               ? std::hash<std::string>()(*record.key) % partitions.size()
                                                         : 0;
    const Offset offset = partitions.at(index).append({{},
                                                       record.timestamp.value_or(WallTime()),
                                                       std::move(record.key),
                                                       std::move(record.value),
                                                       std::move(record.headers)});
    return Appended{PartitionId(static_cast<std::int32_t>(index)), offset};
  }

  static std::size_t size_of(const StoredRecord& record) { return record.value.value_or("").size() + 1; }

  static bool is_enough(const std::vector<FetchedPartition>& answer, const FetchRequest& request) {
    std::size_t bytes = 0;
    std::size_t records = 0;
    for (const FetchedPartition& partition : answer) {
      if (partition.error || partition.records.empty()) return true;  // A failure, or a gap to go behind.
      records += partition.records.size();
      for (const StoredRecord& record : partition.records) bytes += size_of(record);
    }
    return records > 0 && (bytes >= request.min_bytes || records >= request.max_records);
  }

  std::vector<FetchedPartition> read(const FetchRequest& request) const {
    std::vector<FetchedPartition> answer;
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (const auto& [name, offset] : request.positions) {
      FetchedPartition entry{name, {}, {}, offset, {}};
      const Partition* partition = find(name);
      if (partition == nullptr) {
        entry.error = Error{ErrorCode::kNotFound, "no such partition"};
      } else if (offset < partition->begin || offset > partition->end) {
        entry.error = Error{ErrorCode::kInvalid, "offset out of range"};
      } else if (entry.high_watermark = partition->end; !(entry.error = partition->error)) {
        const auto& records = partition->records;
        auto at = std::ranges::lower_bound(records, offset, {}, &StoredRecord::offset);
        while (at != records.end() && count < request.max_records && entry.records.size() < most_fetched &&
               (bytes == 0 || bytes < request.max_bytes)) {
          bytes += size_of(*at);
          ++count;
          entry.records.push_back(*at++);
        }
        entry.next = at == records.end() ? partition->end : at->offset;
      }
      if (entry.error || entry.next > offset) answer.push_back(std::move(entry));
    }
    return answer;
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::condition_variable_any fetched_;
  Random random_{7};
  std::int64_t fetches_ = 0;
  int waiting_ = 0;
  std::size_t produce_calls_ = 0;
  std::optional<Error> fetch_error_;
  std::map<std::string, Stored> topics_;
  std::map<std::string, std::map<TopicPartition, GroupOffset>> groups_;
  std::vector<std::pair<ProduceDone, std::vector<Result<Appended>>>> held_;
  std::map<std::uint64_t, std::pair<std::uint32_t, std::vector<std::optional<Appended>>>> once_;
  std::vector<std::weak_ptr<Waiter>> watches_;
  WholeShares shares_{[this] { return topics(); }};
};

}  // namespace pinflow::log
