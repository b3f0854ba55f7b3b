#include "app/kinesis_remote.h"

#include <cstdlib>

#include <fmt/core.h>

#include "aws/curl_http.h"
#include "records/kind.h"

namespace pinflow::app {

namespace {

std::vector<std::string> source_streams(const Environment& environment) {
  const records::Names names{environment.config().topics.prefix};
  std::vector<std::string> streams;
  for (const records::Kind kind : records::kKinds) streams.push_back(names.stream(kind));
  return streams;
}

}  // namespace

Result<KinesisRemote> open_kinesis_remote(Environment& environment, const std::string& setting,
                                          const std::string& endpoint) {
  auto address =
      aws::parse_service_endpoint(endpoint, "kinesis", "Kinesis_20131202", environment.config().kinesis.region);
  if (!address) return fail(std::move(address.error()).with_context(setting));
  KinesisRemote remote;
  remote.http = aws::make_curl_http();
  remote.credentials = std::make_unique<aws::CredentialSource>(
      aws::CredentialOptions{},
      [](const char* name) {
        const char* const value = std::getenv(name);
        return value == nullptr ? std::string() : std::string(value);
      },
      *remote.http, *environment.disk, environment.clock, *environment.logger);
  remote.client =
      std::make_unique<aws::ServiceClient>(*std::move(address), *remote.http, *remote.credentials, environment.clock);
  return remote;
}

Result<KinesisSourceRole> start_kinesis_source(Environment& environment, log::Log& log) {
  KinesisSourceRole role;
  const std::string& endpoint = environment.config().kinesis.read_from;
  if (endpoint.empty()) return role;
  TRY_ASSIGN(role.remote, open_kinesis_remote(environment, "kinesis.read_from", endpoint));
  role.api = kinesis_source::make_kinesis_api(*role.remote.client);
  const kinesis_source::KinesisSourceOptions options{.streams = source_streams(environment),
                                                     .folder = environment.folder("state") / "kinesis"};
  role.source = std::make_unique<kinesis_source::KinesisSource>(options, *role.api, log, *environment.disk,
                                                                environment.clock, *environment.logger);
  return role;
}

void add_kinesis_source_check(doors::Health& health, const kinesis_source::KinesisSource& source) {
  health.add_check("kinesis source", [&source]() -> Result<void> {
    for (const kinesis_source::StreamCopyStatus& stream : source.status()) {
      if (!stream.error.empty())
        return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", stream.stream, stream.error));
      for (const kinesis_source::ShardStatus& shard : stream.shards) {
        if (!shard.error.empty())
          return fail(ErrorCode::kUnavailable, fmt::format("{} {}: {}", stream.stream, shard.shard, shard.error));
      }
    }
    return {};
  });
}

Result<void> check_kinesis_forward(Environment& environment) {
  const std::string& endpoint = environment.config().kinesis.forward_to;
  TRY_ASSIGN(const KinesisRemote remote, open_kinesis_remote(environment, "kinesis.forward_to", endpoint));
  auto answer =
      remote.client->call("ListStreams", "application/x-amz-json-1.1", R"({"Limit":1})", std::chrono::seconds(15));
  if (!answer) return fail(std::move(answer.error()).with_context(endpoint));
  if (answer->status == 200) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("{} answers ListStreams with {}: {}", endpoint, answer->status, answer->body.substr(0, 300)));
}

Result<void> check_kinesis_source(Environment& environment) {
  const std::string& endpoint = environment.config().kinesis.read_from;
  TRY_ASSIGN(const KinesisRemote remote, open_kinesis_remote(environment, "kinesis.read_from", endpoint));
  const auto api = kinesis_source::make_kinesis_api(*remote.client);
  const auto read = [&](const std::string& stream) -> Result<void> {
    TRY_ASSIGN(const auto shards, api->list_shards(stream));
    if (shards.empty()) return {};
    TRY_ASSIGN(const std::string iterator, api->iterator(stream, shards.front().id, std::nullopt));
    const auto got = api->get_records(iterator);
    if (got || got.error().code == ErrorCode::kOverloaded) return {};  // Throttled: who may not ask is told so.
    return fail(got.error());
  };
  for (const std::string& stream : source_streams(environment)) {
    if (auto done = read(stream); !done)
      return fail(std::move(done).error().with_context(fmt::format("{}: stream {}", endpoint, stream)));
  }
  return {};
}

}  // namespace pinflow::app
