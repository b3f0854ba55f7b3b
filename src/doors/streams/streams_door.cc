#include "doors/streams/streams_door.h"

#include <map>
#include <mutex>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/uuid.h"
#include "doors/streams/answers.h"
#include "doors/streams/iterator.h"
#include "doors/streams/sequence_number.h"
#include "doors/streams/shard_map.h"

namespace pinflow::doors::streams {

namespace {

using http::Response;

constexpr std::size_t kReadBytes = 4 << 20;  // Of one GetRecords; Kinesis gives up to 10 MiB.
constexpr std::size_t kReadRecords = 10'000;
constexpr std::chrono::minutes kIteratorLife{5};

Response busy() {
  auto response = answer(Fault{503, "ServiceUnavailable", "too many requests wait to ask the log; try again"});
  response.headers.add("Retry-After", "1");
  return response;
}

Response empty() {
  return Response::json(200, "");
}

// Seconds since 1970 with three decimals, never with an exponent: clients trip over one.
std::string epoch_seconds(WallTime time) {
  const auto milliseconds = time.time_since_epoch().count();
  return fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

// Brings the results of one produce per shard together, in the order of the request. Shared by the `done` of each, which the log
// calls on threads of its own.
class Gathering {
 public:
  Gathering(StreamContext context, std::vector<log::PartitionId> shards, std::size_t produces, http::Responder respond)
      : context_(std::move(context)),
        shards_(std::move(shards)),
        results_(shards_.size(), Result<log::Appended>(log::Appended{})),
        open_(produces),
        respond_(std::move(respond)) {}

  void arrive(const std::vector<std::size_t>& places, std::vector<Result<log::Appended>> results) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < places.size(); ++i) results_[places[i]] = std::move(results[i]);
    if (--open_ > 0) return;
    lock.unlock();
    respond_(put_records_answer(context_, shards_, results_));
  }

 private:
  std::mutex mutex_;
  const StreamContext context_;
  const std::vector<log::PartitionId> shards_;
  std::vector<Result<log::Appended>> results_;
  std::size_t open_;
  http::Responder respond_;
};

log::Record to_record(PutEntry entry, WallTime arrived) {
  return {std::move(entry.partition_key), std::move(entry.data), {}, arrived};
}

void write_shard(JsonWriter& out, const log::Topic& stream, log::PartitionId shard) {
  const auto range = shard_range(stream.partitions, shard);
  out.begin_object().key("ShardId").string(shard_id(shard)).key("HashKeyRange").begin_object();
  out.key("StartingHashKey").string(to_decimal(range.first));
  out.key("EndingHashKey").string(to_decimal(range.last)).end_object();
  out.key("SequenceNumberRange").begin_object();
  out.key("StartingSequenceNumber").string(starting_sequence_number(stream, shard)).end_object().end_object();
}

std::string records_body(const log::Topic& stream, const std::vector<log::StoredRecord>& records,
                         const ShardIterator& next, std::int64_t behind_ms) {
  JsonWriter out;
  out.begin_object().key("Records").begin_array();
  for (const auto& record : records) {
    out.begin_object().key("SequenceNumber");
    out.string(record_sequence_number(stream, {next.shard, record.offset}, record.timestamp));
    out.key("ApproximateArrivalTimestamp").raw(epoch_seconds(record.timestamp));
    out.key("Data").string(base64_encode(record.value.value_or("")));
    out.key("PartitionKey").string(record.key.value_or("")).end_object();
  }
  out.end_array().key("NextShardIterator").string(next.encode());
  out.key("MillisBehindLatest").integer(behind_ms).end_object();
  return std::move(out).take();
}

// Reads from an iterator on. Records that retention took away are skipped, as Kinesis does.
Response read_records(log::Log& log, const log::Topic& stream, ShardIterator at, const StreamContext& context,
                      const std::stop_token& stop) {
  const log::TopicPartition partition{stream.name, at.shard};
  const auto range = log.offsets(partition);
  if (!range) return answer(fault_of(range.error(), context, at.shard));
  at.offset = std::max(at.offset, range->begin);
  log::FetchRequest request;
  request.positions.push_back({partition, at.offset});
  request.max_bytes = kReadBytes;
  request.max_records = kReadRecords;
  auto fetched = log.fetch(request, stop);
  if (fetched && !fetched->empty() && fetched->front().error) fetched = fail(*fetched->front().error);
  if (!fetched) return answer(fault_of(fetched.error(), context, at.shard));
  std::vector<log::StoredRecord> records;
  if (!fetched->empty()) {
    at.offset = fetched->front().next;
    records = std::move(fetched->front().records);
  }
  std::int64_t behind = 0;
  if (!records.empty()) {
    const auto age = context.arrived - records.back().timestamp;
    if (at.offset < range->end) behind = std::max<std::int64_t>(age.count(), 1);
  }
  at.issued = context.arrived;
  return Response::json(200, records_body(stream, records, at, behind));
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
    unrouted(std::move(request), with_request_id(std::move(respond)));
  });
}

