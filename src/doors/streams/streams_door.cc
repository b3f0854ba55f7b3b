#include "doors/streams/streams_door.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/uuid.h"
#include "doors/kinesis/operations.h"

namespace pinflow::doors::streams {

namespace {

using http::Response;
using kinesis::Value;

Value text(std::string_view value) {
  return Value(std::string(value));
}

// Eleven bytes in base64, as gateways mark what they answer.
std::string gateway_id(Random& random) {
  const Uuid id = Uuid::random(random);
  return base64_encode({reinterpret_cast<const char*>(id.bytes.data()), 11});
}

Response answer_of(std::expected<kinesis::Answer, kinesis::Fault> outcome) {
  if (outcome) return Response::json(200, std::move(outcome->body));
  kinesis::Fault& fault = outcome.error();
  const bool wait = fault.status == 503 || fault.type == "ProvisionedThroughputExceededException";
  auto response = answer(Fault{fault.status, std::move(fault.type), std::move(fault.message)});
  if (wait) response.headers.add("Retry-After", "1");
  return response;
}

Value entry_of(PutEntry entry) {
  Value::Structure members;
  members.reserve(2);
  members.emplace_back("Data", Value(std::move(entry.data)));
  members.emplace_back("PartitionKey", Value(std::move(entry.partition_key)));
  return Value(std::move(members));
}

}  // namespace

void StreamsDoor::add_routes(http::Router& router) {
  add(router, "GET", "/streams", &StreamsDoor::list);
  add(router, "GET", "/streams/{name}", &StreamsDoor::describe);
  add(router, "POST", "/streams/{name}", &StreamsDoor::create);
  add(router, "DELETE", "/streams/{name}", &StreamsDoor::remove);
  add(router, "PUT", "/streams/{name}/record", &StreamsDoor::put_record);
  add(router, "PUT", "/streams/{name}/records", &StreamsDoor::put_records);
  add(router, "GET", "/streams/{name}/records", &StreamsDoor::get_records);
  add(router, "GET", "/streams/{name}/sharditerator", &StreamsDoor::get_iterator);
  router.set_fallback("streams", [this](http::Request request, Respond respond) {
    unrouted(std::move(request), with_request_id(std::move(respond), true));
  });
}

void StreamsDoor::add(http::Router& router, std::string method, std::string_view pattern,
                      void (StreamsDoor::*member)(http::Request, Respond)) {
  const bool is_delete = method == "DELETE";
  router.add(std::move(method), pattern, [this, member, is_delete](http::Request request, Respond respond) {
    (this->*member)(std::move(request), with_request_id(std::move(respond), is_delete));
  });
}

StreamsDoor::Respond StreamsDoor::with_request_id(Respond respond, bool is_delete) {
  return [respond = std::move(respond), id = Uuid::random(random_), gateway_id = gateway_id(random_),
          hide = options_.apigw_status && !is_delete, round = options_.apigw_status](Response response) mutable {
    response.headers.add("x-amzn-RequestId", id.to_string());
    response.headers.add("x-amz-apigw-id", std::move(gateway_id));
    // Only what Kinesis says is hidden; the gateway's own refusals have no type in their body.
    const bool of_kinesis = response.body.starts_with(R"({"__type")");
    if (of_kinesis && hide) response.status = 200;
    if (of_kinesis && !hide && round) response.status = response.status >= 500 ? 500 : 400;
    respond(std::move(response));
  };
}

void StreamsDoor::run(const http::Request& request, std::string_view operation, Value::Structure input,
                      Respond respond) {
  kinesis::Call call;
  call.operation = operation;
  call.input = Value(std::move(input));
  call.account = options_.account;
  call.region = options_.region;
  call.caller = request.caller;
  operations_.run(std::move(call),
                  [respond = std::move(respond)](std::expected<kinesis::Answer, kinesis::Fault> outcome) mutable {
                    respond(answer_of(std::move(outcome)));
                  });
}

void StreamsDoor::run_on_stream(const http::Request& request, std::string_view operation, Value::Structure input,
                                Respond respond) {
  const auto& name = request.parameter("name");
  Validation validation;
  validation.require_stream_name(name);
  if (!validation.passed()) return respond(answer(validation.fault()));
  input.emplace_back("StreamName", text(name));
  run(request, operation, std::move(input), std::move(respond));
}

void StreamsDoor::list(http::Request request, Respond respond) {
  run(request, "ListStreams", {}, std::move(respond));
}

void StreamsDoor::describe(http::Request request, Respond respond) {
  run_on_stream(request, "DescribeStream", {}, std::move(respond));
}

void StreamsDoor::create(http::Request request, Respond respond) {
  const auto shards = parse_create_stream(request.parameter("name"), request.body);
  if (!shards) return respond(answer(shards.error()));
  Value::Structure input;
  input.emplace_back("ShardCount", Value(std::int64_t{*shards}));
  input.emplace_back(kinesis::kAtOnce, Value(true));
  run_on_stream(request, "CreateStream", std::move(input), std::move(respond));
}

void StreamsDoor::remove(http::Request request, Respond respond) {
  Value::Structure input;
  input.emplace_back(kinesis::kAtOnce, Value(true));
  run_on_stream(request, "DeleteStream", std::move(input), std::move(respond));
}

void StreamsDoor::put_record(http::Request request, Respond respond) {
  auto entry = parse_put_record(request.parameter("name"), request.body);
  if (!entry) return respond(answer(entry.error()));
  Value::Structure input;
  input.reserve(3);
  input.emplace_back("Data", Value(std::move(entry->data)));
  input.emplace_back("PartitionKey", Value(std::move(entry->partition_key)));
  run_on_stream(request, "PutRecord", std::move(input), std::move(respond));
}

void StreamsDoor::put_records(http::Request request, Respond respond) {
  auto entries = parse_put_records(request.parameter("name"), request.body);
  if (!entries) return respond(answer(entries.error()));
  Value::List records;
  records.reserve(entries->size());
  for (PutEntry& entry : *entries) records.push_back(entry_of(std::move(entry)));
  Value::Structure input;
  input.emplace_back("Records", Value(std::move(records)));
  run_on_stream(request, "PutRecords", std::move(input), std::move(respond));
}

void StreamsDoor::get_iterator(http::Request request, Respond respond) {
  const auto shard = request.query_value("shard-id");
  Validation validation;
  validation.require_present(shard.has_value(), "shardId");
  if (shard)
    validation.require(!shard->empty() && shard->size() <= 128, "shardId",
                       "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", *shard);
  if (!validation.passed()) return respond(answer(validation.fault()));
  Value::Structure input;
  input.emplace_back("ShardId", text(*shard));
  input.emplace_back("ShardIteratorType", text("TRIM_HORIZON"));
  run_on_stream(request, "GetShardIterator", std::move(input), std::move(respond));
}

void StreamsDoor::get_records(http::Request request, Respond respond) {
  const auto iterator = request.headers.get("Shard-Iterator");
  Validation validation;
  validation.require_present(iterator.has_value(), "shardIterator");
  if (!validation.passed()) return respond(answer(validation.fault()));
  Value::Structure input;
  input.emplace_back("ShardIterator", text(*iterator));
  run(request, "GetRecords", std::move(input), std::move(respond));
}

void StreamsDoor::unrouted(http::Request, Respond respond) {
  auto response = answer(Fault{403, "", "Missing Authentication Token"});
  response.headers.add("x-amzn-ErrorType", "MissingAuthenticationTokenException");
  respond(std::move(response));
}

}  // namespace pinflow::doors::streams
