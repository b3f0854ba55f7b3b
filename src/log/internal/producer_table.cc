#include "log/internal/producer_table.h"

#include <algorithm>
#include <ranges>

#include "log/internal/bytes.h"
#include "log/internal/sealed_file.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kMagic = "PFPS";
constexpr std::size_t kProducerSize = 8 + 2 + 8 + 1;
constexpr std::size_t kBatchSize = 4 + 4 + 8 + 8;

// Sequences go round at 2^31.
std::int32_t sequence_after(std::int32_t sequence, std::int32_t by) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(by)) &
                                   0x7fffffffU);
}

std::unexpected<BatchRefusal> refuse(BatchFault fault, std::string message) {
  return std::unexpected(BatchRefusal{fault, std::move(message), {}});
}

}  // namespace

const ProducerTable::Producer* ProducerTable::find(std::int64_t id, WallTime now) const {
  const auto at = ids_.find(id);
  if (at == ids_.end() || now - at->second->used > kExpiration) return nullptr;
  return &*at->second;
}

std::expected<std::optional<ProducerTable::Batch>, BatchRefusal> ProducerTable::check(const BatchHeader& header,
                                                                                      WallTime now) const {
  const Producer* known = find(header.producer_id, now);
  if (known == nullptr) return std::nullopt;  // Never seen, or forgotten: any sequence may come.
  if (header.producer_epoch < known->epoch)
    return refuse(BatchFault::kInvalidProducerEpoch, fmt::format("producer {} has epoch {} by now, the batch has {}",
                                                                 known->id, known->epoch, header.producer_epoch));
  if (header.producer_epoch > known->epoch) {
    if (header.base_sequence == 0) return std::nullopt;
    return refuse(BatchFault::kOutOfOrderSequence,
                  fmt::format("producer {} begins epoch {} with sequence {} in place of 0", known->id,
                              header.producer_epoch, header.base_sequence));
  }
  const std::int32_t last = sequence_after(header.base_sequence, header.last_offset_delta);
  for (const Batch& batch : known->batches | std::views::take(known->count))
    if (batch.first_sequence == header.base_sequence && batch.last_sequence == last) return batch;
  const std::int32_t expected = sequence_after(known->batches[known->count - 1].last_sequence, 1);
  if (header.base_sequence == expected) return std::nullopt;
  return refuse(BatchFault::kOutOfOrderSequence, fmt::format("producer {} sends sequence {}, but {} comes next",
                                                             known->id, header.base_sequence, expected));
}

void ProducerTable::add(const BatchHeader& header, Offset base_offset, WallTime now) {
  const auto at = ids_.find(header.producer_id);
  before_.emplace_back(header.producer_id, at == ids_.end() ? std::nullopt : std::optional<Producer>(*at->second));
  note(header, base_offset, now);
}

void ProducerTable::keep() {
  before_.clear();
  forget_oldest();
}

void ProducerTable::undo() {
  for (auto& [id, producer] : before_ | std::views::reverse) {
    const auto at = ids_.find(id);
    if (producer) {
      *at->second = *producer;
    } else {
      producers_.erase(at->second);
      ids_.erase(at);
    }
  }
  before_.clear();
}

void ProducerTable::restore(const BatchHeader& header, WallTime now) {
  note(header, header.base_offset, now);
  forget_oldest();
}

void ProducerTable::note(const BatchHeader& header, Offset base_offset, WallTime now) {
  auto at = ids_.find(header.producer_id);
  if (at == ids_.end()) {
    producers_.emplace_back().id = header.producer_id;
    at = ids_.emplace(header.producer_id, std::prev(producers_.end())).first;
  } else {
    producers_.splice(producers_.end(), producers_, at->second);
  }
  Producer& producer = *at->second;
  if (header.producer_epoch != producer.epoch || now - producer.used > kExpiration) producer.count = 0;
  producer.epoch = header.producer_epoch;
  producer.used = now;
  if (producer.count == kRemembered)
    std::ranges::rotate(producer.batches, producer.batches.begin() + 1);
  else
    ++producer.count;
  producer.batches[producer.count - 1] = {header.base_sequence,
                                          sequence_after(header.base_sequence, header.last_offset_delta), base_offset,
                                          WallTime(std::chrono::milliseconds(header.max_timestamp))};
}

void ProducerTable::forget_oldest() {
  while (ids_.size() > capacity_) {
    ids_.erase(producers_.front().id);
    producers_.pop_front();
  }
}

std::unordered_map<std::int64_t, Offset> ProducerTable::last_batches() const {
  std::unordered_map<std::int64_t, Offset> last;
  for (const Producer& producer : producers_)
    last.emplace(producer.id, producer.batches[producer.count - 1].base_offset);
  return last;
}

