#pragma once

#include <map>
#include <string>
#include <string_view>

#include "live/condensed.h"
#include "live/live_state.h"
#include "records/kind.h"

namespace pinflow::live {

// The live state put together from condensed streams: a sans-I/O core. Their records may come in any order, any of them more than once,
// and those that compaction removed not at all: once the last of each key was taken, the state is that of who read the streams
// themselves (bit for bit, as long as LiveState promises it). One thread at a time may change it.
class MergedState final {
 public:
  MergedState(const StateOptions& options, records::Names names) : names_(std::move(names)), state_(options) {}

  void take(const CondensedEntry& entry);
  // Takes the greatest mark of each source. Returns whether it is news.
  bool take(const CondensedMark& mark);

  const LiveState& state() const { return state_; }
  LiveParts& parts() { return state_.parts(); }
  const std::map<SourcePartition, CondensedMark>& marks() const { return marks_; }

  // Begins with what one who read the streams themselves had saved: posts count from there on whose streams were removed since. Into
  // a state that is new; kCorrupt, kInvalid: it is then of no use.
  Result<void> begin_with(std::string_view direct);

  // docs/formats/live-checkpoint.md, "Of condensed streams".
  void save(StateWriter& out) const;
  Result<void> load(StateReader& in);

 private:
  void show(const CondensedMark& mark);

  const records::Names names_;
  LiveState state_;
  std::map<SourcePartition, CondensedMark> marks_;
};

}  // namespace pinflow::live
