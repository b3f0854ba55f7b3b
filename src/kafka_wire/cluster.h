#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kafka_wire/client.h"

namespace pinflow::kafka_wire {

// Connections to the brokers of one Kafka cluster, each made when it is first wanted: requests on topics go to the controller,
// on groups to the group's coordinator, on offsets to a partition's leader. With pinflow's own door all of them are one. Used by
// one thread; blocking as Client is.
class Cluster final {
 public:
  // Connects to the first of "host:port,host:port" that answers.
  static Result<std::unique_ptr<Cluster>> connect(std::string_view bootstrap, ClientOptions options = {});

  // The broker that answered first, for what any of them can tell.
  Client& any() { return *any_; }
  // The broker that makes and deletes topics.
  Result<Client*> controller();
  // The broker that keeps a consumer group.
  Result<Client*> coordinator(const std::string& group);
  // A broker by its node id, as the last metadata() named it.
  Result<Client*> node(std::int32_t id);

  // Asks for these topics, or for all; the answer's brokers are remembered for node(). Never makes a topic.
  Result<MetadataResponse> metadata(const std::vector<std::string>& topics);
  Result<MetadataResponse> metadata_of_all();

 private:
  Cluster(std::unique_ptr<Client> any, ClientOptions options);
  Result<MetadataResponse> ask(MetadataRequest request);

  ClientOptions options_;
  std::unique_ptr<Client> any_;
  std::map<std::int32_t, Endpoint> brokers_;
  std::map<std::int32_t, std::unique_ptr<Client>> clients_;
};

// An error code of a broker as an Error for a person: "topic 'x': UNKNOWN_TOPIC_OR_PARTITION (message)". The code says what to
// do: kNotFound, kConflict, kUnavailable for retriable ones, kInvalid for the rest.
Error error_of(KafkaError code, std::string_view what, std::string_view message = {});

}  // namespace pinflow::kafka_wire