void ProducerTable::encode(const Producer& producer, std::string& content) {
  append_big_endian<std::int64_t>(content, producer.id);
  append_big_endian<std::int16_t>(content, producer.epoch);
  append_big_endian<std::int64_t>(content, producer.used.time_since_epoch().count());
  content.push_back(static_cast<char>(producer.count));
  for (const Batch& batch : producer.batches | std::views::take(producer.count)) {
    append_big_endian<std::int32_t>(content, batch.first_sequence);
    append_big_endian<std::int32_t>(content, batch.last_sequence);
    append_big_endian<std::int64_t>(content, batch.base_offset.value());
    append_big_endian<std::int64_t>(content, batch.timestamp.time_since_epoch().count());
  }
}

bool ProducerTable::decode(std::string_view& rest, Producer& producer) {
  std::int64_t used = 0;
  std::uint8_t batches = 0;
  if (!take_big_endian(rest, producer.id) || !take_big_endian(rest, producer.epoch) || !take_big_endian(rest, used) ||
      !take_big_endian(rest, batches) || batches < 1 || batches > kRemembered || rest.size() < batches * kBatchSize)
    return false;
  producer.used = WallTime(std::chrono::milliseconds(used));
  producer.count = batches;
  for (Batch& batch : producer.batches | std::views::take(batches)) {
    std::int64_t offset = 0;
    std::int64_t timestamp = 0;
    if (!take_big_endian(rest, batch.first_sequence) || !take_big_endian(rest, batch.last_sequence) ||
        !take_big_endian(rest, offset) || !take_big_endian(rest, timestamp))
      return false;
    batch.base_offset = Offset(offset);
    batch.timestamp = WallTime(std::chrono::milliseconds(timestamp));
  }
  return true;
}

std::string ProducerTable::encode(Offset base, WallTime now, std::span<const StoredRequest> requests) const {
  std::unordered_map<std::int64_t, const Producer*> kept;  // What add() changed, as it was when it was last kept.
  for (const auto& [id, producer] : before_) kept.emplace(id, producer ? &*producer : nullptr);
  std::vector<const Producer*> live;
  for (const Producer& producer : producers_) {
    const auto changed = kept.find(producer.id);
    const Producer* known = changed == kept.end() ? &producer : changed->second;
    if (known != nullptr && now - known->used <= kExpiration) live.push_back(known);
  }
  std::string content;
  content.reserve(16 + live.size() * (kProducerSize + kRemembered * kBatchSize) +
                  requests.size() * (kProducerSize + kBatchSize));
  append_big_endian<std::int64_t>(content, base.value());
  append_big_endian<std::uint32_t>(content, static_cast<std::uint32_t>(live.size() + requests.size()));
  for (const Producer* producer : live) encode(*producer, content);
  for (const StoredRequest& part : requests) {
    Producer producer{part.id, part.partitions, part.stored, 1, {}};
    producer.batches[0] = {part.content, sequence_after(part.content, part.count - 1), part.base_offset, part.stored};
    encode(producer, content);
  }
  return seal(kMagic, content);
}

Result<std::vector<StoredRequest>> ProducerTable::decode(std::string_view bytes, Offset base) {
  TRY_ASSIGN(std::string_view rest, unseal(kMagic, bytes));
  const auto malformed = [] { return fail(ErrorCode::kCorrupt, "its content is malformed"); };
  std::int64_t before = 0;
  std::uint32_t count = 0;
  if (!take_big_endian(rest, before) || !take_big_endian(rest, count) || count > rest.size() / kProducerSize)
    return malformed();
  if (Offset(before) != base) return fail(ErrorCode::kCorrupt, fmt::format("it is of offset {}", before));
  std::list<Producer> producers;
  std::unordered_map<std::int64_t, Place> ids;
  std::vector<StoredRequest> requests;
  for (std::uint32_t i = 0; i < count; ++i) {
    Producer producer;
    if (!decode(rest, producer)) return malformed();
    if (is_request_id(producer.id)) {
      const Batch& batch = producer.batches[0];
      requests.push_back({producer.id, batch.first_sequence, producer.epoch,
                          sequence_after(batch.last_sequence, -batch.first_sequence) + 1, batch.base_offset,
                          producer.used});
      continue;
    }
    producers.push_back(producer);
    if (!ids.emplace(producer.id, std::prev(producers.end())).second) return malformed();
  }
  if (!rest.empty()) return malformed();
  producers_ = std::move(producers);  // Keeps the places.
  ids_ = std::move(ids);
  before_.clear();
  forget_oldest();
  return requests;
}

}  // namespace pinflow::log
