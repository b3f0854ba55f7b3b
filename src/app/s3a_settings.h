#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"

namespace pinflow::app {

// Reads one environment variable; empty where it is not set.
using Variable = std::function<std::string(const char* name)>;

// The region of the buckets: s3.region, else AWS_REGION, AWS_DEFAULT_REGION, us-east-1.
std::string s3_region(const config::Config& config, const Variable& variable);

// What Spark must know of [s3] to reach the same store, as its properties ("spark.hadoop.fs.s3a.endpoint=..."); none where neither objects nor
// tables lie in S3. Never a secret: a property stands in the arguments of a process, which others may read. Spark looks for keys where its
// own chain does (the environment, the roles of containers and instances); only a file of profiles must be named, for its chain has none.
std::vector<std::string> s3a_settings(const config::Config& config, const Variable& variable);

}  // namespace pinflow::app
