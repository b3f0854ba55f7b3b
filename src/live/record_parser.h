#pragma once

#include <cstdint>
#include <vector>

#include "live/live_state.h"
#include "log/log.h"
#include "records/kind.h"
#include "records/raw_batch.h"

namespace pinflow::live {

// Reads fetched records of one kind as the state takes them. Not thread-safe; keeps its buffers for the next batch.
class RecordParser {
 public:
  explicit RecordParser(records::Kind kind);

  // Reads all records. Times later than `now` count as now. What was read, and its texts, are good until the next call.
  void read(const log::FetchedPartition& fetched, WallTime now);
  // Gives what was read to the state, in order.
  void apply(LiveState& state, SourceState& source) const;
  // Calls `visit` with a Pin, Geo or User for each that was read, in order, with the offset.
  template <class Visit>
  void for_each(Visit visit) const;
  std::uint64_t unreadable() const { return unreadable_; }
  std::size_t records() const { return times_.size() + unreadable_; }

 private:
  std::size_t column(std::string_view name) const;
  Pin pin(std::size_t row) const;
  Geo geo(std::size_t row) const;
  User user(std::size_t row) const;

  records::RawBatch batch_;
  const records::Kind kind_;
  const std::size_t ind_;
  const std::size_t name_;       // poster_name; country; age.
  const std::size_t second_;     // follower_count; none; none.
  const std::size_t third_;      // category; none; none.
  std::vector<WallTime> times_;  // Of each row of the batch ...
  std::vector<std::int64_t> offsets_;
  std::uint64_t unreadable_ = 0;
};

template <class Visit>
void RecordParser::for_each(Visit visit) const {
  for (std::size_t row = 0; row < times_.size(); ++row) {
    switch (kind_) {
      case records::Kind::kPin:
        visit(pin(row), log::Offset(offsets_[row]));
        break;
      case records::Kind::kGeo:
        visit(geo(row), log::Offset(offsets_[row]));
        break;
      case records::Kind::kUser:
        visit(user(row), log::Offset(offsets_[row]));
        break;
    }
  }
}

}  // namespace pinflow::live
