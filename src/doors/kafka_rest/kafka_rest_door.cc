#include "doors/kafka_rest/kafka_rest_door.h"

#include <charconv>
#include <map>
#include <mutex>

#include <fmt/core.h>

#include "base/json.h"
#include "base/names.h"
#include "doors/kafka_rest/answers.h"

namespace pinflow::doors::kafka_rest {

namespace {

using http::Response;

constexpr std::string_view kTopicNotFound = "Topic not found.";
constexpr std::string_view kNotHosted = "This server does not host this topic-partition.";

Response json(std::string body) {
  return Response::json(200, std::move(body), kAnswerType);
}

// Says no if the client does not take our answers.
bool acceptable(const http::Request& request, http::Responder& respond) {
  if (accepts_answer(request.headers.get("Accept").value_or(""))) return true;
  respond(Response::failure(406, 406, "HTTP 406 Not Acceptable"));
  return false;
}

// The partition of the path; empty if it is no number, which no route of the API takes.
std::optional<std::int32_t> path_partition(const http::Request& request) {
  const auto& text = request.parameter("partition");
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Response not_routed() {
  return Response::failure(404, 404, "HTTP 404 Not Found");
}
Response busy() {
  return answer(Error{ErrorCode::kUnavailable, "too many requests wait to ask the log; try again"});
}
Response no_such_partition(const log::Topic& topic, std::int32_t partition) {
  return answer(Refusal{404, 40402,
                        fmt::format("Partition not found. Topic '{}' has partitions 0 to {}, not {}.", topic.name,
                                    topic.partitions - 1, partition)});
}

// One broker stands for this server in the API.
void write_partition(JsonWriter& out, std::int32_t partition) {
  out.begin_object().key("partition").integer(partition).key("leader").integer(1).key("replicas");
  out.begin_array().begin_object().key("broker").integer(1).key("leader").boolean(true).key("in_sync").boolean(true);
  out.end_object().end_array().end_object();
}

void write_partitions(JsonWriter& out, const log::Topic& topic) {
  out.begin_array();
  for (std::int32_t i = 0; i < topic.partitions; ++i) write_partition(out, i);
  out.end_array();
}

// Brings the results of several produces together, in the order of the request's records. Shared by the `done` of each, which
// the log calls on threads of its own.
class Gathering {
 public:
  Gathering(std::size_t records, std::size_t produces, http::Responder respond)
      : results_(records, Result<log::Appended>(log::Appended{})), open_(produces), respond_(std::move(respond)) {}

  void arrive(const std::vector<std::size_t>& places, std::vector<Result<log::Appended>> results) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < places.size(); ++i) results_[places[i]] = std::move(results[i]);
    if (--open_ > 0) return;
    lock.unlock();
    respond_(answer(results_));
  }

 private:
  std::mutex mutex_;
  std::vector<Result<log::Appended>> results_;
  std::size_t open_;
  http::Responder respond_;
};

void store(log::Log& log, const std::string& topic, ProduceRequest request, http::Responder respond) {
  if (request.partitions.empty()) {
    log.produce(topic, log::kAnyPartition, std::move(request.records),
                [respond = std::move(respond)](std::vector<Result<log::Appended>> results) mutable {
                  respond(answer(results));
                });
    return;
  }
  std::map<std::int32_t, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    places[request.partitions[i].value_or(log::kAnyPartition.value())].push_back(i);
  }
  const auto gathering = std::make_shared<Gathering>(request.records.size(), places.size(), std::move(respond));
  for (auto& [partition, indices] : places) {
    std::vector<log::Record> records;
    records.reserve(indices.size());
    for (const auto index : indices) records.push_back(std::move(request.records[index]));
    log.produce(topic, log::PartitionId(partition), std::move(records),
                [gathering, indices = std::move(indices)](std::vector<Result<log::Appended>> results) {
                  gathering->arrive(indices, std::move(results));
                });
  }
}

}  // namespace

void KafkaRestDoor::add_routes(http::Router& router) {
  router.add("GET", "/", *this, &KafkaRestDoor::root);
  router.add("POST", "/", *this, &KafkaRestDoor::root);
  router.add("GET", "/brokers", *this, &KafkaRestDoor::brokers);
  router.add("GET", "/topics", *this, &KafkaRestDoor::topics);
  router.add("GET", "/topics/{topic}", *this, &KafkaRestDoor::topic);
  router.add("POST", "/topics/{topic}", *this, &KafkaRestDoor::produce);
  router.add("GET", "/topics/{topic}/partitions", *this, &KafkaRestDoor::partitions);
  router.add("GET", "/topics/{topic}/partitions/{partition}", *this, &KafkaRestDoor::partition);
  router.add("POST", "/topics/{topic}/partitions/{partition}", *this, &KafkaRestDoor::produce);
  router.add("GET", "/topics/{topic}/partitions/{partition}/offsets", *this, &KafkaRestDoor::offsets);
}

void KafkaRestDoor::root(http::Request request, Respond respond) {
  if (acceptable(request, respond)) respond(json("{}"));
}

void KafkaRestDoor::brokers(http::Request request, Respond respond) {
  if (acceptable(request, respond)) respond(json(R"({"brokers":[1]})"));
}

void KafkaRestDoor::topics(http::Request request, Respond respond) {
  if (!acceptable(request, respond)) return;
  JsonWriter out;
  out.begin_array();
  for (const auto& topic : log_.topics()) out.string(topic.name);
  out.end_array();
  respond(json(std::move(out).take()));
}

