#include "kafka_wire/cluster.h"

#include <fmt/format.h>

#include "kafka_wire/messages/groups.h"

namespace pinflow::kafka_wire {

Cluster::Cluster(std::unique_ptr<Client> any, ClientOptions options)
    : options_(std::move(options)), any_(std::move(any)) {}

Result<std::unique_ptr<Cluster>> Cluster::connect(std::string_view bootstrap, ClientOptions options) {
  Error last{ErrorCode::kInvalid, "no address of a Kafka broker is given: write host:port"};
  while (!bootstrap.empty()) {
    const std::size_t comma = bootstrap.find(',');
    TRY_ASSIGN(const Endpoint endpoint, Endpoint::parse(bootstrap.substr(0, comma)));
    bootstrap = comma == std::string_view::npos ? std::string_view() : bootstrap.substr(comma + 1);
    auto client = Client::connect(endpoint, options);
    if (client) return std::unique_ptr<Cluster>(new Cluster(std::move(*client), std::move(options)));
    last = std::move(client).error();
  }
  return fail(std::move(last));
}

Result<MetadataResponse> Cluster::ask(MetadataRequest request) {
  request.allow_auto_topic_creation = false;
  TRY_ASSIGN(auto response, any_->call(request));
  for (const MetadataResponse::Broker& broker : response.brokers)
    brokers_[broker.node_id] = {broker.host, static_cast<std::uint16_t>(broker.port)};
  return response;
}

Result<MetadataResponse> Cluster::metadata(const std::vector<std::string>& topics) {
  MetadataRequest request;
  request.topics.emplace();
  for (const std::string& topic : topics) request.topics->push_back({.name = topic});
  return ask(std::move(request));
}

Result<MetadataResponse> Cluster::metadata_of_all() {
  return ask({});
}

Result<Client*> Cluster::node(std::int32_t id) {
  const auto broker = brokers_.find(id);
  if (broker == brokers_.end())
    return fail(ErrorCode::kUnavailable,
                fmt::format("the Kafka broker at {} names no address of broker {}; it may be down, try again",
                            any_->endpoint().to_string(), id));
  if (broker->second == any_->endpoint()) return any_.get();
  auto& client = clients_[id];
  if (client == nullptr) {
    TRY_ASSIGN(client, Client::connect(broker->second, options_));
  }
  return client.get();
}

Result<Client*> Cluster::controller() {
  TRY_ASSIGN(const MetadataResponse response, metadata({}));
  // A broker that names no controller passes requests on to it (KRaft), as does our own door.
  if (response.controller_id < 0) return any_.get();
  return node(response.controller_id);
}

Result<Client*> Cluster::coordinator(const std::string& group) {
  constexpr std::int16_t kOneKeyEach = 3;  // The last version that asks for one group at a time.
  TRY_ASSIGN(const auto response, any_->call(FindCoordinatorRequest{.key = group}, kOneKeyEach));
  if (response.error_code != KafkaError::kNone)
    return fail(error_of(response.error_code, fmt::format("coordinator of group '{}'", group),
                         response.error_message.value_or("")));
  brokers_[response.node_id] = {response.host, static_cast<std::uint16_t>(response.port)};
  return node(response.node_id);
}

Error error_of(KafkaError code, std::string_view what, std::string_view message) {
  ErrorCode action = is_retriable(code) ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
  if (code == KafkaError::kUnknownTopicOrPartition || code == KafkaError::kGroupIdNotFound)
    action = ErrorCode::kNotFound;
  if (code == KafkaError::kTopicAlreadyExists || code == KafkaError::kNonEmptyGroup) action = ErrorCode::kConflict;
  if (message.empty()) return {action, fmt::format("{}: the Kafka broker answers {}", what, to_string(code))};
  return {action, fmt::format("{}: {} (the Kafka broker answers {})", what, message, to_string(code))};
}

}  // namespace pinflow::kafka_wire
