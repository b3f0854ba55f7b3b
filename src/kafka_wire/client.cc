#include "kafka_wire/client.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "kafka_wire/internal/socket.h"

namespace pinflow::kafka_wire {

std::string Endpoint::to_string() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no address of a Kafka broker: write host:port, or [::1]:port", text));
  };
  Endpoint endpoint;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong();
    endpoint.host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return wrong();
    port = rest.empty() ? "9092" : rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    endpoint.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? "9092" : text.substr(colon + 1);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (endpoint.host.empty() || error != std::errc() || end != port.data() + port.size() || endpoint.port == 0)
    return wrong();
  return endpoint;
}

Client::Client(int socket, const Endpoint& endpoint, ClientOptions options)
    : socket_(socket), endpoint_(endpoint), options_(std::move(options)) {}

Client::~Client() {
  close_socket(socket_);
}

Result<std::unique_ptr<Client>> Client::connect(const Endpoint& endpoint, ClientOptions options) {
  const Deadline deadline(options.timeout);
  TRY_ASSIGN(const int socket, connect_socket(endpoint.host, endpoint.port, deadline));
  std::unique_ptr<Client> client(new Client(socket, endpoint, std::move(options)));
  TRY(client->ask_versions());
  return client;
}

Result<void> Client::ask_versions() {
  // Version 0 is answered by every broker there is.
  auto body = exchange(ApiKey::kApiVersions, 0,
                       encode_request(ApiVersionsRequest{}, 0, ++last_correlation_id_, options_.client_id));
  if (!body) {
    if (body.error().code != ErrorCode::kUnavailable) return fail(std::move(body).error());
    return fail(ErrorCode::kUnavailable, fmt::format("{}. It answers no Kafka client without TLS and SASL: a port that "
                                                     "wants TLS or SASL, which this command does "
                                                     "not speak, or no Kafka broker",
                                                     body.error().message));
  }
  TRY_ASSIGN(auto response, decode_body<ApiVersionsResponse>(*body, 0));
  versions_ = std::move(response.api_keys);
  return {};
}

Result<std::int16_t> Client::version_for(ApiKey api, std::int16_t max_version) const {
  const ApiInfo& ours = api_info(api);
  const auto theirs =
      std::ranges::find(versions_, static_cast<std::int16_t>(api), &ApiVersionsResponse::ApiVersion::api_key);
  if (theirs == versions_.end())
    return fail(ErrorCode::kInvalid,
                fmt::format("the Kafka broker at {} does not offer {}", endpoint_.to_string(), ours.name));
  const std::int16_t version = std::min({ours.last, theirs->max_version, max_version});
  if (version < std::max(ours.first, theirs->min_version))
    return fail(ErrorCode::kInvalid,
                fmt::format("the Kafka broker at {} offers {} in versions {} to {}, this command speaks {} to {}",
                            endpoint_.to_string(), ours.name, theirs->min_version, theirs->max_version, ours.first,
                            std::min(ours.last, max_version)));
  return version;
}

Result<std::string_view> Client::exchange(ApiKey api, std::int16_t version, const EncodedFrame& frame) {
  const Deadline deadline(options_.timeout);
  const auto told = [&](Error error) {
    return fail(std::move(error).with_context(
        fmt::format("{} asked of the Kafka broker at {}", api_info(api).name, endpoint_.to_string())));
  };
  for (const std::string_view piece : frame.pieces())
    if (auto sent = send_all(socket_, piece, deadline); !sent) return told(std::move(sent).error());
  received_.resize(4);
  if (auto got = receive_all(socket_, received_, deadline); !got) return told(std::move(got).error());
  auto size = frame_size(received_, options_.max_frame);
  if (!size) return told(std::move(size).error());
  received_.resize(**size - 4);
  if (auto got = receive_all(socket_, received_, deadline); !got) return told(std::move(got).error());
  TRY_ASSIGN(const ResponseHeader header, read_response_header(received_, api, version));
  if (header.correlation_id != last_correlation_id_)
    return told({ErrorCode::kInvalid, fmt::format("the answer belongs to request {}, not to {}", header.correlation_id,
                                                  last_correlation_id_)});
  return header.body;
}

}  // namespace pinflow::kafka_wire
