#include "kafka_door/internal/dispatch.h"

#include <array>
#include <chrono>

#include <fmt/format.h>

#include "kafka_door/handlers/configs.h"
#include "kafka_door/handlers/fetch.h"
#include "kafka_door/handlers/groups.h"
#include "kafka_door/handlers/offsets.h"
#include "kafka_door/handlers/produce.h"
#include "kafka_door/handlers/session.h"
#include "kafka_door/handlers/topics.h"
#include "kafka_wire/codec.h"

namespace pinflow::kafka_door::internal {

using kafka_wire::ApiKey;
using kafka_wire::KafkaError;

namespace {
constexpr std::chrono::milliseconds kFailedLoginDelay{300};  // What guessing passwords costs; no thread waits.

using Serve = void (*)(Context&, Call, Reply);

// Reads the body as the handler's message.
template <auto Handler>
struct Route;
template <kafka_wire::Request M, void (*Handler)(Context&, Call, M, Reply)>
struct Route<Handler> {
  static constexpr ApiKey kApi = M::kApi;
  static void serve(Context& context, Call call, Reply reply) {
    auto message = kafka_wire::decode_body<M>(call.header.body, call.header.version);
    if (!message) return reply.close(std::move(message.error().message));
    Handler(context, std::move(call), std::move(*message), std::move(reply));
  }
};

template <auto... Handlers>
constexpr auto make_routes() {
  std::array<Serve, 128> routes{};
  ((routes[static_cast<std::size_t>(Route<Handlers>::kApi)] = &Route<Handlers>::serve), ...);
  return routes;
}

// Who answers what. SASL is answered by the dispatcher itself: it changes the session.
constexpr auto kRoutes = make_routes<                                 //
    api_versions, metadata, describe_cluster,                         // handlers/session.h
    produce, init_producer_id,                                        // handlers/produce.h
    fetch, list_offsets, offset_for_leader_epoch,                     // handlers/fetch.h, handlers/offsets.h
    create_topics, delete_topics, create_partitions, delete_records,  // handlers/topics.h
    describe_configs, alter_configs, incremental_alter_configs,       // handlers/configs.h
    find_coordinator, join_group, sync_group, heartbeat, leave_group, describe_groups, list_groups, delete_groups,
    offset_commit, offset_fetch, offset_delete>();  // handlers/groups.h

Serve route_of(ApiKey key) {
  return kRoutes[static_cast<std::size_t>(key)];
}

// An answer that is kept back for a while.
class Delayed final : public LongPoll {
 public:
  explicit Delayed(Answer answer)
      : answer_(std::move(answer)), deadline_(std::chrono::steady_clock::now() + kFailedLoginDelay) {}
  std::optional<Answer> look(bool last) override { return last ? std::optional(std::move(answer_)) : std::nullopt; }
  std::span<const log::FetchPosition> positions() const override { return {}; }
  SteadyTime deadline() const override { return deadline_; }

 private:
  Answer answer_;
  const SteadyTime deadline_;
};

kafka_wire::EncodedFrame raw_frame(std::string_view bytes) {
  kafka_wire::EncodedFrame frame;
  for (int shift = 24; shift >= 0; shift -= 8) frame.bytes += static_cast<char>(bytes.size() >> shift);
  frame.bytes += bytes;
  return frame;
}
}  // namespace

void Dispatcher::dispatch(Session& session, Frame frame, const std::shared_ptr<Mailbox>& mailbox, Ticket ticket) {
  if (session.authentication.raw_tokens()) {
    Reply reply(mailbox, ticket, 0, 0);
    const auto step = session.authentication.authenticate(frame.bytes);
    tell_of_login(session, step);
    return step.failed ? reply.give(Answer::wait(std::make_unique<Delayed>(Answer::close(""))))
                       : reply.give(Answer::send(raw_frame(step.bytes)));
  }
  auto header = kafka_wire::read_request_header(frame.bytes);
  if (!header) return Reply(mailbox, ticket, 0, 0).close(std::move(header.error().message));
  Reply reply(mailbox, ticket, header->version, header->correlation_id);
  Call call{*header, std::move(frame.owner), session.facts};
  const Serve serve = header->api == nullptr ? nullptr : route_of(header->api->key);
  const bool is_sasl =
      header->served() && (header->api->key == ApiKey::kSaslHandshake || header->api->key == ApiKey::kSaslAuthenticate);
  const bool known = header->api != nullptr && header->api->known(header->version) && (is_sasl || serve != nullptr);
  if (!known) return refuse(session, *header, std::move(reply));
  if (is_sasl) return login(session, call, std::move(reply));
  if (!session.authentication.done() && header->api->key != ApiKey::kApiVersions) {
    return reply.close("the client must authenticate (SASL) before anything else; set its security.protocol");
  }
  serve(context_, std::move(call), std::move(reply));
}

void Dispatcher::refuse(const Session& session, const kafka_wire::RequestHeader& header, Reply reply) {
  const std::string_view name = kafka_wire::api_name(header.api_key);
  if (header.api != nullptr && header.api->key == ApiKey::kApiVersions) {
    // Every client understands version 0 of this answer, and asks again in a version that it finds there.
    return reply.give(Answer::send(kafka_wire::encode_response(
        kafka_wire::api_versions_response(KafkaError::kUnsupportedVersion), 0, header.correlation_id)));
  }
  complaints_.warn("a Kafka client asked for something that is not offered",
                   {{"client", session.client()},
                    {"client_id", header.client_id.value_or("")},
                    {"api", fmt::format("{} ({}) v{}", name, header.api_key, header.version)}});
  reply.close("");
}

void Dispatcher::login(Session& session, const Call& call, Reply reply) {
  if (call.header.api->key == ApiKey::kSaslHandshake) {
    const auto request = kafka_wire::decode_body<kafka_wire::SaslHandshakeRequest>(call.header.body, reply.version());
    if (!request) return reply.close(request.error().message);
    return reply.send(session.authentication.handshake(request->mechanism, reply.version()));
  }
  const auto request = kafka_wire::decode_body<kafka_wire::SaslAuthenticateRequest>(call.header.body, reply.version());
  if (!request) return reply.close(request.error().message);
  kafka_wire::SaslAuthenticateResponse response;
  if (!session.authentication.token_due()) {
    response.error_code = KafkaError::kIllegalSaslState;
    response.error_message = "SaslAuthenticate comes once, after SaslHandshake";
    return reply.send(response);
  }
  auto step = session.authentication.authenticate(request->auth_bytes);
  tell_of_login(session, step);
  response.auth_bytes = std::move(step.bytes);
  if (!step.failed) return reply.send(response);
  response.error_code = KafkaError::kSaslAuthenticationFailed;
  response.error_message = std::move(step.message);
  auto answer = Answer::send(kafka_wire::encode_response(response, reply.version(), reply.correlation_id()));
  answer.then_close = true;
  reply.give(Answer::wait(std::make_unique<Delayed>(std::move(answer))));
}

void Dispatcher::tell_of_login(Session& session, const Authentication::Step& step) {
  const Authentication& authentication = session.authentication;
  if (step.failed) {
    complaints_.warn(
        "a Kafka client failed to authenticate",
        {{"client", session.client()}, {"user", authentication.user()}, {"mechanism", authentication.mechanism()}});
  } else if (authentication.done()) {
    session.facts->principal = "User:" + authentication.user();
  }
}

}  // namespace pinflow::kafka_door::internal
