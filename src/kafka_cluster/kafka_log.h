#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/strong.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

// A token that proves who we are (SASL OAUTHBEARER), and until when.
struct BearerToken {
  std::string token;
  std::string principal;
  WallTime expires{};
};

// Makes a token each time the last one is about to expire; called from threads of the log's. May block for some seconds.
using TokenSource = std::function<Result<BearerToken>()>;

struct KafkaLogOptions {
  // Properties of librdkafka by name: bootstrap.servers (must be there), security.protocol, sasl.*, ssl.* and others. Those that the
  // promises of the log rest on cannot be set (kInvalid names them).
  std::vector<std::pair<std::string, std::string>> properties;
  TokenSource token;  // For sasl.mechanisms = OAUTHBEARER; empty: as the properties sasl.oauthbearer.* say.
  bool msk_iam =
      false;  // AWS_MSK_IAM: SASL_SSL with tokens signed by the credentials that AWS's own tools would find (aws/credentials.h) ...
  std::string region;                                 // ... for the cluster's region, such as eu-west-1.
  ByteCount max_pending{std::uint64_t{64} << 20};     // Of produce, not yet answered; past it kOverloaded.
  ByteCount max_record_size{std::uint64_t{1} << 20};  // Key, value and headers; a topic's own max.message.bytes goes
                                                      // before it, the brokers' only where it is less.
  ByteCount max_prefetch{std::uint64_t{4} << 20};     // Read ahead of each partition that somebody reads.
  std::size_t max_streams =
      256;  // Partitions that are read ahead at the same time; the longest unused is stopped first.
  std::chrono::milliseconds linger{2};                 // A batch waits so long for more records.
  std::chrono::milliseconds delivery_timeout{30'000};  // After that a record that no broker confirmed is given up.
  std::chrono::milliseconds call_timeout{15'000};      // Of calls that ask a broker something.
  std::chrono::milliseconds metadata_interval{5'000};  // Between looks at which topics there are.
  // Requests that produce_once knows again, as long as this process lives (about 200 bytes each); the oldest is forgotten first.
  std::chrono::milliseconds request_window{std::chrono::hours(24)};
  std::size_t request_capacity = 500'000;
  std::int16_t replication = -1;  // Of topics made here; -1: what the brokers have as default.
  std::string client_id = "pinflow";
};

// The log on a Kafka cluster. `clock` and `logger` must outlive it. Safe from any thread. Fails with kInvalid for properties that
// cannot be (naming the property), with kUnavailable when no broker answers within the call timeout.
Result<std::unique_ptr<log::Log>> open_kafka_log(KafkaLogOptions options, const Clock& clock, Logger& logger);

}  // namespace pinflow::kafka_cluster
