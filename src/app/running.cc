#include "app/running.h"

#include <condition_variable>
#include <mutex>

#include <fmt/core.h>

namespace pinflow::app {

void run_until_stopped(Environment& environment, Pipeline& pipeline) {
  environment.hangups->set([&] { pipeline.reload_files(); });
  std::mutex mutex;
  std::condition_variable_any never;
  {
    std::unique_lock lock(mutex);
    never.wait(lock, environment.stop, [] { return false; });
  }
  environment.hangups->set({});
}

std::string acknowledgement(const config::Config& config) {
  if (config.log.engine == "kafka") return "once all replicas in sync have it (acks = all)";
  if (config.log.durability == "power") return "after fsync (log.durability = power)";
  if (config.log.durability == "os") return "after write, NOT safe from power loss (log.durability = os)";
  return fmt::format("after write, fsync every {} ms: a power loss takes what came since (log.durability = interval)",
                     config.log.sync_interval.count());
}

}  // namespace pinflow::app
