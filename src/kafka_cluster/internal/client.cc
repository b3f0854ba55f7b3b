#include "kafka_cluster/internal/client.h"

#include <algorithm>
#include <array>
#include <sys/syslog.h>

namespace pinflow::kafka_cluster {
namespace {

constexpr int kServePeriodMs = 1'000;
// From this version on librdkafka answers a SCRAM challenge as brokers since 4.0 demand (its pull request 4895).
constexpr int kSoundScram = 0x020601ff;

// The promises of the log rest on these.
constexpr std::array<std::string_view, 17> kOwnProperties = {
    "acks",
    "auto.offset.reset",
    "check.crcs",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "partition.assignment.strategy",
    "request.required.acks",
    "retries",
    "transactional.id",
    "partitioner",
};

Severity severity_of(int level) {
  if (level <= LOG_ERR) return Severity::kError;
  if (level <= LOG_WARNING) return Severity::kWarning;
  return level <= LOG_INFO ? Severity::kInfo : Severity::kDebug;
}

}  // namespace

void ClusterHealth::failed(rd_kafka_resp_err_t error, std::string_view reason) {
  Error now = error_of(error, "the Kafka cluster", std::string(reason).c_str());
  now.code = ErrorCode::kUnavailable;
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION && rd_kafka_version() < kSoundScram && reason.contains("SCRAM"))
    now.message += fmt::format(
        "; where they are right: SCRAM of librdkafka {} is refused by Kafka of version 4, see "
        "docs/deploy.md for what works",
        rd_kafka_version_str());
  const std::scoped_lock lock(mutex_);
  // That all are down follows from what one said before, which tells more.
  all_down_ |= error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && error_) return;
  refused_ = error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL;
  error_ = std::move(now);
}

void ClusterHealth::succeeded() {
  const std::scoped_lock lock(mutex_);
  error_.reset();
  all_down_ = refused_ = false;
}

bool ClusterHealth::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

std::optional<Error> ClusterHealth::down() const {
  const std::scoped_lock lock(mutex_);
  return all_down_ ? error_ : std::nullopt;
}

std::optional<Error> ClusterHealth::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

Error ClusterHealth::explain(Error otherwise) const {
  if (otherwise.code != ErrorCode::kUnavailable) return otherwise;
  if (auto known = error()) otherwise.message += "; " + known->message;
  return otherwise;
}

Result<void> check_properties(const Properties& properties) {
  for (const auto& [name, value] : properties) {
    if (std::ranges::find(kOwnProperties, name) != kOwnProperties.end())
      return fail(
          ErrorCode::kInvalid,
          fmt::format("the property {} of the Kafka client cannot be set, as what the log promises rests on it", name));
  }
  const bool has_brokers = std::ranges::any_of(properties, [](const auto& property) {
    return (property.first == "bootstrap.servers" || property.first == "metadata.broker.list") &&
           !property.second.empty();
  });
  if (!has_brokers)
    return fail(ErrorCode::kInvalid,
                "the property bootstrap.servers is missing: host:port of some brokers, with commas between them");
  return {};
}

Result<ConfHandle> Client::configure(const Properties& own) {
  ConfHandle conf(rd_kafka_conf_new());
  const auto set = [&](const std::string& name, const std::string& value) -> Result<void> {
    char text[512] = {};
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK) return {};
    return fail(ErrorCode::kInvalid, fmt::format("property {} of the Kafka client: {}", name, text));
  };
  TRY(set("client.id", cluster_.options.client_id));
  TRY(set("log.connection.close", "false"));
  TRY(set("reconnect.backoff.max.ms", "2000"));
  TRY(set("topic.metadata.refresh.interval.ms", "30000"));
  for (const auto& [name, value] : cluster_.options.properties) TRY(set(name, value));
  for (const auto& [name, value] : own) TRY(set(name, value));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t* client, int level, const char* kind, const char* text) {
    if (auto* const me = static_cast<Client*>(rd_kafka_opaque(client)); me != nullptr)
      me->cluster_.logger.write(std::min(severity_of(level), Severity::kWarning), "The Kafka client says",
                                std::array<LogField, 2>{LogField{"kind", kind}, LogField{"text", text}});
  });
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int code, const char* reason, void* opaque) {
    Client& me = *static_cast<Client*>(opaque);
    const auto error = static_cast<rd_kafka_resp_err_t>(code);
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
      if (me.hooks_.fatal) me.hooks_.fatal();
      return;
    }
    me.cluster_.health.failed(error, reason);
  });
  if (hooks_.delivered) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
      static_cast<Client*>(opaque)->hooks_.delivered(*message);
    });
  }
  if (hooks_.rebalance) {
    rd_kafka_conf_set_rebalance_cb(
        conf.get(), [](rd_kafka_t*, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions,
                       void* opaque) { static_cast<Client*>(opaque)->hooks_.rebalance(event, partitions); });
  }
  if (cluster_.options.token) {
    rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf.get(), [](rd_kafka_t* client, const char*, void* opaque) {
      static_cast<Client*>(opaque)->refresh_token(client);
    });
  }
  return conf;
}

Result<std::unique_ptr<Client>> Client::open(rd_kafka_type_t type, const Properties& own, ClientHooks hooks,
                                             const Cluster& cluster) {
  std::unique_ptr<Client> client(new Client(std::move(hooks), cluster));
  TRY_ASSIGN(ConfHandle conf, client->configure(own));
  char text[512] = {};
  client->handle_ = rd_kafka_new(type, conf.get(), text, sizeof text);
  if (client->handle_ == nullptr)
    return fail(ErrorCode::kInvalid, fmt::format("the Kafka client does not start: {}", text));
  (void)conf.release();  // Now the client's.
  client->main_queue_.reset(rd_kafka_queue_get_main(client->handle_));
  if (cluster.options.token) {
    if (const ErrorHandle error(rd_kafka_sasl_background_callbacks_enable(client->handle_)); error != nullptr)
      return fail(ErrorCode::kInvalid,
                  fmt::format("tokens need sasl.mechanisms = OAUTHBEARER: {}", rd_kafka_error_string(error.get())));
  }
  return client;
}

Client::~Client() {
  if (server_.joinable()) {
    server_.request_stop();
    rd_kafka_queue_yield(main_queue_.get());
    server_.join();
  }
  main_queue_.reset();
  if (handle_ != nullptr) rd_kafka_destroy(handle_);
}

void Client::serve() {
  server_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) rd_kafka_poll(handle_, kServePeriodMs);
  });
}

void Client::refresh_token(rd_kafka_t* client) {
  const auto token = cluster_.options.token();
  if (!token) {
    cluster_.health.failed(RD_KAFKA_RESP_ERR__AUTHENTICATION, token.error().message);
    rd_kafka_oauthbearer_set_token_failure(client, token.error().message.c_str());
    return;
  }
  char text[512] = {};
  const auto error =
      rd_kafka_oauthbearer_set_token(client, token->token.c_str(), token->expires.time_since_epoch().count(),
                                     token->principal.c_str(), nullptr, 0, text, sizeof text);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_oauthbearer_set_token_failure(client, text);
}

}  // namespace pinflow::kafka_cluster