void KafkaRestDoor::topic(http::Request request, Respond respond) {
  if (!acceptable(request, respond)) return;
  const auto& name = request.parameter("topic");
  const auto topic = log_.topic(name);
  if (!topic) return respond(answer(missing_topic(name, 40403, kNotHosted)));
  JsonWriter out;
  out.begin_object().key("name").string(topic->name).key("configs").begin_object();
  // Clients take an empty object for a failure.
  if (topic->configs.empty()) out.key("cleanup.policy").string("delete");
  for (const auto& [key, value] : topic->configs) out.key(key).string(value);
  out.end_object().key("partitions");
  write_partitions(out, *topic);
  out.end_object();
  respond(json(std::move(out).take()));
}

void KafkaRestDoor::partitions(http::Request request, Respond respond) {
  if (!acceptable(request, respond)) return;
  const auto& name = request.parameter("topic");
  const auto topic = log_.topic(name);
  if (!topic) return respond(answer(missing_topic(name, 40403, kNotHosted)));
  JsonWriter out;
  write_partitions(out, *topic);
  respond(json(std::move(out).take()));
}

void KafkaRestDoor::partition(http::Request request, Respond respond) {
  if (!acceptable(request, respond)) return;
  const auto number = path_partition(request);
  if (!number) return respond(not_routed());
  const auto& name = request.parameter("topic");
  const auto topic = log_.topic(name);
  if (!topic) return respond(answer(missing_topic(name, 40403, kNotHosted)));
  if (*number >= topic->partitions) return respond(no_such_partition(*topic, *number));
  JsonWriter out;
  write_partition(out, *number);
  respond(json(std::move(out).take()));
}

void KafkaRestDoor::offsets(http::Request request, Respond respond) {
  if (!acceptable(request, respond)) return;
  const auto number = path_partition(request);
  if (!number) return respond(not_routed());
  const auto& name = request.parameter("topic");
  const auto topic = log_.topic(name);
  if (!topic) return respond(answer(missing_topic(name, 40403, kNotHosted)));
  if (*number >= topic->partitions) return respond(no_such_partition(*topic, *number));
  // A cluster is asked over the network, so not here on the loop.
  auto job = [&log = log_, place = log::TopicPartition{name, log::PartitionId(*number)}](const std::stop_token&,
                                                                                         Respond respond) {
    const auto range = log.offsets(place);
    if (!range) return respond(answer(range.error()));
    JsonWriter out;
    out.begin_object().key("beginning_offset").integer(range->begin.value());
    out.key("end_offset").integer(range->end.value()).end_object();
    respond(json(std::move(out).take()));
  };
  worker_.run(std::move(respond), std::move(job), busy());
}

void KafkaRestDoor::produce(http::Request request, Respond respond) {
  const auto format = produce_format(request.headers.get("Content-Type").value_or(""));
  if (!format) {
    auto response = Response::failure(415, 415, "HTTP 415 Unsupported Media Type");
    response.headers.add("Accept", "application/vnd.kafka.json.v2+json, application/vnd.kafka.binary.v2+json");
    return respond(std::move(response));
  }
  if (!acceptable(request, respond)) return;
  const auto& name = request.parameter("topic");
  const bool names_partition = request.segments.size() > 2;
  const auto partition = names_partition ? path_partition(request) : std::nullopt;
  if (names_partition && !partition) return respond(not_routed());
  const auto topic = log_.topic(name);
  if (!topic && (!options_.auto_create_topics || topic.error().code != ErrorCode::kNotFound)) {
    if (topic.error().code != ErrorCode::kNotFound) return respond(answer(topic.error()));
    return respond(answer(missing_topic(name, 40401, kTopicNotFound)));
  }
  auto parsed = parse_produce_request(request.body, *format);
  if (!parsed) return respond(answer(parsed.error()));
  if (partition) {
    parsed->partitions.resize(parsed->records.size());
    for (auto& own : parsed->partitions) own = own.value_or(*partition);
  }
  if (!topic) return create_then_produce(name, std::move(*parsed), std::move(respond));
  for (const auto& own : parsed->partitions) {
    if (own && *own >= topic->partitions) return respond(no_such_partition(*topic, *own));
  }
  store(log_, name, std::move(*parsed), std::move(respond));
}

void KafkaRestDoor::create_then_produce(const std::string& topic, ProduceRequest request, Respond respond) {
  if (auto good = check_name("topic", topic); !good) return respond(answer(good.error()));
  auto job = [&log = log_, spec = log::TopicSpec{topic, options_.auto_create_partitions, {}},
              request = std::move(request)](const std::stop_token&, Respond respond) mutable {
    auto created = log.create_topic(spec);
    if (!created && created.error().code == ErrorCode::kConflict) created = log.topic(spec.name);
    if (!created) return respond(answer(created.error()));
    for (const auto& own : request.partitions) {
      if (own && *own >= created->partitions) return respond(no_such_partition(*created, *own));
    }
    store(log, spec.name, std::move(request), std::move(respond));
  };
  worker_.run(std::move(respond), std::move(job), busy());
}

Refusal KafkaRestDoor::missing_topic(const std::string& name, int code, std::string_view words) const {
  if (auto good = check_name("topic", name); !good)
    return {404, code, fmt::format("{} {}", words, good.error().message)};
  std::vector<std::string> known;
  for (const auto& topic : log_.topics()) known.push_back(topic.name);
  const auto near = nearest(name, known);
  // Every topic is a stream, so the streams door makes it; this holds in whatever way this server was started.
  return {404, code,
          fmt::format(
              "{} There is no topic '{}'{} To make it: POST /streams/{} with the body {{\"ShardCount\":1}}, or turn "
              "auto_create_topics on.",
              words, name, near ? fmt::format("; did you mean '{}'?", *near) : ".", name)};
}

}  // namespace pinflow::doors::kafka_rest
