#include "kafka_cluster/internal/producer.h"

#include <algorithm>

#include "base/check.h"

namespace pinflow::kafka_cluster {
namespace {

constexpr int kServePeriodMs = 500;
constexpr int kFlushMs = 5'000;
constexpr int kDrainMs = 100;
constexpr std::size_t kMostTopics = 10'000;

}  // namespace

std::size_t payload_of(const log::Record& record) {
  std::size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const log::Header& header : record.headers)
    bytes += header.key.size() + (header.value ? header.value->size() : 0);
  return bytes;
}

Result<std::unique_ptr<Client>> Producer::open_client() {
  const auto milliseconds = [](std::chrono::milliseconds time) { return std::to_string(time.count()); };
  // Calls are bounded here, so the client's own bounds only must not come first.
  const Properties own = {{"acks", "all"},
                          {"enable.idempotence", "true"},
                          {"topic.metadata.refresh.interval.ms", "5000"},
                          {"linger.ms", milliseconds(cluster_.options.linger)},
                          {"batch.size", std::to_string(limits_.bytes)},
                          {"batch.num.messages", std::to_string(limits_.records)},
                          {"message.max.bytes", "100000000"},
                          {"message.timeout.ms", milliseconds(cluster_.options.delivery_timeout)},
                          {"request.timeout.ms", "10000"},
                          {"queue.buffering.max.messages", "10000000"},
                          {"queue.buffering.max.kbytes", "2000000"}};
  ClientHooks hooks;
  hooks.delivered = [this](const rd_kafka_message_t& message) { delivered(message); };
  hooks.fatal = [this] { fatal_ = true; };
  return Client::open(RD_KAFKA_PRODUCER, own, std::move(hooks), cluster_);
}

Result<std::unique_ptr<Producer>> Producer::open(const Cluster& cluster, BatchLimits limits) {
  std::unique_ptr<Producer> producer(new Producer(cluster, limits));
  TRY_ASSIGN(producer->client_, producer->open_client());
  producer->thread_ = std::thread([raw = producer.get()] { raw->run(); });
  return producer;
}

Producer::~Producer() {
  stopping_ = true;
  if (client_ == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);  // Nobody replaces the client meanwhile.
    rd_kafka_flush(client_->handle(), kFlushMs);
  }
  if (thread_.joinable()) {
    const QueueHandle main(rd_kafka_queue_get_main(client_->handle()));
    rd_kafka_queue_yield(main.get());
    thread_.join();
  }
  drain(*client_);
  topics_.clear();
}

void Producer::run() {
  while (!stopping_) {
    // Only this thread replaces the client.
    rd_kafka_poll(client_->handle(), kServePeriodMs);
    if (fatal_) reopen();
  }
}

void Producer::reopen() {
  auto fresh = open_client();
  if (!fresh) {
    cluster_.logger.error("The Kafka producer cannot be opened again", {{"error", fresh.error().message}});
    return;
  }
  cluster_.logger.warning("The Kafka producer can do nothing more and is opened again");
  fatal_ = false;
  std::map<std::string, TopicHandle, std::less<>> old_topics;
  {
    const std::scoped_lock lock(mutex_);
    std::swap(client_, *fresh);
    std::swap(topics_, old_topics);
  }
  drain(**fresh);
  old_topics.clear();
}

// Ends all that the client still has, so that every call gets its answer.
void Producer::drain(Client& client) {
  rd_kafka_purge(client.handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_outq_len(client.handle()) > 0) rd_kafka_poll(client.handle(), kDrainMs);
}

rd_kafka_topic_t* Producer::topic_handle(const std::string& name) {
  auto& topic = topics_[name];
  if (topic == nullptr) {
    topic.reset(rd_kafka_topic_new(client_->handle(), name.c_str(), nullptr));
    if (topic == nullptr) topics_.erase(name);
  }
  return topic.get();
}

void Producer::learn(const std::string& topic) {
  const std::scoped_lock lock(mutex_);
  rd_kafka_topic_t* const handle = topic_handle(topic);
  const struct rd_kafka_metadata* metadata = nullptr;
  const int timeout = static_cast<int>(cluster_.options.call_timeout.count());
  // Where it fails the client learns by itself.
  if (handle != nullptr) (void)rd_kafka_metadata(client_->handle(), 0, handle, &metadata, timeout);
  if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
}

