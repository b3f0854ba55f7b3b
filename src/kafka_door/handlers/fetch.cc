#include "kafka_door/handlers/fetch.h"

#include <algorithm>
#include <chrono>

#include "kafka_door/handlers/offsets.h"
#include "log/record_batch.h"

namespace pinflow::kafka_door {

using kafka_wire::FetchRequest;
using kafka_wire::FetchResponse;
using kafka_wire::KafkaError;

namespace {
constexpr std::int16_t kFirstWithIds = 13;
constexpr std::int16_t kFirstWithZstd = 10;
constexpr int kZstd = 4;
constexpr std::size_t kLeastShare = 64 << 10;  // Of the memory that is left; one batch comes in any case.

// What one partition of a request has got so far.
struct Progress {
  log::TopicPartition partition;
  log::Offset next;
  std::size_t max_bytes = 0;
  log::OffsetRange range{log::Offset(-1), log::Offset(-1)};
  KafkaError error = KafkaError::kNone;
  std::string bytes;
};

// Walks the batches of what was read. Gives the offset behind the last one; none: it has a compression that this client does not
// know.
std::optional<log::Offset> end_of(std::string_view batches, log::Offset from, bool knows_zstd) {
  while (!batches.empty()) {
    const auto header = log::read_batch_header(batches);
    if (!header || header->size > batches.size()) break;  // The log gives whole batches only.
    if (!knows_zstd && header->codec() == kZstd) return std::nullopt;
    from = header->end_offset();
    batches.remove_prefix(header->size);
  }
  return from;
}

// One Fetch request: reads what is there, keeps it while the client wants to wait for more, and reads on from there.
class Fetching final : public LongPoll {
 public:
  Fetching(Context& context, Call call, FetchRequest request, const Reply& reply);

  std::optional<Answer> look(bool last) override;
  std::span<const log::FetchPosition> positions() const override { return positions_; }
  SteadyTime deadline() const override { return deadline_; }

 private:
  void resolve();
  void read();
  bool read_one(Progress& progress);
  Answer answer();

  Context& context_;
  const Call call_;  // Names of topics lie in its frame.
  const FetchRequest request_;
  const std::int16_t version_;
  const SteadyTime deadline_;
  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  bool failed_ = false;
  std::vector<Progress> partitions_;  // In the order of the request.
  std::vector<log::FetchPosition> positions_;
};

std::size_t allowed_bytes(const Context& context, const FetchRequest& request) {
  const auto asked = static_cast<std::size_t>(std::max(request.max_bytes, 0));
  const auto most = std::min<std::size_t>(asked, context.options.limits.max_fetch.count());
  return std::min<std::size_t>(most, std::max<std::size_t>(kLeastShare, context.budget.left() / 4));
}

Fetching::Fetching(Context& context, Call call, FetchRequest request, const Reply& reply)
    : context_(context),
      call_(std::move(call)),
      request_(std::move(request)),
      version_(reply.version()),
      deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max(request_.max_wait_ms, 0))),
      max_bytes_(allowed_bytes(context, request_)) {
  resolve();
}

// Finds the partitions, and what is wrong with some of them.
void Fetching::resolve() {
  for (const auto& topic : request_.topics) {
    std::optional<std::string> name;
    if (version_ < kFirstWithIds) {
      name = topic.topic;
    } else if (auto found = context_.log.topic_by_id(topic.topic_id)) {
      name = std::move(found->name);
    }
    for (const auto& asked : topic.partitions) {
      Progress& progress = partitions_.emplace_back();
      progress.partition = {name.value_or(""), log::PartitionId(asked.partition)};
      progress.next = log::Offset(asked.fetch_offset);
      progress.max_bytes = static_cast<std::size_t>(std::max(asked.partition_max_bytes, 0));
      progress.error = name ? check_leader_epoch(context_.log, progress.partition, asked.current_leader_epoch)
                            : KafkaError::kUnknownTopicId;
      failed_ = failed_ || progress.error != KafkaError::kNone;
    }
  }
}

