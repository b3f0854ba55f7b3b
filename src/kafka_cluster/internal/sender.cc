#include "kafka_cluster/internal/sender.h"

#include <algorithm>

namespace pinflow::kafka_cluster {
namespace {

// What a record costs in memory beside its payload, here and in the client.
constexpr std::size_t kRecordOverhead = sizeof(log::Record) + sizeof(Result<log::Appended>) + 200;

constexpr std::array<BatchLimits, 3> kBatches = {{{524'288, 100'000}, {16'384, 10'000}, {16'384, 1}}};

// The producer with the largest batches that a topic with this limit takes.
std::size_t producer_for(std::size_t most_bytes) {
  const auto* const found =
      std::ranges::find_if(kBatches, [&](const BatchLimits& limits) { return limits.bytes <= most_bytes; });
  return std::min(static_cast<std::size_t>(found - kBatches.begin()), kBatches.size() - 1);
}

}  // namespace

// Shared, as the function that gets the outcome must be given away before it is known whether it is called.
struct Sender::Call {
  std::string topic;
  std::vector<log::PartitionId> partitions;
  std::size_t bytes = 0;
  std::size_t most_bytes = 0;
  std::size_t producer = 0;
  log::ProduceDone done;
};

Result<std::unique_ptr<Sender>> Sender::open(const Cluster& cluster, Doubted doubted) {
  std::unique_ptr<Sender> sender(new Sender(cluster, std::move(doubted)));
  TRY(sender->producer(0));
  return sender;
}

Sender::~Sender() {
  stopping_ = true;
  // In this order: what one hands on, the next still answers.
  for (auto& producer : producers_) producer.reset();
}

Result<Producer*> Sender::producer(std::size_t number) {
  const std::scoped_lock lock(mutex_);
  auto& producer = producers_[number];
  if (producer == nullptr) {
    TRY_ASSIGN(producer, Producer::open(cluster_, kBatches[number]));
  }
  return producer.get();
}

void Sender::answer(Call& call, std::vector<Result<log::Appended>> results) {
  pending_ -= call.bytes;
  const auto too_large = [](const auto& result) { return !result && result.error().code == ErrorCode::kInvalid; };
  if (std::ranges::any_of(results, too_large)) doubted_(call.topic);
  call.done(std::move(results));
}

void Sender::produce(const std::string& topic, std::vector<log::PartitionId> partitions,
                     std::vector<log::Record> records, std::size_t most_bytes, log::ProduceDone done) {
  const std::size_t count = records.size();
  std::size_t bytes = 0;
  for (const log::Record& record : records) bytes += payload_of(record) + kRecordOverhead;
  auto call = std::make_shared<Call>(topic, partitions, bytes, most_bytes, producer_for(most_bytes), std::move(done));
  const std::size_t most = cluster_.options.max_pending.count();
  if (pending_.fetch_add(bytes) + bytes > most || stopping_)
    return answer(*call,
                  std::vector<Result<log::Appended>>(
                      count, fail(ErrorCode::kOverloaded,
                                  fmt::format("more than {} bytes wait for the Kafka cluster; try again", most))));
  const auto producer = this->producer(call->producer);
  if (!producer) return answer(*call, std::vector<Result<log::Appended>>(count, fail(producer.error())));
  (*producer)->produce(topic, std::move(partitions), std::move(records), most_bytes,
                       [this, call = std::move(call)](Sent sent) mutable {
                         const bool again = call->producer + 1 < kBatches.size() && !sent.refused.empty();
                         if (!again) return answer(*call, std::move(sent.results));
                         send_alone(std::move(call), std::move(sent));
                       });
}

void Sender::send_alone(std::shared_ptr<Call> call, Sent sent) {
  doubted_(call->topic);
  // A record that is as large as a batch may be was alone in its own.
  std::erase_if(sent.refused,
                [&](std::size_t place) { return payload_of(sent.records[place]) >= kBatches[call->producer].bytes; });
  const auto producer = this->producer(kBatches.size() - 1);
  if (stopping_ || !producer) {
    const Error error = stopping_ ? Error{ErrorCode::kCancelled, "stopped before it was stored"} : producer.error();
    for (const std::size_t place : sent.refused) sent.results[place] = fail(error);
    sent.refused.clear();
  }
  if (sent.refused.empty()) return answer(*call, std::move(sent.results));
  std::vector<log::Record> records;
  std::vector<log::PartitionId> partitions;
  for (const std::size_t place : sent.refused) {
    records.push_back(std::move(sent.records[place]));
    partitions.push_back(call->partitions[place]);
  }
  auto& topic = call->topic;
  auto merge = [this, call, refused = std::move(sent.refused), results = std::move(sent.results)](Sent alone) mutable {
    for (std::size_t i = 0; i < refused.size(); ++i) results[refused[i]] = std::move(alone.results[i]);
    answer(*call, std::move(results));
  };
  (*producer)->produce(topic, std::move(partitions), std::move(records), call->most_bytes, std::move(merge));
}

void Sender::learn(const std::string& topic) {
  for (std::size_t i = 0; i < kBatches.size(); ++i) {
    Producer* known = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      known = producers_[i].get();
    }
    if (known != nullptr) known->learn(topic);
  }
}

}  // namespace pinflow::kafka_cluster
