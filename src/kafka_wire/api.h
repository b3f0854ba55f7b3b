#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pinflow::kafka_wire {

// The requests of the Kafka protocol that we know, by their number on the wire.
enum class ApiKey : std::int16_t {
  kProduce = 0,
  kFetch = 1,
  kListOffsets = 2,
  kMetadata = 3,
  kOffsetCommit = 8,
  kOffsetFetch = 9,
  kFindCoordinator = 10,
  kJoinGroup = 11,
  kHeartbeat = 12,
  kLeaveGroup = 13,
  kSyncGroup = 14,
  kDescribeGroups = 15,
  kListGroups = 16,
  kSaslHandshake = 17,
  kApiVersions = 18,
  kCreateTopics = 19,
  kDeleteTopics = 20,
  kDeleteRecords = 21,
  kInitProducerId = 22,
  kOffsetForLeaderEpoch = 23,
  kDescribeConfigs = 32,
  kAlterConfigs = 33,
  kSaslAuthenticate = 36,
  kCreatePartitions = 37,
  kDeleteGroups = 42,
  kIncrementalAlterConfigs = 44,
  kOffsetDelete = 47,
  kDescribeCluster = 60,
};

// One request kind. Versions are closed ranges, as the protocol speaks of them.
struct ApiInfo {
  static constexpr std::int16_t kNeverFlexible = 0x7fff;

  ApiKey key;
  std::string_view name;          // As Kafka's documents spell it.
  std::int16_t advertised_first;  // What ApiVersions says; lower than `first` where clients want to see it (Produce).
  std::int16_t first;             // What is served.
  std::int16_t last;              // What is served and advertised.
  std::int16_t flexible_from;     // From here on: compact lengths and tagged fields.

  constexpr bool serves(std::int16_t version) const { return version >= first && version <= last; }
  // The codec also knows versions that are advertised and then refused.
  constexpr bool known(std::int16_t version) const { return version >= advertised_first && version <= last; }
  constexpr bool flexible(std::int16_t version) const { return version >= flexible_from; }
};

// All request kinds, by ascending key.
std::span<const ApiInfo> all_apis();

// Finds a request kind by its number; null for one that we do not know.
const ApiInfo* find_api(std::int16_t key);

// The entry of a kind that we know.
const ApiInfo& api_info(ApiKey key);

// "Fetch", "AddPartitionsToTxn", ... also for kinds that we do not offer, so that a log line can name them; "api" for the rest.
std::string_view api_name(std::int16_t key);

}  // namespace pinflow::kafka_wire
