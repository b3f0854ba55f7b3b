#include "log/internal/partition_state.h"

#include <algorithm>

#include "log/internal/bytes.h"
#include "log/internal/sealed_file.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kMagic = "PFST";
constexpr std::size_t kEpochSize = 12;
constexpr std::size_t kMostEpochs = 1'000;  // Older ones are merged: nobody asks for them after so many crashes.

}  // namespace

std::int32_t PartitionState::epoch_at(Offset offset) const {
  const auto above = std::ranges::upper_bound(epochs, offset, {}, &Epoch::start);
  return above == epochs.begin() ? epochs.front().number : std::prev(above)->number;
}

EpochEnd PartitionState::epoch_end(std::int32_t number, Offset end) const {
  const auto above = std::ranges::upper_bound(epochs, number, {}, &Epoch::number);
  if (above == epochs.begin()) return {};
  return {std::prev(above)->number, above == epochs.end() ? end : above->start};
}

void PartitionState::begin_epoch(Offset start) {
  const std::int32_t next = epochs.back().number + 1;
  std::erase_if(epochs, [&](const Epoch& epoch) { return epoch.start >= start; });
  epochs.push_back({next, start});
  if (epochs.size() > kMostEpochs) epochs.erase(epochs.begin());
}

std::string PartitionState::encode() const {
  std::string content;
  append_big_endian<std::int64_t>(content, log_start.value());
  append_big_endian<std::uint32_t>(content, static_cast<std::uint32_t>(epochs.size()));
  for (const Epoch& epoch : epochs) {
    append_big_endian<std::int32_t>(content, epoch.number);
    append_big_endian<std::int64_t>(content, epoch.start.value());
  }
  return seal(kMagic, content);
}

Result<PartitionState> PartitionState::decode(std::string_view bytes) {
  TRY_ASSIGN(std::string_view rest, unseal(kMagic, bytes));
  const auto malformed = [] { return fail(ErrorCode::kCorrupt, "its content is malformed"); };
  PartitionState state;
  std::int64_t log_start = 0;
  std::uint32_t count = 0;
  if (!take_big_endian(rest, log_start) || !take_big_endian(rest, count) || log_start < 0 || count == 0 ||
      rest.size() != std::size_t{count} * kEpochSize)
    return malformed();
  state.log_start = Offset(log_start);
  state.epochs.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    std::int64_t start = 0;
    Epoch epoch;
    take_big_endian(rest, epoch.number);
    take_big_endian(rest, start);
    epoch.start = Offset(start);
    if (epoch.number < 0 || start < 0) return malformed();
    if (i > 0 && (epoch.number <= state.epochs.back().number || epoch.start <= state.epochs.back().start))
      return malformed();
    state.epochs.push_back(epoch);
  }
  return state;
}

}  // namespace pinflow::log
