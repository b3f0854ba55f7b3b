#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "log/broker_log.h"
#include "log/share.h"

namespace pinflow::groups {

// The group side of a log in memory: answers at once, or when the test says so, or with an error. It keeps what it keeps over
// "restarts" of coordinators. All other calls stop the test. Safe from any thread.
class GroupLog final : public log::BrokerLog {
 public:
  explicit GroupLog(const Clock& clock) : clock_(clock) {}

  void add_topic(const std::string& name, std::int32_t partitions) {
    const std::scoped_lock lock(mutex_);
    topics_[name] = partitions;
  }
  void fail_with(std::optional<ErrorCode> code) {
    const std::scoped_lock lock(mutex_);
    failure_ = code;
  }
  // While set, answers wait for release().
  void hold(bool hold) {
    const std::scoped_lock lock(mutex_);
    hold_ = hold;
  }
  void release() {
    std::deque<std::move_only_function<void()>> held;
    {
      const std::scoped_lock lock(mutex_);
      held = std::exchange(held_, {});
    }
    for (auto& answer : held) answer();
  }
  std::size_t held() const {
    const std::scoped_lock lock(mutex_);
    return held_.size();
  }
  std::size_t states_stored() const {
    const std::scoped_lock lock(mutex_);
    return states_stored_;
  }
  std::string state(const std::string& group) const {
    const std::scoped_lock lock(mutex_);
    const auto at = states_.find(group);
    return at == states_.end() ? std::string() : at->second;
  }

  Result<log::Topic> topic(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    const auto at = topics_.find(name);
    if (at == topics_.end()) return fail(ErrorCode::kNotFound, "no such topic");
    return log::Topic{name, {}, at->second, {}, {}};
  }
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string& group) override {
    const std::scoped_lock lock(mutex_);
    std::vector<log::GroupOffset> all;
    if (const auto at = positions_.find(group); at != positions_.end())
      for (const auto& [partition, place] : at->second) all.push_back(place.first);
    return all;
  }
  void commit_offsets_later(std::string group, std::vector<log::GroupOffset> offsets, log::Done done) override {
    change(std::move(done), [&] {
      for (log::GroupOffset& offset : offsets) positions_[group][offset.partition] = {offset, clock_.now()};
    });
  }
  void delete_offsets(std::string group, std::vector<log::TopicPartition> partitions, log::Done done) override {
    change(std::move(done), [&] {
      for (const log::TopicPartition& partition : partitions) positions_[group].erase(partition);
      if (positions_[group].empty()) positions_.erase(group);
    });
  }
  void delete_old_offsets(std::string group, WallTime before, log::Done done) override {
    change(std::move(done), [&] {
      std::erase_if(positions_[group], [&](const auto& item) { return item.second.second < before; });
      if (positions_[group].empty()) positions_.erase(group);
    });
  }
  void delete_group(std::string group, log::Done done) override {
    change(std::move(done), [&] {
      positions_.erase(group);
      states_.erase(group);
    });
  }
  void store_group_state(std::string group, std::string state, log::Done done) override {
    change(std::move(done), [&] {
      ++states_stored_;
      states_[group] = state;
      if (state.empty()) states_.erase(group);
    });
  }
  std::vector<std::string> groups() override {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, positions] : positions_) names.push_back(name);
    for (const auto& [name, state] : states_) names.push_back(name);
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
  }
  std::vector<std::pair<std::string, std::string>> group_states() override {
    const std::scoped_lock lock(mutex_);
    return {states_.begin(), states_.end()};
  }

  Result<log::Topic> create_topic(const log::TopicSpec&) override { return unasked(); }
  Result<void> delete_topic(const std::string&) override { return unasked(); }
  std::vector<log::Topic> topics() override { unasked(); }
  void produce(const std::string&, log::PartitionId, std::vector<log::Record>, log::ProduceDone) override { unasked(); }
  void produce_once(const std::string&, log::RequestMark, std::vector<log::Record>, std::vector<log::PartitionId>,
                    log::ProduceDone) override {
    unasked();
  }
  Result<log::Topic> topic_by_id(const Uuid&) override { return unasked(); }
  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest&, std::stop_token) override {
    return unasked();
  }
  Result<log::OffsetRange> offsets(const log::TopicPartition&) override { return unasked(); }
  Result<void> commit_offsets(const std::string&, const std::vector<log::GroupOffset>&) override { return unasked(); }
  void append_batch(log::BatchAppend, log::BatchDone) override { unasked(); }
  Result<log::BatchRead> read_batches(const log::TopicPartition&, log::Offset, std::size_t, bool) override {
    return unasked();
  }
  std::unique_ptr<log::Watch> watch(std::span<const log::FetchPosition>, std::move_only_function<void()>) override {
    unasked();
  }
  Result<std::optional<log::TimedOffset>> find_time(const log::TopicPartition&, WallTime) override { return unasked(); }
  Result<std::optional<log::TimedOffset>> find_latest_time(const log::TopicPartition&) override { return unasked(); }
  Result<std::int32_t> leader_epoch(const log::TopicPartition&) override { return unasked(); }
  Result<log::EpochEnd> epoch_end(const log::TopicPartition&, std::int32_t) override { return unasked(); }
  Result<log::Topic> add_partitions(const std::string&, std::int32_t) override { return unasked(); }
  Result<log::Topic> alter_topic(const std::string&, std::vector<std::pair<std::string, std::string>>) override {
    return unasked();
  }
  Result<log::Offset> delete_records(const log::TopicPartition&, log::Offset) override { return unasked(); }
  Result<std::int64_t> new_producer_id() override { return unasked(); }
  Result<std::unique_ptr<log::Share>> join(const std::string&, const std::vector<std::string>&) override {
    return unasked();
  }

 private:
  [[noreturn]] static std::unexpected<Error> unasked() { CHECK(false, "a coordinator never asks this"); }

  template <class Change>
  void change(log::Done done, Change change) {
    Result<void> result;
    {
      const std::scoped_lock lock(mutex_);
      if (failure_) {
        result = fail(*failure_, "the test wants it");
      } else {
        change();
      }
      if (hold_) return held_.push_back([done = std::move(done), result]() mutable { done(result); });
    }
    done(std::move(result));
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int32_t> topics_;
  std::map<std::string, std::map<log::TopicPartition, std::pair<log::GroupOffset, WallTime>>> positions_;
  std::map<std::string, std::string> states_;
  std::size_t states_stored_ = 0;
  std::optional<ErrorCode> failure_;
  bool hold_ = false;
  std::deque<std::move_only_function<void()>> held_;
};

}  // namespace pinflow::groups