std::optional<Answer> Fetching::look(bool last) {
  read();
  const bool enough =
      failed_ || bytes_ >= static_cast<std::size_t>(std::max(request_.min_bytes, 0)) || bytes_ >= max_bytes_;
  if (last || enough || request_.max_wait_ms <= 0 || partitions_.empty()) return answer();
  positions_.clear();
  for (const Progress& progress : partitions_) positions_.push_back({progress.partition, progress.next});
  return std::nullopt;
}

// Reads on in all partitions. Each request begins with another one, so that none starves behind others that fill the answer.
void Fetching::read() {
  const std::size_t count = partitions_.size();
  const auto start = static_cast<std::uint32_t>(call_.header.correlation_id);
  for (std::size_t i = 0; i < count; ++i) {
    Progress& progress = partitions_[(start + i) % count];
    if (progress.error == KafkaError::kNone && !read_one(progress)) failed_ = true;
  }
}

// False: the partition cannot be read.
bool Fetching::read_one(Progress& progress) {
  const std::size_t room = max_bytes_ > bytes_ ? max_bytes_ - bytes_ : 0;
  const std::size_t own_room =
      progress.max_bytes > progress.bytes.size() ? progress.max_bytes - progress.bytes.size() : 0;
  auto got = context_.log.read_batches(progress.partition, progress.next, std::min(room, own_room), bytes_ == 0);
  if (!got) {
    progress.error = read_error(got.error());
    if (const auto range = context_.log.offsets(progress.partition)) progress.range = *range;
    return false;
  }
  progress.range = got->range;
  if (got->bytes.empty()) return true;
  const auto next = end_of(got->bytes, progress.next, version_ >= kFirstWithZstd);
  if (!next) {
    progress.error = KafkaError::kUnsupportedCompressionType;
    return false;
  }
  progress.next = *next;
  bytes_ += got->bytes.size();
  if (progress.bytes.empty()) {
    progress.bytes = std::move(got->bytes);
  } else {
    progress.bytes += got->bytes;
  }
  return true;
}

Answer Fetching::answer() {
  FetchResponse response;
  Answer answer;
  answer.records.reserve(partitions_.size());
  std::size_t at = 0;
  for (const auto& topic : request_.topics) {
    auto& answered = response.topics.emplace_back();
    answered.topic = topic.topic;
    answered.topic_id = topic.topic_id;
    answered.partitions.reserve(topic.partitions.size());
    for (const auto& asked : topic.partitions) {
      Progress& progress = partitions_[at++];
      auto& partition = answered.partitions.emplace_back();
      partition.partition_index = asked.partition;
      partition.error_code = progress.error;
      partition.high_watermark = progress.range.end.value();
      partition.last_stable_offset = progress.range.end.value();
      partition.log_start_offset = progress.range.begin.value();
      if (request_.isolation_level == 1) partition.aborted_transactions.emplace();
      partition.records = "";
      if (progress.error != KafkaError::kNone || progress.bytes.empty()) continue;
      partition.records = answer.records.emplace_back(std::move(progress.bytes));
    }
  }
  answer.frame = kafka_wire::encode_response(response, version_, call_.header.correlation_id);
  return answer;
}
}  // namespace

void fetch(Context& context, Call call, FetchRequest request, Reply reply) {
  if (request.session_id != 0 || request.session_epoch > 0) {
    FetchResponse response;
    response.error_code = KafkaError::kFetchSessionIdNotFound;
    return reply.send(response);
  }
  auto fetching = std::make_unique<Fetching>(context, std::move(call), std::move(request), reply);
  if (auto answer = fetching->look(false)) return reply.give(std::move(*answer));
  reply.give(Answer::wait(std::move(fetching)));
}

}  // namespace pinflow::kafka_door
