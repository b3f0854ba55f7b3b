#include "doors/kafka_rest/kafka_rest_door.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "access/caller.h"
#include "base/json.h"
#include "doors/kafka_rest/answers.h"
#include "doors/kafka_rest/names_in_path.h"
#include "doors/kafka_rest/path_partition.h"

namespace pinflow::doors::kafka_rest {

namespace {

using access::Right;
using http::Response;

// The words are part of the API: suites compare them whole.
constexpr std::string_view kNotHosted = "This server does not host this topic-partition.";
constexpr std::string_view kTopicNotFound = "Topic not found.";
constexpr std::string_view kPartitionNotFound = "Partition not found.";

bool may_see(const http::Request& request, const std::string& topic) {
  return access::may(request.caller, Right::kQuery, topic) || access::may(request.caller, Right::kProduce, topic) ||
         access::may(request.caller, Right::kConsume, topic);
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

// All settings that hold for a topic, as a broker describes them.
void write_configs(JsonWriter& out, const log::Topic& topic, const log::TopicDefaults& defaults) {
  std::map<std::string, std::string> configs;
  for (auto& setting : log::topic_setting_list(defaults))
    configs.emplace(setting.name, std::move(setting.default_value));
  for (const auto& [name, value] : topic.configs) configs[name] = value;
  out.begin_object();
  for (const auto& [name, value] : configs) out.key(name).string(value);
  out.end_object();
}

}  // namespace

std::optional<std::int32_t> path_partition(const http::Request& request) {
  const auto& text = request.parameter("partition");
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

void KafkaRestDoor::add(http::Router& router, std::string method, std::string_view pattern, Handler handler) {
  router.add(std::move(method), pattern, [this, handler](http::Request request, Respond respond) {
    if (!accepts_answer(request.headers.get("Accept").value_or(""), rules_)) return respond(not_acceptable());
    if (const auto refusal = check_path_names(request)) return respond(answer(*refusal, rules_));
    (this->*handler)(std::move(request), std::move(respond));
  });
}

void KafkaRestDoor::add_routes(http::Router& router) {
  add(router, "GET", "/", &KafkaRestDoor::root);
  add(router, "POST", "/", &KafkaRestDoor::root);
  add(router, "GET", "/brokers", &KafkaRestDoor::brokers);
  add(router, "GET", "/topics", &KafkaRestDoor::topics);
  add(router, "GET", "/topics/{topic}", &KafkaRestDoor::topic);
  add(router, "POST", "/topics/{topic}", &KafkaRestDoor::produce);
  add(router, "GET", "/topics/{topic}/partitions", &KafkaRestDoor::partitions);
  add(router, "GET", "/topics/{topic}/partitions/{partition}", &KafkaRestDoor::partition);
  add(router, "POST", "/topics/{topic}/partitions/{partition}", &KafkaRestDoor::produce);
  add(router, "GET", "/topics/{topic}/partitions/{partition}/offsets", &KafkaRestDoor::offsets);
}

Response KafkaRestDoor::json(std::string body) const {
  return Response::json(200, std::move(body), rules_.answer_type);
}

void KafkaRestDoor::root(http::Request, Respond respond) {
  respond(json("{}"));
}

void KafkaRestDoor::brokers(http::Request, Respond respond) {
  respond(json(R"({"brokers":[1]})"));
}

void KafkaRestDoor::topics(http::Request request, Respond respond) {
  JsonWriter out;
  out.begin_array();
  for (const auto& topic : log_.topics()) {
    if (may_see(request, topic.name)) out.string(topic.name);
  }
  out.end_array();
  respond(json(std::move(out).take()));
}

// A topic that the caller has nothing to do with is as one that is not there.
Result<log::Topic> KafkaRestDoor::visible_topic(const http::Request& request) {
  const auto& name = request.parameter("topic");
  if (!may_see(request, name)) return fail(ErrorCode::kNotFound, "");
  return log_.topic(name);
}

void KafkaRestDoor::topic(http::Request request, Respond respond) {
  const auto topic = visible_topic(request);
  if (!topic) return respond(answer(Refusal{404, 40403, std::string(kNotHosted)}, rules_));
  JsonWriter out;
  out.begin_object().key("name").string(topic->name).key("configs");
  write_configs(out, *topic, options_.topic_defaults);
  out.key("partitions");
  write_partitions(out, *topic);
  out.end_object();
  respond(json(std::move(out).take()));
}

Response KafkaRestDoor::missing_partitions() const {
  const int code = rules_.partitions_of_missing_topic;
  return answer(Refusal{404, code, std::string(code == 40401 ? kTopicNotFound : kNotHosted)}, rules_);
}

void KafkaRestDoor::partitions(http::Request request, Respond respond) {
  const auto topic = visible_topic(request);
  if (!topic) return respond(missing_partitions());
  JsonWriter out;
  write_partitions(out, *topic);
  respond(json(std::move(out).take()));
}

void KafkaRestDoor::partition(http::Request request, Respond respond) {
  const auto number = path_partition(request);
  if (!number) return respond(not_found());
  const auto topic = visible_topic(request);
  if (!topic) return respond(missing_partitions());
  if (*number >= topic->partitions)
    return respond(answer(Refusal{404, 40402, std::string(kPartitionNotFound)}, rules_));
  JsonWriter out;
  write_partition(out, *number);
  respond(json(std::move(out).take()));
}

void KafkaRestDoor::offsets(http::Request request, Respond respond) {
  const auto number = path_partition(request);
  if (!number) return respond(not_found());
  const auto topic = visible_topic(request);
  if (!topic) return respond(missing_partitions());
  if (*number >= topic->partitions)
    return respond(answer(Refusal{404, 40402, std::string(kPartitionNotFound)}, rules_));
  // A cluster is asked over the network, so not here on the loop.
  auto job = [&log = log_, &rules = rules_, place = log::TopicPartition{topic->name, log::PartitionId(*number)}](
                 const std::stop_token&, Respond respond) {
    const auto range = log.offsets(place);
    if (!range) return respond(answer(range.error(), rules));
    JsonWriter out;
    out.begin_object().key("beginning_offset").integer(range->begin.value());
    out.key("end_offset").integer(range->end.value()).end_object();
    respond(Response::json(200, std::move(out).take(), rules.answer_type));
  };
  worker_.run(std::move(respond), std::move(job), answer_busy(rules_));
}

}  // namespace pinflow::doors::kafka_rest