rd_kafka_resp_err_t Producer::send(rd_kafka_topic_t* topic, const log::Record& record, log::PartitionId partition,
                                   Slot& slot) {
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const log::Header& header : record.headers)
      rd_kafka_header_add(headers, header.key.data(), static_cast<ssize_t>(header.key.size()),
                          header.value ? header.value->data() : nullptr,
                          header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  const char* const key = record.key ? record.key->data() : nullptr;
  const std::size_t key_size = record.key ? record.key->size() : 0;
  char* const value = record.value ? const_cast<char*>(record.value->data()) : nullptr;
  const std::size_t value_size = record.value ? record.value->size() : 0;
  const std::int64_t timestamp = record.timestamp ? record.timestamp->time_since_epoch().count() : 0;
  const auto error = rd_kafka_producev(client_->handle(), RD_KAFKA_V_RKT(topic),
                                       RD_KAFKA_V_PARTITION(partition.value()), RD_KAFKA_V_KEY(key, key_size),
                                       RD_KAFKA_V_VALUE(value, value_size), RD_KAFKA_V_TIMESTAMP(timestamp),
                                       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&slot), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR && headers != nullptr) rd_kafka_headers_destroy(headers);
  return error;
}

void Producer::produce(const std::string& topic, std::vector<log::PartitionId> partitions,
                       std::vector<log::Record> records, std::size_t most_bytes, SentDone done) {
  const std::size_t count = records.size();
  auto* const call = new Call{topic, std::move(records), {}, {}, std::move(done)};
  call->slots.resize(count);
  call->results.resize(count);
  call->left += count;
  std::size_t refused = 0;
  {
    const std::scoped_lock lock(mutex_);
    rd_kafka_topic_t* const handle =
        topics_.size() < kMostTopics || topics_.contains(topic) ? topic_handle(topic) : nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      call->slots[i] = {call, i, false};
      const std::size_t size = payload_of(call->records[i]);
      if (size > most_bytes) {
        call->results[i] =
            fail(ErrorCode::kInvalid,
                 fmt::format("topic {}: a record of {} bytes is over the limit of {}", topic, size, most_bytes));
      } else if (const auto error = handle == nullptr ? RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
                                                      : send(handle, call->records[i], partitions[i], call->slots[i]);
                 error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        call->results[i] = fail(cluster_.health.explain(error_of(error, fmt::format("sending to topic {}", topic))));
        if (error == RD_KAFKA_RESP_ERR__FATAL) fatal_ = true;
      } else {
        continue;
      }
      ++refused;
    }
  }
  call->answered(refused + 1);
}

void Producer::Call::answered(std::size_t count) {
  if (left.fetch_sub(count) != count) return;
  Sent sent{std::move(results), {}, std::move(records)};
  for (const Slot& slot : slots) {
    if (slot.refused) sent.refused.push_back(slot.index);
  }
  done(std::move(sent));
  delete this;
}

// What is known of a record that no broker confirmed.
Error Producer::delivery_error(const rd_kafka_message_t& message, const Call& call, std::size_t size) const {
  const bool surely_not = rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  Error error = error_of(message.err, fmt::format("topic {}, partition {}", call.topic, message.partition));
  if (error.code == ErrorCode::kUnavailable) {
    error = cluster_.health.explain(std::move(error));
    if (stopping_ && message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE) error.code = ErrorCode::kCancelled;
    if (!surely_not) error.code = ErrorCode::kUnknownOutcome;
  }
  if (message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    error.message += fmt::format(": a record of {} bytes in its batch is over the topic's max.message.bytes", size);
  return error;
}

void Producer::delivered(const rd_kafka_message_t& message) {
  Slot& slot = *static_cast<Slot*>(message._private);
  Call& call = *slot.call;
  auto& result = call.results[slot.index];
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    result = log::Appended{log::PartitionId(message.partition), log::Offset(message.offset), false};
  } else {
    result = fail(delivery_error(message, call, payload_of(call.records[slot.index])));
    slot.refused =
        message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || message.err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
  }
  call.answered(1);
}

}  // namespace pinflow::kafka_cluster
