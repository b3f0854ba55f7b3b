#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "config/config.h"
#include "disk/disk.h"
#include "kafka_door/server.h"
#include "log/topic_settings.h"

namespace pinflow::app {

// "127.0.0.1,::1" as the settings list addresses.
std::vector<std::string> split_addresses(std::string_view list);

// What the section `log` says of topics that set nothing themselves.
log::TopicDefaults topic_defaults(const config::Config& config);

// Reads lines name:password; empty lines and those that begin with # are skipped, a password may hold colons. kInvalid names
// the line, never a password.
Result<std::vector<kafka_door::User>> parse_users(std::string_view text);

// The pipeline's id as Kafka spells ids: 22 characters of base64. It is the cluster id that clients see.
std::string cluster_id(const Uuid& pipeline_id);

// The Kafka door's options out of the section `kafka`, with the users of their file.
Result<kafka_door::KafkaServerOptions> kafka_options(const config::Config& config, disk::Disk& disk,
                                                     const Uuid& pipeline_id);

}  // namespace pinflow::app
