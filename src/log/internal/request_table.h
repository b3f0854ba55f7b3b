#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace pinflow::log {

// Batches of produce_once stand in the log as those of a producer whose id has this bit set, which counting from 0 never reaches.
inline constexpr std::int64_t kRequestBit = std::int64_t{1} << 62;
inline bool is_request_id(std::int64_t producer_id) {
  return producer_id >= kRequestBit;
}

// The part of a request that one partition stored, in one batch. That batch carries all of this in the fields of its producer: the id;
// as its epoch how many partitions the topic had when the request's records were first placed; as its sequence the content.
struct StoredRequest {
  std::int64_t id = 0;
  std::int32_t content = 0;
  std::int16_t partitions = 0;
  std::int32_t count = 0;  // Of its records.
  Offset base_offset;
  WallTime stored;
  WallTime record_time{};  // Of a part whose time of storing recovery does not know: puts these in order.
};

BatchProducer producer_of(std::int64_t id, std::int32_t content, std::int16_t partitions);
StoredRequest request_of(const BatchHeader& header, WallTime stored);

// What the log remembers of requests that must not be stored twice: which partitions stored their part of one, and where. It forgets
// after `window`, and when there are more than `capacity` entries (an entry is a part; about 120 bytes) the oldest of all partitions
// first. Owned by the committer's thread, and before that by the one that opens the log; new_slot() may be called from any thread.
class RequestTable final {
 public:
  using Slot = std::uint32_t;  // Stands for a partition; never given out again.

  RequestTable(std::chrono::milliseconds window, std::size_t capacity) : window_(window), capacity_(capacity) {}

  Slot new_slot() { return next_slot_++; }

  // Any stored part of the request.
  std::optional<StoredRequest> find(std::int64_t id, WallTime now) const;
  // The part that the partition stored.
  std::optional<StoredRequest> find(std::int64_t id, Slot slot, WallTime now) const;

  // Notes a part that is about to be stored; as with ProducerTable keep() or undo() ends what add() began.
  void add(const StoredRequest& part, Slot slot);
  void keep(WallTime now);
  void undo();

  // The parts of one partition, the oldest first, without those that add() noted since the last keep(). Looks at all entries.
  std::vector<StoredRequest> of_slot(Slot slot, WallTime now) const;

  // Takes what opening finds in a partition. settle() is called once at its end.
  void recover(std::vector<StoredRequest> parts, Slot slot);
  void settle(WallTime now);

  std::size_t size() const { return entries_.size(); }
  std::size_t capacity() const { return capacity_; }

 private:
  struct Entry {
    StoredRequest part;
    Slot slot = 0;
    std::uint64_t previous = 0;  // Number of the entry before with this id; forgotten, if it is below first_.
  };
  const Entry* at(std::uint64_t number) const { return number < first_ ? nullptr : &entries_[number - first_]; }
  bool counts(const Entry& entry, WallTime now) const { return now - entry.part.stored <= window_; }
  void forget_oldest();
  void cut_recovered(std::size_t most);

  const std::chrono::milliseconds window_;
  const std::size_t capacity_;
  std::atomic<Slot> next_slot_ = 0;
  std::deque<Entry> entries_;                               // The oldest first.
  std::uint64_t first_ = 1;                                 // Number of the oldest entry; 0 is never one.
  std::unordered_map<std::int64_t, std::uint64_t> newest_;  // By id, the number of its last entry.
  std::size_t unkept_ = 0;                                  // So many at the end may yet be undone.
  std::vector<std::pair<StoredRequest, Slot>> recovered_;   // Until settle().
};

}  // namespace pinflow::log
