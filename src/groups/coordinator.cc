#include "groups/coordinator.h"

#include "groups/internal/coordinator_core.h"

namespace pinflow::groups {

Coordinator::Coordinator(CoordinatorOptions options, log::BrokerLog& log, const Clock& clock, Logger& logger,
                         std::uint64_t seed)
    : core_(std::make_shared<Core>(options, log, clock, logger, seed)) {
  core_->load();
}

Coordinator::~Coordinator() {
  core_->stop();
}

void Coordinator::advance() {
  core_->advance();
}
SteadyTime Coordinator::next_deadline() {
  return core_->next_deadline();
}
void Coordinator::on_earlier_deadline(std::function<void()> tell) {
  core_->on_earlier_deadline(std::move(tell));
}
void Coordinator::join(JoinRequest request, JoinDone done) {
  core_->join(std::move(request), std::move(done));
}
void Coordinator::sync(SyncRequest request, SyncDone done) {
  core_->sync(std::move(request), std::move(done));
}
GroupError Coordinator::heartbeat(const HeartbeatRequest& request) {
  return core_->heartbeat(request);
}
LeaveReply Coordinator::leave(const LeaveRequest& request) {
  return core_->leave(request);
}
void Coordinator::commit(CommitRequest request, OffsetsDone done) {
  core_->commit(std::move(request), std::move(done));
}
std::vector<log::GroupOffset> Coordinator::committed(const std::string& group) {
  return core_->committed(group);
}
void Coordinator::delete_offsets(DeleteOffsetsRequest request, OffsetsDone done) {
  core_->delete_offsets(std::move(request), std::move(done));
}
DescribedGroup Coordinator::describe(const std::string& group) {
  return core_->describe(group);
}
std::vector<ListedGroup> Coordinator::list() {
  return core_->list();
}
void Coordinator::delete_group(const std::string& group, GroupDone done) {
  core_->delete_group(group, std::move(done));
}

}  // namespace pinflow::groups
