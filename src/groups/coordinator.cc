#include "groups/coordinator.h"

#include "groups/internal/coordinator_core.h"

namespace pinflow::groups {

GroupCoordinator::GroupCoordinator(CoordinatorOptions options, log::BrokerLog& log, const Clock& clock, Logger& logger,
                                   std::uint64_t seed)
    : core_(std::make_shared<Core>(options, log, clock, logger, seed)) {
  core_->load();
}

GroupCoordinator::~GroupCoordinator() {
  core_->stop();
}

void GroupCoordinator::advance() {
  core_->advance();
}
SteadyTime GroupCoordinator::next_deadline() {
  return core_->next_deadline();
}
void GroupCoordinator::on_earlier_deadline(std::function<void()> tell) {
  core_->on_earlier_deadline(std::move(tell));
}
void GroupCoordinator::join(JoinRequest request, JoinDone done) {
  core_->join(std::move(request), std::move(done));
}
void GroupCoordinator::sync(SyncRequest request, SyncDone done) {
  core_->sync(std::move(request), std::move(done));
}
GroupError GroupCoordinator::heartbeat(const HeartbeatRequest& request) {
  return core_->heartbeat(request);
}
LeaveReply GroupCoordinator::leave(const LeaveRequest& request) {
  return core_->leave(request);
}
void GroupCoordinator::commit(CommitRequest request, OffsetsDone done) {
  core_->commit(std::move(request), std::move(done));
}
std::vector<log::GroupOffset> GroupCoordinator::committed(const std::string& group) {
  return core_->committed(group);
}
void GroupCoordinator::delete_offsets(DeleteOffsetsRequest request, OffsetsDone done) {
  core_->delete_offsets(std::move(request), std::move(done));
}
DescribedGroup GroupCoordinator::describe(const std::string& group) {
  return core_->describe(group);
}
std::vector<ListedGroup> GroupCoordinator::list() {
  return core_->list();
}
void GroupCoordinator::delete_group(const std::string& group, GroupDone done) {
  core_->delete_group(group, std::move(done));
}

}  // namespace pinflow::groups
