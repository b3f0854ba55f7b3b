#include "kafka_cluster/internal/stream.h"

#include <algorithm>
#include <array>

namespace pinflow::kafka_cluster {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::size_t kRecordOverhead = 32;  // As it counts against the bounds of a fetch, about as in a batch.
constexpr int kAtOnce = 0;

std::optional<std::string> text_of(const void* bytes, std::size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(bytes), size);
}

log::StoredRecord record_of(const rd_kafka_message_t& message) {
  log::StoredRecord record;
  record.offset = log::Offset(message.offset);
  rd_kafka_timestamp_type_t type{};
  record.timestamp =
      WallTime(std::chrono::milliseconds(std::max<std::int64_t>(0, rd_kafka_message_timestamp(&message, &type))));
  record.key = text_of(message.key, message.key_len);
  record.value = text_of(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i)
      record.headers.push_back({name, text_of(value, size)});
  }
  return record;
}

std::size_t size_of(const log::StoredRecord& record) {
  std::size_t bytes =
      kRecordOverhead + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const log::Header& header : record.headers)
    bytes += header.key.size() + (header.value ? header.value->size() : 0);
  return bytes;
}

std::size_t size_of(const rd_kafka_message_t& message) {
  return kRecordOverhead + message.key_len + message.len;
}

}  // namespace

Result<std::unique_ptr<Stream>> Stream::open(Client& client, const log::TopicPartition& partition, log::Offset from) {
  std::unique_ptr<Stream> stream(new Stream(client, partition, from));
  const std::string context = fmt::format("reading partition {} of topic {}", partition.partition, partition.topic);
  stream->topic_.reset(rd_kafka_topic_new(client.handle(), partition.topic.c_str(), nullptr));
  if (stream->topic_ == nullptr) return fail(error_of(rd_kafka_last_error(), context));
  stream->queue_.reset(rd_kafka_queue_new(client.handle()));
  if (rd_kafka_consume_start_queue(stream->topic_.get(), partition.partition.value(), from.value(),
                                   stream->queue_.get()) != 0)
    return fail(error_of(rd_kafka_last_error(), context));
  stream->started_ = true;
  return stream;
}

Stream::~Stream() {
  if (!started_) return;
  listen(nullptr);
  held_.clear();
  rd_kafka_consume_stop(topic_.get(), partition_.partition.value());
}

void Stream::listen(StreamListener* listener) {
  if (listener == nullptr) {
    rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
    return;
  }
  rd_kafka_queue_cb_event_enable(
      queue_.get(), [](rd_kafka_t*, void* opaque) { static_cast<StreamListener*>(opaque)->notify(); }, listener);
}

bool Stream::refill() {
  std::array<rd_kafka_message_t*, kBatch> messages{};
  const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), kAtOnce, messages.data(), messages.size());
  for (ssize_t i = 0; i < count; ++i) held_.emplace_back(messages[static_cast<std::size_t>(i)]);
  return count > 0;
}

Error Stream::read_error(const rd_kafka_message_t& message) const {
  return error_of(
      message.err,
      fmt::format("reading partition {} of topic {} at offset {}", partition_.partition, partition_.topic, next_),
      rd_kafka_message_errstr(&message));
}

// False: it does not fit the budget any more.
bool Stream::accept(const rd_kafka_message_t& message, Budget& budget, log::FetchedPartition& out) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    next_ =
        std::max(next_, log::Offset(message.offset));  // Past what is no record: marks of transactions, compacted ones.
    at_end_ = true;
    return true;
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Error error = read_error(message);
    // The client goes on by itself after what may pass.
    if (error.code == ErrorCode::kUnavailable) return true;
    out.error = std::move(error);
    broken_ = true;
    return true;
  }
  if (message.offset < next_.value()) return true;
  if (budget.records == 0 || (!budget.nothing_yet && size_of(message) > budget.bytes)) return false;
  log::StoredRecord& record = out.records.emplace_back(record_of(message));
  budget.bytes -= std::min(budget.bytes, size_of(record));
  --budget.records;
  budget.nothing_yet = false;
  next_ = log::Offset(message.offset + 1);
  at_end_ = false;
  return true;
}

void Stream::take(Budget& budget, log::FetchedPartition& out) {
  while (!broken_ && (!held_.empty() || refill())) {
    if (!accept(*held_.front(), budget, out)) break;
    held_.pop_front();
  }
  out.next = next_;
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto known = rd_kafka_get_watermark_offsets(client_.handle(), partition_.topic.c_str(),
                                                    partition_.partition.value(), &low, &high);
  out.high_watermark = std::max(next_, log::Offset(known == RD_KAFKA_RESP_ERR_NO_ERROR ? high : 0));
}

}  // namespace pinflow::kafka_cluster
