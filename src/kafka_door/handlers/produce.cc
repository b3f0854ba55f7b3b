#include "kafka_door/handlers/produce.h"

#include <atomic>
#include <optional>

#include <fmt/format.h>

#include "log/record_batch.h"

namespace pinflow::kafka_door {

using kafka_wire::KafkaError;
using kafka_wire::ProduceRequest;
using kafka_wire::ProduceResponse;

namespace {
constexpr std::int16_t kFirstServed = 3;
constexpr std::int16_t kFirstWithZstd = 7;
constexpr int kZstd = 4;
constexpr std::uint16_t kTransactional = 16;
constexpr std::size_t kMagicAt = 16;

struct Refusal {
  KafkaError error;
  std::string message;
};

KafkaError error_of(log::BatchFault fault) {
  switch (fault) {
    case log::BatchFault::kUnknownTopicOrPartition:
      return KafkaError::kUnknownTopicOrPartition;
    case log::BatchFault::kCorruptMessage:
      return KafkaError::kCorruptMessage;
    case log::BatchFault::kUnsupportedMessageFormat:
      return KafkaError::kUnsupportedForMessageFormat;
    case log::BatchFault::kMessageTooLarge:
      return KafkaError::kMessageTooLarge;
    case log::BatchFault::kInvalidRecord:
      return KafkaError::kInvalidRecord;
    case log::BatchFault::kInvalidTimestamp:
      return KafkaError::kInvalidTimestamp;
    case log::BatchFault::kOutOfOrderSequence:
      return KafkaError::kOutOfOrderSequenceNumber;
    case log::BatchFault::kInvalidProducerEpoch:
      return KafkaError::kInvalidProducerEpoch;
    case log::BatchFault::kStorage:
      return KafkaError::kKafkaStorageError;
    case log::BatchFault::kOverloaded:
      return KafkaError::kNotEnoughReplicas;  // Clients send again, and know that nothing was stored.
    case log::BatchFault::kUnknownOutcome:
      return KafkaError::kRequestTimedOut;  // Clients send again, and know that it may have been stored.
  }
  return KafkaError::kUnknownServerError;
}

// One Produce request on its way through the log. Its batches are answered from any thread, each into its own place of the response;
// the last one sends it.
class Production final {
 public:
  Production(Call call, const ProduceRequest& request, Reply reply)
      : call_(std::move(call)), reply_(std::move(reply)), acks_(request.acks) {
    for (const auto& topic : request.topics) {
      auto& answered = response_.topics.emplace_back();
      answered.name = topic.name;
      answered.partitions.resize(topic.partitions.size());
      waiting_ += topic.partitions.size();
    }
  }

  ProduceResponse& response() { return response_; }
  const Call& call() const { return call_; }

  static void refuse(ProduceResponse::Partition& partition, KafkaError error, std::string message) {
    partition.error_code = error;
    partition.base_offset = -1;
    partition.error_message = std::move(message);
  }
  static void fill(ProduceResponse::Partition& partition, log::BatchResult result) {
    if (result) {
      partition.base_offset = result->base_offset.value();
      partition.log_start_offset = result->log_start.value();
      if (result->append_time) partition.log_append_time_ms = result->append_time->time_since_epoch().count();
      return;
    }
    refuse(partition, error_of(result.error().fault), std::move(result.error().message));
    for (auto& record : result.error().records) {
      partition.record_errors.push_back({record.index, std::move(record.message)});
    }
  }
  // One batch is answered.
  void finish_one() {
    if (waiting_.fetch_sub(1, std::memory_order_acq_rel) == 1) send();
  }

 private:
  void send() {
    if (acks_ != 0) return reply_.send(response_);
    // The client waits for nothing: closing is the only way to tell it that something failed.
    for (const auto& topic : response_.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code == KafkaError::kNone) continue;
        return reply_.close(fmt::format("a Produce request with acks=0 failed for {}/{}: {}", topic.name,
                                        partition.index, partition.error_message.value_or("")));
      }
    }
    reply_.nothing();
  }

  Call call_;
  Reply reply_;
  const std::int16_t acks_;
  ProduceResponse response_;
  std::atomic<std::size_t> waiting_ = 1;  // Batches without an answer, and the handler itself.
};

