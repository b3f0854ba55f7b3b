#include "log/internal/segment_scan.h"

#include <algorithm>
#include <optional>

#include "log/internal/bytes.h"
#include "log/internal/file_window.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

// One read of the walk. Headers alone are small and may be far apart; whole batches are read one after the
// other.
constexpr std::size_t kHeaderWindow = 16 << 10;
constexpr std::size_t kBatchWindow = 1 << 20;

// Behind damage the next offset is not known. More records than this in so many bytes are not believed: seven bytes is the least that
// one takes, and compression rarely makes a thousandth of that.
constexpr std::int64_t kMostRecordsPerByte = 256;

class Scanner {
 public:
  Scanner(const disk::File& file, std::uint64_t size, Offset base, SegmentKind kind, Offset end)
      : kind_(kind), end_(end), window_(file, size, kind == SegmentKind::kClosed ? kHeaderWindow : kBatchWindow) {
    scan_.end = base;
    scan_.file_size = size;
  }

  Result<SegmentScan> run() {
    std::uint64_t position = 0;
    while (position < scan_.file_size) {
      TRY_ASSIGN(std::optional<BatchHeader> header, batch_at(position));
      if (header) {
        take(*header, position);
        position += header->size;
        continue;
      }
      if (!doubt_)
        doubt_ = Doubt{position, position, scan_.end, scan_.index, scan_.damage.size(), scan_.produced.size()};
      TRY_ASSIGN(const std::uint64_t next, next_batch(position + 1));
      scan_.damage.push_back({position, next});
      position = next;
      forced_ = true;
    }
    settle_end();
    return std::move(scan_);
  }

 private:
  // A place where the file may have been torn: everything found since is taken back if nothing proves that it
  // was synced.
  struct Doubt {
    std::uint64_t position;
    std::uint64_t valid_size;
    Offset end;
    SegmentIndex index;
    std::size_t damage_size;
    std::size_t produced_size;
  };

  void take(const BatchHeader& header, std::uint64_t position) {
    // The first batch behind a sync proves that all before it was synced: what is broken there is damage.
    if (header.leader_epoch == 0) doubt_.reset();
    scan_.index.note({header.base_offset, position, header.max_timestamp}, forced_);
    if (header.producer_id >= 0) scan_.produced.push_back(header);
    forced_ = false;
    scan_.end = header.end_offset();
    scan_.valid_size = position + header.size;
  }

  void settle_end() {
    // A closed segment was synced to its end, so there nothing is torn.
    if (!doubt_ || kind_ != SegmentKind::kOpen) return;
    scan_.index = std::move(doubt_->index);
    scan_.damage.resize(doubt_->damage_size);
    scan_.produced.resize(doubt_->produced_size);
    scan_.end = doubt_->end;
    scan_.valid_size = doubt_->valid_size;
  }

  // The batch that begins here, if one with the next offset does.
  Result<std::optional<BatchHeader>> batch_at(std::uint64_t position) {
    TRY_ASSIGN(const std::string_view front, window_.look(position, kBatchHeaderSize));
    const auto header = read_batch_header(front);
    const std::uint64_t rest = scan_.file_size - position;
    if (!header || header->size > rest || header->base_offset < scan_.end) return std::nullopt;
    if (header->end_offset() > end_) return std::nullopt;
    const std::int64_t skipped = header->base_offset - scan_.end;
    if (kind_ != SegmentKind::kRewritten && skipped != 0 && (!forced_ || skipped > most_skipped())) return std::nullopt;
    if (kind_ == SegmentKind::kClosed && !forced_) return *header;
    TRY_ASSIGN(const std::string_view batch, window_.look(position, header->size));
    if (!check_batch(batch)) return std::nullopt;
    return *header;
  }

  // The first place from `position` where a valid batch begins, or the end of the file.
  Result<std::uint64_t> next_batch(std::uint64_t position) {
    const bool was_forced = std::exchange(forced_, true);
    bool found = false;
    while (position + kBatchHeaderSize <= scan_.file_size) {
      TRY_ASSIGN(const std::string_view far, window_.look_far(position, kBatchHeaderSize));
      // Most places are ruled out by the format byte and the high bytes of the offset, cheaply.
      if (far.size() < kBatchHeaderSize) break;  // Another process cut the file.
      std::size_t skip = 0;
      while (skip + kBatchHeaderSize <= far.size() && !may_begin(far.data() + skip)) ++skip;
      position += skip;
      if (skip + kBatchHeaderSize > far.size()) continue;
      TRY_ASSIGN(const std::optional<BatchHeader> header, batch_at(position));
      found = header.has_value();
      if (found) break;
      ++position;
    }
    forced_ = was_forced;
    return found ? position : scan_.file_size;
  }

  bool may_begin(const char* at) const {
    if (at[16] != 2) return false;
    const auto offset = load_big_endian<std::int64_t>(at);
    if (offset < scan_.end.value()) return false;
    return kind_ == SegmentKind::kRewritten ? offset < end_.value() : offset - scan_.end.value() <= most_skipped();
  }

  std::int64_t most_skipped() const { return static_cast<std::int64_t>(scan_.file_size) * kMostRecordsPerByte; }

  const SegmentKind kind_;
  const Offset end_;
  FileWindow window_;
  SegmentScan scan_;
  std::optional<Doubt> doubt_;
  bool forced_ = false;  // The next valid batch stands behind damage.
};

}  // namespace

Result<SegmentScan> scan_segment(const disk::File& file, Offset base, SegmentKind kind, Offset end) {
  TRY_ASSIGN(const std::uint64_t size, file.size());
  return Scanner(file, size, base, kind, end).run();
}

}  // namespace pinflow::log
