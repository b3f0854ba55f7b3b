#include "kafka_door/server.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/base64.h"
#include "kafka_door/internal/listener.h"
#include "net/tls.h"

namespace pinflow::kafka_door {

namespace {
namespace asio = boost::asio;
using internal::Listener;
using internal::Loop;

bool is_loopback(const std::string& address) {
  if (address == "localhost") return true;
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

Result<void> check_exposure(const KafkaServerOptions& options) {
  const auto remote = std::ranges::find_if_not(options.addresses, is_loopback);
  if (remote == options.addresses.end() || options.insecure_remote) return {};
  if (options.users.empty() && options.tls.client_ca.empty()) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("kafka.addresses: {} is open to other machines, and everybody there could read and delete all "
                    "topics. Use 127.0.0.1, set kafka.users or kafka.tls_client_ca, or set kafka.insecure_remote = "
                    "true if the network itself keeps strangers out.",
                    *remote));
  }
  const bool clear = !options.tls.enabled() || options.tls.allow_plaintext;
  if (clear && std::ranges::count(options.mechanisms, SaslMechanism::kPlain) > 0) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("kafka.addresses: {} is open to other machines, and SASL PLAIN would send passwords there in the "
                    "clear. Set kafka.tls_certificate, offer SCRAM alone, or set kafka.insecure_remote = true.",
                    *remote));
  }
  return {};
}

Result<void> check(const KafkaServerOptions& options) {
  const auto refuse = [](std::string_view what) { return fail(ErrorCode::kInvalid, std::string(what)); };
  if (options.loops == 0) return refuse("kafka.threads must be at least 1");
  if (options.default_partitions < 1) return refuse("kafka.default_partitions must be at least 1");
  if (options.tls.enabled() == options.tls.key.empty()) {
    return refuse("kafka.tls_certificate and kafka.tls_key go together; one of them is not set");
  }
  if (!options.tls.client_ca.empty() && !options.tls.enabled()) {
    return refuse("kafka.tls_client_ca needs kafka.tls_certificate and kafka.tls_key");
  }
  if (!options.tls.client_ca.empty() && options.tls.allow_plaintext && options.users.empty()) {
    return refuse("clients without TLS show no certificate: kafka.tls_client_ca and plaintext need kafka.users");
  }
  return check_exposure(options);
}

// 16 random bytes as Kafka writes ids: base64 of the alphabet for URLs, without padding.
std::string random_cluster_id() {
  std::string id = base64_encode(internal::random_bytes(16)).substr(0, 22);
  std::ranges::replace(id, '+', '-');
  std::ranges::replace(id, '/', '_');
  return id;
}

class AsioKafkaServer final : public KafkaServer {
 public:
  AsioKafkaServer(const KafkaServerOptions& options, internal::Credentials credentials,
                  std::unique_ptr<net::TlsServer> tls, log::BrokerLog& log, groups::GroupCoordinator& coordinator,
                  const Clock& clock, Logger& logger)
      : options_(options),
        credentials_(std::move(credentials)),
        tls_(std::move(tls)),
        blocking_(options.limits.max_blocking),
        budget_(options.limits.max_memory.count()),
        context_{options_, log, coordinator, clock, logger, blocking_, budget_, options.cluster_id},
        complaints_(clock, logger),
        dispatcher_(context_, complaints_),
        shared_{context_, dispatcher_, credentials_, budget_, tls_.get()} {
    options_.users.clear();  // What is derived from the passwords is enough from here on.
    if (context_.cluster_id.empty()) {
      context_.cluster_id = random_cluster_id();
      logger.warning("the Kafka door has no cluster id that stays; clients see a new one after each start",
                     {{"cluster_id", context_.cluster_id}});
    }
    for (std::size_t i = 0; i < options_.loops; ++i) loops_.push_back(std::make_unique<Loop>(shared_));
    listener_ = std::make_unique<Listener>(shared_, loops_);
    budget_.on_relief([this] {
      for (const auto& loop : loops_) loop->relieve();
    });
  }
  ~AsioKafkaServer() override { stop(std::chrono::milliseconds(0)); }

  Result<void> start() {
    TRY(listener_->open());
    listener_->start();
    for (const auto& loop : loops_) loop->start();
    context_.logger.info("the Kafka protocol is served",
                         {{"addresses", fmt::format("{}", fmt::join(listener_->bound(), ", "))},
                          {"port", port()},
                          {"tls", tls_ != nullptr},
                          {"sasl", credentials_.required()}});
    return {};
  }

  std::uint16_t port() const override { return listener_->port(); }
  std::size_t connections() const override { return shared_.connections; }
  Result<void> reload_certificates() override {
    if (tls_ == nullptr) return {};
    TRY(tls_->reload());
    context_.logger.info("the Kafka door uses its certificate files anew", {{"certificate", tls_->description()}});
    return {};
  }
  void stop(std::chrono::milliseconds grace) override {
    asio::post(loops_.front()->io(), [this] { listener_->close(); });
    for (const auto& loop : loops_) loop->stop(grace);
    for (const auto& loop : loops_) loop->join();
    blocking_.stop();  // Its jobs use the context.
  }

 private:
  KafkaServerOptions options_;
  const internal::Credentials credentials_;
  const std::unique_ptr<net::TlsServer> tls_;
  internal::BlockingThread blocking_;
  internal::MemoryBudget budget_;
  Context context_;
  internal::Complaints complaints_;
  internal::Dispatcher dispatcher_;
  internal::LoopShared shared_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Listener> listener_;  // Destroyed before the loops: its sockets live on the first.
};

}  // namespace

Result<std::unique_ptr<KafkaServer>> start_server(const KafkaServerOptions& options, log::BrokerLog& log,
                                                  groups::GroupCoordinator& coordinator, const Clock& clock,
                                                  Logger& logger) {
  TRY(check(options));
  TRY_ASSIGN(auto credentials, internal::Credentials::derive(options.users, options.mechanisms));
  std::unique_ptr<net::TlsServer> tls;
  if (options.tls.enabled()) {
    TRY_ASSIGN(tls, net::TlsServer::load({.certificate = options.tls.certificate,
                                          .key = options.tls.key,
                                          .client_ca = options.tls.client_ca,
                                          .require_client_certificate = !options.tls.client_ca.empty(),
                                          .protocols = {},
                                          .section = "kafka"}));
  }
  auto server = std::make_unique<AsioKafkaServer>(options, std::move(credentials), std::move(tls), log, coordinator,
                                                  clock, logger);
  TRY(server->start());
  return server;
}

}  // namespace pinflow::kafka_door
