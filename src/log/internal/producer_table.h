#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/broker_log.h"
#include "log/internal/request_table.h"
#include "log/record_batch.h"

namespace pinflow::log {

// What a partition remembers of idempotent producers (KIP-98): of each id its epoch and its last five batches, so that a batch that is
// sent again is known and a missing one is noticed. An id is forgotten a day after its last batch, or when more ids than
// `capacity` are known, the longest unused first. Owned by one thread at a time; a value type but for its size.
class ProducerTable final {
 public:
  static constexpr std::size_t kRemembered = 5;
  static constexpr std::chrono::hours kExpiration{24};  // Kafka's producer.id.expiration.ms.

  explicit ProducerTable(std::size_t capacity = 5'000) : capacity_(capacity) {}

  struct Batch {
    std::int32_t first_sequence = 0;
    std::int32_t last_sequence = 0;
    Offset base_offset;
    WallTime timestamp;  // The greatest of its records.
    friend bool operator==(const Batch&, const Batch&) = default;
  };

  // Says of a batch with a producer whether it comes next (none), was stored before (as what), or is refused: kOutOfOrderSequence,
  // kInvalidProducerEpoch.
  std::expected<std::optional<Batch>, BatchRefusal> check(const BatchHeader& header, WallTime now) const;

  // Notes a batch that check() let through, at the offset it gets. keep() or undo() ends what add() began: undo() takes all back
  // since the last keep().
  void add(const BatchHeader& header, Offset base_offset, WallTime now);
  void keep();
  void undo();

  // Notes a batch that is stored, whatever was known before: for rebuilding.
  void restore(const BatchHeader& header, WallTime now);

  std::size_t size() const { return ids_.size(); }
  // Where the last batch of each producer stands: compaction keeps these, be it without records.
  std::unordered_map<std::int64_t, Offset> last_batches() const;

  // The file <base offset>.producers (docs/formats/log.md): the state before the record with the offset `base`, without what add()
  // noted since the last keep(), which may yet not be stored. It holds the partition's parts of requests, too, which are not this
  // table's.
  std::string encode(Offset base, WallTime now, std::span<const StoredRequest> requests = {}) const;
  // Replaces all. Gives the parts of requests. kCorrupt, kInvalid: nothing changes.
  Result<std::vector<StoredRequest>> decode(std::string_view bytes, Offset base);

 private:
  struct Producer {
    std::int64_t id = 0;
    std::int16_t epoch = 0;
    WallTime used;  // When its last batch came.
    std::uint32_t count = 0;
    std::array<Batch, kRemembered> batches;  // The oldest first.
  };
  using Place = std::list<Producer>::iterator;

  static void encode(const Producer& producer, std::string& content);
  static bool decode(std::string_view& rest, Producer& producer);
  const Producer* find(std::int64_t id, WallTime now) const;
  void note(const BatchHeader& header, Offset base_offset, WallTime now);
  void forget_oldest();

  const std::size_t capacity_;
  std::list<Producer> producers_;  // The longest unused first.
  std::unordered_map<std::int64_t, Place> ids_;
  std::vector<std::pair<std::int64_t, std::optional<Producer>>> before_;  // What add() changed, as it was.
};

}  // namespace pinflow::log
