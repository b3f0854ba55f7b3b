#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/strong.h"
#include "log/broker_log.h"
#include "log/topic_settings.h"

namespace pinflow::groups {
class GroupCoordinator;
}

namespace pinflow::kafka_door {

enum class SaslMechanism { kPlain, kScramSha256, kScramSha512 };

struct User {
  std::string name;
  std::string password;
};

// TLS 1.2 and later on the same port. Without `allow_plaintext` a client that speaks no TLS is closed with a line in the log.
struct TlsOptions {
  std::filesystem::path certificate;  // PEM, the chain from our own upwards. Empty: no TLS.
  std::filesystem::path key;          // PEM.
  std::filesystem::path client_ca;    // PEM. Set: clients must show a certificate that it signed.
  bool allow_plaintext = false;
  bool enabled() const { return !certificate.empty(); }
};

struct KafkaServerLimits {
  std::size_t max_connections = 10'240;
  ByteCount max_request{std::uint64_t{100} << 20};  // Of one frame, as Kafka's socket.request.max.bytes.
  ByteCount max_memory{std::uint64_t{256} << 20};  // Requests and responses of all connections; past it reading pauses.
  ByteCount max_fetch{std::uint64_t{55} << 20};    // Of one Fetch response, whatever the client asks for.
  std::size_t max_in_flight = 64;                  // Produce requests of one connection before reading pauses.
  std::size_t max_blocking = 256;                  // Requests that wait for the worker thread; more get an error.
  std::chrono::milliseconds idle_timeout{600'000};     // Without any request; as Kafka's connections.max.idle.ms.
  std::chrono::milliseconds transfer_timeout{60'000};  // Within a request or response, without any byte going through.
  std::chrono::milliseconds authentication_timeout{30'000};
};

struct KafkaServerOptions {
  std::vector<std::string> addresses{"127.0.0.1",
                                     "::1"};  // Of these at least one must be there; "localhost" means both.
  std::uint16_t port = 9092;                  // 0: any free one, see port().
  // What Metadata tells clients to dial. Empty and 0: the address and port that the client itself has dialled.
  std::string advertised_host;
  std::uint16_t advertised_port = 0;
  std::string cluster_id;  // 22 characters, the same at each start. Empty: one made at this start, with a warning.

  bool auto_create_topics = true;  // On a client's Metadata request that allows it.
  std::int32_t default_partitions = 1;
  log::TopicDefaults topic_defaults;  // As the log itself has them.

  std::vector<User> users;  // Not empty: clients must authenticate (SASL), unless a client certificate does.
  std::vector<SaslMechanism> mechanisms{SaslMechanism::kScramSha256, SaslMechanism::kScramSha512,
                                        SaslMechanism::kPlain};
  TlsOptions tls;
  // Allows what is refused otherwise: serving other machines without authentication, or passwords in clear text to them.
  bool insecure_remote = false;

  std::size_t loops = 2;  // Network threads.
  KafkaServerLimits limits;
};

// The Kafka protocol on a port. Each network thread owns its connections; one more thread does what waits for the disk.
// Answers leave in the order of their requests. A success answer to Produce means what the log's durability level says.
class KafkaServer {
 public:
  virtual ~KafkaServer() = default;  // Stops, if stop() was not called.
  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  // Reads the certificate files again; connections that begin from now on get the new ones. kInvalid: the old ones stay.
  virtual Result<void> reload_certificates() = 0;
  // Takes no new connections or requests, lets answers in flight go out for at most `grace`, then closes and joins.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

// Binds, listens and starts serving. All references must outlive the server; stop it before the log and the coordinator.
// kInvalid: options that contradict each other or are unsafe, certificate files that cannot be used. kUnavailable: no address could
// be bound. The message names the setting to change (section `kafka` of the configuration).
Result<std::unique_ptr<KafkaServer>> start_server(const KafkaServerOptions& options, log::BrokerLog& log,
                                                  groups::GroupCoordinator& coordinator, const Clock& clock,
                                                  Logger& logger);

}  // namespace pinflow::kafka_door
