#include "live/merged_state.h"

#include <fmt/format.h>

namespace pinflow::live {

using records::Kind;

void MergedState::take(const CondensedEntry& entry) {
  switch (entry.source.kind) {
    case Kind::kPin:
      state_.take(Pin{.ind = entry.ind,
                      .profile = entry.name,
                      .followers = entry.number,
                      .category = entry.category,
                      .time = entry.time,
                      .offset = entry.place.offset.value()});
      break;
    case Kind::kGeo:
      state_.take(Geo{.ind = entry.ind, .country = entry.name, .time = entry.time});
      break;
    case Kind::kUser:
      state_.take(User{.ind = entry.ind, .age = entry.number, .time = entry.time});
      break;
  }
}

bool MergedState::take(const CondensedMark& mark) {
  const auto [at, is_new] = marks_.try_emplace(mark.source, mark);
  if (!is_new && mark.next < at->second.next) return false;
  // Of what each source counts its last mark counts.
  state_.note_repeats(mark.repeats - (is_new ? 0 : at->second.repeats));
  state_.note_unreadable(mark.unreadable - (is_new ? 0 : at->second.unreadable));
  at->second = mark;
  show(mark);
  return true;
}

void MergedState::show(const CondensedMark& mark) {
  SourceState& source =
      state_.follow({names_.stream(mark.source.kind), log::PartitionId(mark.source.partition)}, Uuid());
  source.next = mark.next.offset;
  source.newest = mark.newest;
  source.late = mark.late;
  source.too_late = mark.too_late;
}

Result<void> MergedState::begin_with(std::string_view direct) {
  TRY(state_.load(direct));
  for (const auto& [partition, source] : state_.sources()) {
    if (const auto kind = records::kind_of(partition.topic); !kind || names_.stream(*kind) != partition.topic) {
      return fail(ErrorCode::kInvalid, fmt::format("it is of other streams, such as {}", partition.topic));
    }
  }
  // The marks count these from the beginning.
  state_.note_repeats(-state_.parts().counts.repeats);
  state_.note_unreadable(-state_.parts().counts.unreadable);
  return {};
}

void MergedState::save(StateWriter& out) const {
  out.whole(marks_.size());
  for (const auto& [source, mark] : marks_) {
    const log::Record record = encode(mark);
    out.text(*record.key);
    out.text(*record.value);
  }
  out.text(state_.save());
}

Result<void> MergedState::load(StateReader& in) {
  for (std::uint64_t left = in.count(2); left > 0 && in.ok(); --left) {
    const std::string_view key = in.text();
    TRY_ASSIGN(const Condensed read, decode_condensed(key, in.text()));
    const auto* const mark = std::get_if<CondensedMark>(&read);
    if (mark == nullptr || !marks_.emplace(mark->source, *mark).second) in.refuse();
  }
  const std::string_view state = in.text();
  if (!in.ok()) return fail(ErrorCode::kCorrupt, "the marks of a saved state cannot be read");
  return state_.load(state);
}

}  // namespace pinflow::live
