#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/logger.h"
#include "live/intake.h"
#include "records/kind.h"

namespace pinflow::live {

struct CondensedTopic {
  std::string name = "pinflow-live";
  std::int32_t for_each_kind = 4;  // A third of its partitions.
};

// The topic as it is to be made: compacted.
log::TopicSpec condensed_spec(const CondensedTopic& topic);
// Whether the topic in the log is one that condensed streams can lie in. kInvalid says what is otherwise and how to mend it.
Result<void> check_condensed(const CondensedTopic& wanted, const log::Topic& found);
// Makes it where it is missing, and checks it.
Result<void> make_condensed(const CondensedTopic& topic, log::Log& log);

// Of the topic of condensed streams. What is shown are the streams' own partitions, by their marks. `log` tells which there are.
std::unique_ptr<Intake> read_condensed(const StateOptions& options, const CondensedTopic& topic, records::Names names,
                                       log::Log& log, Logger& logger);

}  // namespace pinflow::live
