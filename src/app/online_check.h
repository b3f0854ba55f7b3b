#pragma once

#include <functional>
#include <string_view>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"

namespace pinflow::app {

// Told of each outside system: what it is, and whether it is reachable and lets us do what the roles do there.
using CheckReport = std::function<void(std::string_view what, const Result<void>& result)>;

// Asks the outside systems that the settings name: the places of objects and tables (puts an object below pinflow/check, reads, lists and
// removes it), the Kafka cluster (topics of posts, their ends, positions of the lanes' groups), the Kinesis that calls are passed on to (lists a
// stream), the program of Spark. Nothing is left
// behind and no record is sent. What a system forbids is an error that names the call.
void check_online(Environment& environment, const CheckReport& report);

// One store alone, under a name that no one else has.
Result<void> check_store(objects::ObjectStore& store, std::string_view id);

}  // namespace pinflow::app
