#include "kafka_cluster/internal/group_share.h"

#include "kafka_cluster/internal/positions.h"

namespace pinflow::kafka_cluster {
namespace {

constexpr int kPollMs = 1'000;

}  // namespace

Result<std::unique_ptr<GroupShare>> GroupShare::join(const std::string& group, const std::vector<std::string>& topics,
                                                     const Cluster& cluster) {
  std::unique_ptr<GroupShare> share(new GroupShare(group, cluster));
  ClientHooks hooks;
  hooks.rebalance = [raw = share.get()](rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions) {
    raw->rebalance(event, partitions);
  };
  TRY_ASSIGN(share->client_, Client::open(RD_KAFKA_CONSUMER,
                                          {{"group.id", group},
                                           {"partition.assignment.strategy", "cooperative-sticky"},
                                           {"enable.auto.commit", "false"},
                                           {"enable.auto.offset.store", "false"},
                                           {"auto.offset.reset", "latest"},
                                           {"session.timeout.ms", "10000"},
                                           {"heartbeat.interval.ms", "1000"},
                                           {"topic.metadata.refresh.interval.ms", "5000"},
                                           {"queued.max.messages.kbytes", "64"}},
                                          std::move(hooks), cluster));
  rd_kafka_poll_set_consumer(share->client_->handle());
  share->queue_.reset(rd_kafka_queue_get_consumer(share->client_->handle()));
  TRY(share->subscribe(topics));
  share->thread_ = std::jthread([raw = share.get()](const std::stop_token& stop) { raw->run(stop); });
  return share;
}

GroupShare::~GroupShare() {
  {
    const std::scoped_lock lock(mutex_);
    is_leaving_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.request_stop();
    rd_kafka_queue_yield(queue_.get());
    thread_.join();
  }
  if (client_ != nullptr) rd_kafka_consumer_close(client_->handle());
  queue_.reset();
}

void GroupShare::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    // Its partitions are paused: what comes are errors and calls of rebalance().
    const MessageHandle message(rd_kafka_consumer_poll(client_->handle(), kPollMs));
    if (message == nullptr || message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
      continue;
    cluster_.logger.warning("The consumer group has trouble",
                            {{"group", group_}, {"error", rd_kafka_message_errstr(message.get())}});
  }
}

void GroupShare::rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions) {
  if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    assign(partitions);
  } else {
    revoke(partitions);
  }
}

void GroupShare::assign(rd_kafka_topic_partition_list_t* partitions) {
  for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = RD_KAFKA_OFFSET_END;  // Nothing is read.
  if (const ErrorHandle error(rd_kafka_incremental_assign(client_->handle(), partitions)); error != nullptr)
    cluster_.logger.warning("Partitions were not taken",
                            {{"group", group_}, {"error", rd_kafka_error_string(error.get())}});
  rd_kafka_pause_partitions(client_->handle(), partitions);
  const std::scoped_lock lock(mutex_);
  for (int i = 0; i < partitions->cnt; ++i)
    mine_.insert({partitions->elems[i].topic, log::PartitionId(partitions->elems[i].partition)});
  ++version_;
  changed_.notify_all();
}

void GroupShare::revoke(rd_kafka_topic_partition_list_t* partitions) {
  const bool lost = rd_kafka_assignment_lost(client_->handle()) != 0;
  {
    std::unique_lock lock(mutex_);
    std::size_t gone = 0;
    for (int i = 0; i < partitions->cnt; ++i)
      gone += mine_.erase({partitions->elems[i].topic, log::PartitionId(partitions->elems[i].partition)});
    if (gone > 0) {
      const std::uint64_t version = ++version_;
      changed_.notify_all();
      // Others have what is lost already.
      if (!lost) changed_.wait_for(lock, kLongestSettling, [&] { return settled_ >= version || is_leaving_; });
    }
  }
  if (const ErrorHandle error(rd_kafka_incremental_unassign(client_->handle(), partitions)); error != nullptr)
    cluster_.logger.warning("Partitions were not given back",
                            {{"group", group_}, {"error", rd_kafka_error_string(error.get())}});
}

log::Assignment GroupShare::assignment() const {
  const std::scoped_lock lock(mutex_);
  return {version_, {mine_.begin(), mine_.end()}};
}

log::Assignment GroupShare::wait(std::uint64_t known, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return version_ != known; });
  return {version_, {mine_.begin(), mine_.end()}};
}

Result<void> GroupShare::subscribe(const std::vector<std::string>& topics) {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (topics.empty()) {
    error = rd_kafka_unsubscribe(client_->handle());
  } else {
    const PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const std::string& topic : topics)
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe(client_->handle(), list.get());
  }
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail(error_of(error, fmt::format("joining group {}", group_)));
}

void GroupShare::settled(std::uint64_t version) {
  const std::scoped_lock lock(mutex_);
  settled_ = std::max(settled_, version);
  changed_.notify_all();
}

Result<void> GroupShare::commit(const std::vector<log::GroupOffset>& offsets) {
  const std::string context = fmt::format("committing positions of group {}", group_);
  const PartitionListHandle list = list_of(offsets);
  const auto error = rd_kafka_commit(client_->handle(), list.get(), 0);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(cluster_.health.explain(error_of(error, context)));
  return first_error(*list, context);
}

}  // namespace pinflow::kafka_cluster
