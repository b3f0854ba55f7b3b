#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "disk/disk.h"

namespace pinflow::app {

using Properties = std::vector<std::pair<std::string, std::string>>;

// Reads lines name=value; empty lines and those that begin with # are skipped, spaces around name and value too. kInvalid names the
// line, never a value.
Result<Properties> parse_properties(std::string_view text);

// Properties of librdkafka as the section `kafka_cluster` says, and those of its file that no setting says. Errors name the setting.
Result<Properties> cluster_properties(const config::Config& config, disk::Disk& disk);

// The region of a cluster with AWS_MSK_IAM: the setting, or `environment` (AWS_REGION), or what the first broker's name says. kInvalid:
// none of them does.
Result<std::string> cluster_region(const config::Config& config, std::string_view environment);

}  // namespace pinflow::app
