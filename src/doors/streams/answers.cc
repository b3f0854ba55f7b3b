#include "doors/streams/answers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "doors/streams/sequence_number.h"

namespace pinflow::doors::streams {

namespace {
int gravity(const Fault& fault) {
  return fault.type == "InternalFailure" ? 2 : fault.status == 503 ? 1 : 0;
}

http::Response failure(const Fault& fault) {
  auto response = answer(fault);
  if (fault.status == 503 || fault.type == "ProvisionedThroughputExceededException") {
    response.headers.add("Retry-After", "1");
  }
  return response;
}
}  // namespace

Fault not_found(std::string_view stream, std::string_view account) {
  return {400, "ResourceNotFoundException", fmt::format("Stream {} under account {} not found.", stream, account)};
}

Fault fault_of(const Error& error, const StreamContext& context, log::PartitionId shard) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return not_found(context.stream.name, context.account);
    case ErrorCode::kOverloaded:
      return {400, "ProvisionedThroughputExceededException",
              fmt::format("Rate exceeded for shard {} in stream {} under account {}.", shard_id(shard),
                          context.stream.name, context.account)};
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return {503, "ServiceUnavailable", error.message};
    case ErrorCode::kInvalid:
      return {400, "InvalidArgumentException", error.message};
    case ErrorCode::kConflict:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCorrupt:
      return {500, "InternalFailure", error.message};
  }
  return {500, "InternalFailure", error.message};
}

http::Response put_record_answer(const StreamContext& context, log::PartitionId shard,
                                 const Result<log::Appended>& result) {
  if (!result) return failure(fault_of(result.error(), context, shard));
  return http::Response::json(
      200, fmt::format(R"({{"SequenceNumber":"{}","ShardId":"{}"}})",
                       record_sequence_number(context.stream, *result, context.arrived), shard_id(result->partition)));
}

http::Response put_records_answer(const StreamContext& context, const std::vector<log::PartitionId>& shards,
                                  const std::vector<Result<log::Appended>>& results) {
  std::size_t failed = 0;
  Fault worst{0, "", ""};
  std::string entries;
  entries.reserve(results.size() * 120);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i > 0) entries += ',';
    if (const auto& result = results[i]) {
      fmt::format_to(std::back_inserter(entries), R"({{"SequenceNumber":"{}","ShardId":"{}"}})",
                     record_sequence_number(context.stream, *result, context.arrived), shard_id(result->partition));
      continue;
    }
    ++failed;
    auto fault = fault_of(results[i].error(), context, shards[i]);
    entries += R"({"ErrorCode":)";
    append_json_string(entries, fault.type);
    entries += R"(,"ErrorMessage":)";
    append_json_string(entries, fault.message);
    entries += '}';
    if (worst.status == 0 || gravity(fault) > gravity(worst)) worst = std::move(fault);
  }
  if (failed == results.size() && failed > 0) return failure(worst);
  return http::Response::json(200, fmt::format(R"({{"FailedRecordCount":{},"Records":[{}]}})", failed, entries));
}

}  // namespace pinflow::doors::streams
