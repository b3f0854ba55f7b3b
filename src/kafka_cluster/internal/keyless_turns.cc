#include "kafka_cluster/internal/keyless_turns.h"

namespace pinflow::kafka_cluster {

log::PartitionId KeylessTurns::place(std::string_view topic, std::int32_t partitions, std::size_t bytes) {
  const SteadyTime now = clock_.steady_now();
  const std::scoped_lock lock(mutex_);
  auto found = turns_.find(topic);
  if (found == turns_.end()) found = turns_.emplace(topic, Turn{0, 0, now}).first;
  Turn& turn = found->second;
  if (turn.bytes >= kTurnBytes || now - turn.began >= kTurnTime) turn = {turn.number + 1, 0, now};
  turn.bytes += bytes;
  return log::PartitionId(static_cast<std::int32_t>(turn.number % static_cast<std::uint32_t>(partitions)));
}

}  // namespace pinflow::kafka_cluster
