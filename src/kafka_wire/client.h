#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/messages/session.h"

namespace pinflow::kafka_wire {

struct Endpoint {
  std::string host;
  std::uint16_t port = 9092;

  // "host:port", for messages; an IPv6 address in brackets.
  std::string to_string() const;
  // Reads "host", "host:port", "[::1]:port".
  static Result<Endpoint> parse(std::string_view text);
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct ClientOptions {
  std::string client_id = "pinflow";
  std::chrono::milliseconds timeout{15'000};  // For connecting, and for each call.
  std::size_t max_frame = kDefaultMaxFrame;
};

// One blocking connection to one Kafka broker, for the command line and for tests: a request goes out, its answer comes in. No
// TLS, no SASL. Used by one thread. After an error that is not an answer of the broker the connection is of no more use.
class Client final {
 public:
  // Connects, trying each address of the host, and asks for the broker's versions. kUnavailable says who refused and what to
  // check.
  static Result<std::unique_ptr<Client>> connect(const Endpoint& endpoint, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends a request in the highest version that both sides know, but not above `max_version`, and waits for its answer. Error
  // codes inside the answer are the caller's to read. Views in the answer hold until the next call. kInvalid when no version is common.
  template <Request R>
  Result<typename R::Response> call(const R& request, std::int16_t max_version = INT16_MAX) {
    TRY_ASSIGN(const std::int16_t version, version_for(R::kApi, max_version));
    TRY_ASSIGN(
        const std::string_view body,
        exchange(R::kApi, version, encode_request(request, version, ++last_correlation_id_, options_.client_id)));
    return decode_body<typename R::Response>(body, version);
  }

  // The version that call() would take.
  Result<std::int16_t> version_for(ApiKey api, std::int16_t max_version = INT16_MAX) const;
  bool offers(ApiKey api) const { return version_for(api).has_value(); }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  Client(int socket, const Endpoint& endpoint, ClientOptions options);
  Result<void> ask_versions();
  // Sends a frame and gives the body of the frame that answers it, which stays in received_.
  Result<std::string_view> exchange(ApiKey api, std::int16_t version, const EncodedFrame& frame);

  int socket_;
  Endpoint endpoint_;
  ClientOptions options_;
  std::vector<ApiVersionsResponse::ApiVersion> versions_;
  std::int32_t last_correlation_id_ = 0;
  std::string received_;
};

}  // namespace pinflow::kafka_wire
