#include <future>

#include "log/internal/embedded_log_impl.h"

namespace pinflow::log {

Result<void> EmbeddedLogImpl::commit_offsets(const std::string& group, const std::vector<GroupOffset>& offsets) {
  std::promise<Result<void>> done;
  auto result = done.get_future();
  groups_.commit(group, offsets, [&](Result<void> stored) { done.set_value(std::move(stored)); });
  return result.get();
}

Result<std::vector<GroupOffset>> EmbeddedLogImpl::committed_offsets(const std::string& group) {
  return groups_.committed(group);
}

void EmbeddedLogImpl::commit_offsets_later(std::string group, std::vector<GroupOffset> offsets, Done done) {
  groups_.commit(std::move(group), offsets, std::move(done));
}

void EmbeddedLogImpl::delete_offsets(std::string group, std::vector<TopicPartition> partitions, Done done) {
  groups_.delete_offsets(std::move(group), partitions, std::move(done));
}

void EmbeddedLogImpl::delete_old_offsets(std::string group, WallTime before, Done done) {
  groups_.delete_old_offsets(std::move(group), before, std::move(done));
}

void EmbeddedLogImpl::delete_group(std::string group, Done done) {
  groups_.delete_group(std::move(group), std::move(done));
}

std::vector<std::string> EmbeddedLogImpl::groups() {
  return journal_.groups();
}

void EmbeddedLogImpl::store_group_state(std::string group, std::string state, Done done) {
  groups_.store_state(std::move(group), std::move(state), std::move(done));
}

std::vector<std::pair<std::string, std::string>> EmbeddedLogImpl::group_states() {
  return journal_.states();
}

}  // namespace pinflow::log