// What is wrong with the request as a whole.
std::optional<Refusal> check_request(const ProduceRequest& request, std::int16_t version) {
  if (version < kFirstServed) {
    return Refusal{KafkaError::kUnsupportedVersion,
                   "the message formats before Kafka 0.11 are not offered; set the client's "
                   "version of the broker to 0.11 or later"};
  }
  if (request.acks < -1 || request.acks > 1) {
    return Refusal{KafkaError::kInvalidRequiredAcks, fmt::format("acks is {}; it can be 0, 1 or -1", request.acks)};
  }
  if (request.transactional_id) {
    return Refusal{KafkaError::kTransactionalIdAuthorizationFailed, "transactions are not offered"};
  }
  return std::nullopt;
}

// What is wrong with the records of one partition, as far as the log does not look.
std::optional<Refusal> check_records(std::optional<std::string_view> records, std::int16_t version) {
  if (!records || records->size() <= kMagicAt) return Refusal{KafkaError::kInvalidRecord, "there is no record batch"};
  if ((*records)[kMagicAt] == 0 || (*records)[kMagicAt] == 1) {
    return Refusal{KafkaError::kUnsupportedForMessageFormat, "message formats 0 and 1 are not offered"};
  }
  const auto header = log::read_batch_header(*records);
  if (!header) return Refusal{KafkaError::kCorruptMessage, header.error().message};
  if (header->size != records->size()) {
    const bool cut = header->size > records->size();
    return Refusal{cut ? KafkaError::kCorruptMessage : KafkaError::kInvalidRecord,
                   cut ? "the record batch is cut" : "there must be exactly one record batch for each partition"};
  }
  if (header->codec() == kZstd && version < kFirstWithZstd) {
    return Refusal{KafkaError::kUnsupportedCompressionType, "zstd needs Produce version 7 or later"};
  }
  if ((header->attributes & kTransactional) != 0) {
    return Refusal{KafkaError::kTransactionalIdAuthorizationFailed, "transactions are not offered"};
  }
  return std::nullopt;
}
}  // namespace

void produce(Context& context, Call call, ProduceRequest request, Reply reply) {
  const std::int16_t version = reply.version();
  const auto wrong = check_request(request, version);
  // Shared by the batches that are on their way.
  const auto production = std::make_shared<Production>(std::move(call), request, std::move(reply));
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    const auto& topic = request.topics[i];
    for (std::size_t k = 0; k < topic.partitions.size(); ++k) {
      const auto& asked = topic.partitions[k];
      auto& answered = production->response().topics[i].partitions[k];
      answered.index = asked.index;
      const auto refusal = wrong ? wrong : check_records(asked.records, version);
      if (refusal) {
        Production::refuse(answered, refusal->error, refusal->message);
        production->finish_one();
        continue;
      }
      context.log.append_batch(
          {{std::string(topic.name), log::PartitionId(asked.index)}, *asked.records, production->call().frame},
          [production, &answered](log::BatchResult result) {
            Production::fill(answered, std::move(result));
            production->finish_one();
          });
    }
  }
  production->finish_one();
}

void init_producer_id(Context& context, Call /*call*/, kafka_wire::InitProducerIdRequest request, Reply reply) {
  kafka_wire::InitProducerIdResponse response;
  if (request.transactional_id) {
    // Never an error after which clients try again: some would for ever.
    response.error_code = request.transactional_id->empty() ? KafkaError::kInvalidRequest
                                                            : KafkaError::kTransactionalIdAuthorizationFailed;
    return reply.send(response);
  }
  // A producer that asks for a higher epoch of its old id gets a new id, which serves as well (KIP-360).
  run_blocking(context, std::move(reply), [&context, response](Reply later) mutable {
    const auto id = context.log.new_producer_id();
    if (id) {
      response.producer_id = *id;
    } else {
      context.logger.warning("no producer id can be given out", {{"error", id.error().message}});
      response.error_code = KafkaError::kCoordinatorNotAvailable;  // Clients try again.
    }
    later.send(response);
  });
}

}  // namespace pinflow::kafka_door