void StreamsDoor::add(http::Router& router, std::string method, std::string_view pattern,
                      void (StreamsDoor::*member)(http::Request, Respond)) {
  router.add(std::move(method), pattern, [this, member](http::Request request, Respond respond) {
    (this->*member)(std::move(request), with_request_id(std::move(respond)));
  });
}

StreamsDoor::Respond StreamsDoor::with_request_id(Respond respond) {
  return [respond = std::move(respond), id = Uuid::random(random_)](Response response) mutable {
    response.headers.add("x-amzn-RequestId", id.to_string());
    respond(std::move(response));
  };
}

std::expected<log::Topic, Fault> StreamsDoor::find(const std::string& name) {
  Validation validation;
  validation.require_stream_name(name);
  if (!validation.passed()) return std::unexpected(validation.fault());
  auto stream = log_.topic(name);
  if (stream) return std::move(*stream);
  return std::unexpected(fault_of(stream.error(), {{name, {}, 0, {}}, options_.account, {}}, log::PartitionId(0)));
}

std::string StreamsDoor::arn(const log::Topic& stream) const {
  return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", options_.region, options_.account, stream.name);
}

void StreamsDoor::list(http::Request, Respond respond) {
  const auto streams = log_.topics();
  JsonWriter out;
  out.begin_object().key("StreamNames").begin_array();
  for (const auto& stream : streams) out.string(stream.name);
  out.end_array().key("HasMoreStreams").boolean(false).key("StreamSummaries").begin_array();
  for (const auto& stream : streams) {
    out.begin_object().key("StreamName").string(stream.name).key("StreamARN").string(arn(stream));
    out.key("StreamStatus").string("ACTIVE").key("StreamModeDetails");
    out.begin_object().key("StreamMode").string("PROVISIONED").end_object();
    out.key("StreamCreationTimestamp").raw(epoch_seconds(creation_time(stream))).end_object();
  }
  out.end_array().end_object();
  respond(Response::json(200, std::move(out).take()));
}

void StreamsDoor::describe(http::Request request, Respond respond) {
  const auto stream = find(request.parameter("name"));
  if (!stream) return respond(answer(stream.error()));
  JsonWriter out;
  out.begin_object().key("StreamDescription").begin_object().key("StreamName").string(stream->name);
  out.key("StreamARN").string(arn(*stream)).key("StreamStatus").string("ACTIVE").key("StreamModeDetails");
  out.begin_object().key("StreamMode").string("PROVISIONED").end_object().key("Shards").begin_array();
  for (std::int32_t i = 0; i < stream->partitions; ++i) write_shard(out, *stream, log::PartitionId(i));
  out.end_array().key("HasMoreShards").boolean(false).key("RetentionPeriodHours").integer(24);
  out.key("StreamCreationTimestamp").raw(epoch_seconds(creation_time(*stream))).key("EnhancedMonitoring");
  out.begin_array().begin_object().key("ShardLevelMetrics").begin_array().end_array().end_object().end_array();
  out.key("EncryptionType").string("NONE").end_object().end_object();
  respond(Response::json(200, std::move(out).take()));
}

void StreamsDoor::create(http::Request request, Respond respond) {
  const auto& name = request.parameter("name");
  const auto shards = parse_create_stream(name, request.body, options_.max_shards);
  if (!shards) return respond(answer(shards.error()));
  auto job = [&log = log_, account = options_.account, spec = stream_spec(name, *shards, clock_.now())](
                 const std::stop_token&, Respond reply) {
    const auto created = log.create_topic(spec);
    if (created) return reply(empty());
    if (created.error().code == ErrorCode::kConflict) {
      return reply(answer(Fault{400, "ResourceInUseException",
                                fmt::format("Stream {} under account {} already exists.", spec.name, account)}));
    }
    reply(answer(fault_of(created.error(), {{spec.name, {}, 0, {}}, account, {}}, log::PartitionId(0))));
  };
  worker_.run(std::move(respond), std::move(job), busy());
}

void StreamsDoor::remove(http::Request request, Respond respond) {
  const auto stream = find(request.parameter("name"));
  if (!stream) return respond(answer(stream.error()));
  auto job = [&log = log_, context = StreamContext{*stream, options_.account, {}}](const std::stop_token&,
                                                                                   Respond reply) {
    const auto removed = log.delete_topic(context.stream.name);
    reply(removed ? empty() : answer(fault_of(removed.error(), context, log::PartitionId(0))));
  };
  worker_.run(std::move(respond), std::move(job), busy());
}

