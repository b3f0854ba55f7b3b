#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "log/log.h"
#include "log/topic_settings.h"

namespace pinflow::log {

// Gives a topic the settings that `make` makes of it as it is. Whoever derives settings from those that are there calls this and not
// Log::alter_topic: calls follow one another, so that none loses what another has changed. `make` is called at once and must not call this.
// Errors: those of the log and of `make`. Writes to the disk. From any thread.
Result<Topic> change_topic(Log& log, const std::string& name,
                           const std::function<Result<TopicConfigs>(const Topic&)>& make);

}  // namespace pinflow::log
