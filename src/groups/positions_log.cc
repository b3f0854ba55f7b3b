#include "groups/positions_log.h"

#include "log/share.h"

namespace pinflow::groups {

namespace {
constexpr std::size_t kMostWaiting = 1'024;

std::unexpected<Error> not_a_broker() {
  return fail(ErrorCode::kInvalid, "the topics lie in a cluster; ask its brokers");
}
}  // namespace

PositionsLog::PositionsLog(log::Log& log)
    : log_(log), commits_(kMostWaiting), thread_([this](const std::stop_token& stop) { run(stop); }) {}

PositionsLog::~PositionsLog() {
  thread_.request_stop();
  thread_.join();
  commits_.close();
  while (auto left = commits_.pop({})) left->done(fail(ErrorCode::kCancelled, "the process stops"));
}

void PositionsLog::run(const std::stop_token& stop) {
  while (auto commit = commits_.pop(stop)) {
    const auto stored = log_.commit_offsets(commit->group, commit->offsets);
    if (stored) {
      const std::scoped_lock lock(mutex_);
      groups_.insert(commit->group);
    }
    commit->done(stored);
  }
}

void PositionsLog::commit_offsets_later(std::string group, std::vector<log::GroupOffset> offsets, log::Done done) {
  Commit commit{std::move(group), std::move(offsets), std::move(done)};
  if (commits_.try_push(commit)) return;
  commit.done(fail(ErrorCode::kOverloaded, "too many commits of positions wait for the cluster"));
}

void PositionsLog::delete_offsets(std::string, std::vector<log::TopicPartition>, log::Done done) {
  done(not_a_broker());
}

void PositionsLog::delete_old_offsets(std::string, WallTime, log::Done done) {
  done({});
}

void PositionsLog::delete_group(std::string group, log::Done done) {
  {
    const std::scoped_lock lock(mutex_);
    groups_.erase(group);
  }
  done({});
}

std::vector<std::string> PositionsLog::groups() {
  const std::scoped_lock lock(mutex_);
  return {groups_.begin(), groups_.end()};
}

void PositionsLog::store_group_state(std::string, std::string, log::Done done) {
  done({});
}

std::vector<std::pair<std::string, std::string>> PositionsLog::group_states() {
  return {};
}

Result<std::unique_ptr<log::Share>> PositionsLog::join(const std::string& group,
                                                       const std::vector<std::string>& topics) {
  return log_.join(group, topics);
}

Result<log::Topic> PositionsLog::topic_by_id(const Uuid&) {
  return not_a_broker();
}

void PositionsLog::append_batch(log::BatchAppend, log::BatchDone done) {
  done(std::unexpected(log::BatchRefusal{log::BatchFault::kStorage, not_a_broker().error().message, {}}));
}

Result<log::BatchRead> PositionsLog::read_batches(const log::TopicPartition&, log::Offset, std::size_t, bool) {
  return not_a_broker();
}

Result<std::optional<log::TimedOffset>> PositionsLog::find_latest_time(const log::TopicPartition&) {
  return not_a_broker();
}

Result<std::int32_t> PositionsLog::leader_epoch(const log::TopicPartition&) {
  return not_a_broker();
}

Result<log::EpochEnd> PositionsLog::epoch_end(const log::TopicPartition&, std::int32_t) {
  return not_a_broker();
}

Result<std::int64_t> PositionsLog::new_producer_id() {
  return not_a_broker();
}

}  // namespace pinflow::groups