void StreamsDoor::put_record(http::Request request, Respond respond) {
  const auto& name = request.parameter("name");
  auto entry = parse_put_record(name, request.body);
  if (!entry) return respond(answer(entry.error()));
  const auto stream = find(name);
  if (!stream) return respond(answer(stream.error()));
  const auto shard = shard_of(stream->partitions, hash_key(entry->partition_key));
  StreamContext context{*stream, options_.account, clock_.now()};
  std::vector<log::Record> records;
  records.push_back(to_record(std::move(*entry), context.arrived));
  log_.produce(name, shard, std::move(records),
               [context = std::move(context), shard,
                respond = std::move(respond)](const std::vector<Result<log::Appended>>& results) mutable {
                 respond(put_record_answer(context, shard, results.front()));
               });
}

void StreamsDoor::put_records(http::Request request, Respond respond) {
  const auto& name = request.parameter("name");
  auto entries = parse_put_records(name, request.body);
  if (!entries) return respond(answer(entries.error()));
  const auto stream = find(name);
  if (!stream) return respond(answer(stream.error()));
  StreamContext context{*stream, options_.account, clock_.now()};
  std::vector<log::PartitionId> shards;
  std::map<log::PartitionId, std::pair<std::vector<std::size_t>, std::vector<log::Record>>> by_shard;
  for (auto& entry : *entries) {
    const auto shard = shard_of(stream->partitions, hash_key(entry.partition_key));
    auto& [places, records] = by_shard[shard];
    places.push_back(shards.size());
    records.push_back(to_record(std::move(entry), context.arrived));
    shards.push_back(shard);
  }
  const auto gathering =
      std::make_shared<Gathering>(std::move(context), std::move(shards), by_shard.size(), std::move(respond));
  for (auto& [shard, part] : by_shard) {
    log_.produce(name, shard, std::move(part.second),
                 [gathering, places = std::move(part.first)](std::vector<Result<log::Appended>> results) {
                   gathering->arrive(places, std::move(results));
                 });
  }
}

void StreamsDoor::get_iterator(http::Request request, Respond respond) {
  const auto stream = find(request.parameter("name"));
  if (!stream) return respond(answer(stream.error()));
  const auto raw = request.query_value("shard-id");
  Validation validation;
  validation.require_present(raw.has_value(), "shardId");
  if (!validation.passed()) return respond(answer(validation.fault()));
  const auto shard = parse_shard_id(*raw);
  if (!shard || shard->value() >= stream->partitions) {
    const auto where = fmt::format("in stream {} under account {}", stream->name, options_.account);
    return respond(answer(Fault{400, "ResourceNotFoundException",
                                shard ? fmt::format("Shard {} {} does not exist", shard_id(*shard), where)
                                      : fmt::format("Could not find shard {} {}.", raw->substr(0, 128), where)}));
  }
  const ShardIterator iterator{stream->name, stream->id, *shard, log::Offset(0), clock_.now()};
  JsonWriter out;
  out.begin_object().key("ShardIterator").string(iterator.encode()).end_object();
  respond(Response::json(200, std::move(out).take()));
}

void StreamsDoor::get_records(http::Request request, Respond respond) {
  const auto stream = find(request.parameter("name"));
  if (!stream) return respond(answer(stream.error()));
  const auto text = request.headers.get("Shard-Iterator");
  Validation validation;
  validation.require_present(text.has_value(), "shardIterator");
  if (!validation.passed()) return respond(answer(validation.fault()));
  const auto iterator = ShardIterator::decode(*text);
  if (!iterator || iterator->stream != stream->name || iterator->shard.value() >= stream->partitions) {
    return respond(answer(Fault{400, "InvalidArgumentException", "Invalid ShardIterator."}));
  }
  if (iterator->stream_id != stream->id) {
    return respond(answer(Fault{400, "ResourceNotFoundException",
                                fmt::format("Shard {} in stream {} under account {} does not exist",
                                            shard_id(iterator->shard), stream->name, options_.account)}));
  }
  const auto now = clock_.now();
  if (now - iterator->issued > kIteratorLife) {
    return respond(answer(Fault{400, "ExpiredIteratorException",
                                "Iterator expired. It is older than the tolerated delay of 300000 milliseconds."}));
  }
  auto job = [&log = log_, at = *iterator, context = StreamContext{*stream, options_.account, now}](
                 const std::stop_token& stop, Respond reply) {
    reply(read_records(log, context.stream, at, context, stop));
  };
  worker_.run(std::move(respond), std::move(job), busy());
}

void StreamsDoor::unrouted(http::Request, Respond respond) {
  auto response = answer(Fault{403, "", "Missing Authentication Token"});
  response.headers.add("x-amzn-ErrorType", "MissingAuthenticationTokenException");
  respond(std::move(response));
}

}  // namespace pinflow::doors::streams
