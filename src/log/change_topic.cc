#include "log/change_topic.h"

#include <mutex>

namespace pinflow::log {

namespace {
// Of all logs of the process: it has one, and settings change seldom. It guards no data of its own, only the time between look and change.
std::mutex changing;
}  // namespace

Result<Topic> change_topic(Log& log, const std::string& name,
                           const std::function<Result<TopicConfigs>(const Topic&)>& make) {
  const std::scoped_lock lock(changing);
  TRY_ASSIGN(const Topic topic, log.topic(name));
  TRY_ASSIGN(TopicConfigs configs, make(topic));
  return log.alter_topic(name, std::move(configs));
}

}  // namespace pinflow::log
