#include <charconv>

#include <fmt/format.h>

#include "base/names.h"
#include "doors/kafka_rest_v3/body_reader.h"
#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"

namespace pinflow::doors::kafka_rest_v3 {

using access::may;
using access::Right;

namespace {

std::string topic_path(const log::Topic& topic) {
  return fmt::format("/topics/{}", topic.name);
}
std::string topic_crn(const log::Topic& topic) {
  return fmt::format("/topic={}", topic.name);
}

void write_topic(ResourceWriter& out, const log::Topic& topic, const access::Caller* operations_of = nullptr,
                 bool operations = false) {
  const auto path = topic_path(topic);
  out.begin("KafkaTopic", path, topic_crn(topic)).text("topic_name", topic.name).flag("is_internal", false);
  out.number("replication_factor", 1).number("partitions_count", topic.partitions);
  out.related("partitions", path + "/partitions").related("configs", path + "/configs");
  out.related("partition_reassignments", path + "/partitions/-/reassignment");
  if (operations) {
    const auto can = [&](Right right) { return operations_of == nullptr || operations_of->may(right, topic.name); };
    out.json().key("authorized_operations").begin_array().string("DESCRIBE").string("DESCRIBE_CONFIGS");
    if (can(Right::kProduce)) out.json().string("WRITE");
    if (can(Right::kConsume)) out.json().string("READ");
    if (can(Right::kAdmin)) out.json().string("ALTER").string("ALTER_CONFIGS").string("CREATE").string("DELETE");
    out.json().end_array();
  }
  out.end();
}

std::string partition_path(const log::Topic& topic, std::int32_t partition) {
  return fmt::format("{}/partitions/{}", topic_path(topic), partition);
}
std::string partition_crn(const log::Topic& topic, std::int32_t partition) {
  return fmt::format("{}/partition={}", topic_crn(topic), partition);
}

void write_partition(ResourceWriter& out, const log::Topic& topic, std::int32_t partition) {
  const auto path = partition_path(topic, partition);
  out.begin("KafkaPartition", path, partition_crn(topic, partition)).text("topic_name", topic.name);
  out.number("partition_id", partition).related("leader", fmt::format("{}/replicas/{}", path, kBroker));
  out.related("replicas", path + "/replicas").related("reassignment", path + "/reassignment").end();
}

void write_replica(ResourceWriter& out, const log::Topic& topic, std::int32_t partition) {
  out.begin("KafkaReplica", fmt::format("{}/replicas/{}", partition_path(topic, partition), kBroker),
            fmt::format("{}/replica={}", partition_crn(topic, partition), kBroker));
  out.text("topic_name", topic.name).number("partition_id", partition).number("broker_id", kBroker);
  out.flag("is_leader", true).flag("is_in_sync", true).related("broker", fmt::format("/brokers/{}", kBroker)).end();
}

bool asks_for_operations(const http::Request& request) {
  return request.query_value("include_authorized_operations") == "true" ||
         request.query_value("includeAuthorizedOperations") == "true";
}

}  // namespace

void KafkaRestV3Door::topics(http::Request request, Respond respond) {
  const bool operations = asks_for_operations(request);
  auto out = writer(request);
  out.begin_list("KafkaTopicList", "/topics");
  for (const auto& topic : log_.topics())
    if (sees(request, topic)) write_topic(out, topic, request.caller.get(), operations);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::create_topic(http::Request request, Respond respond) {
  auto body = read_create_topic(request.body);
  if (!body) return respond(answer(body.error()));
  if (!may_administer(request, body->topic, respond)) return;
  if (auto good = check_name("topic", body->topic); !good)
    return respond(answer(payload_error(fmt::format("topic_name is not allowed: {}", good.error().message))));
  for (const auto& [name, value] : body->configs)
    if (log::is_own_setting(name))
      return respond(answer(broker_says(fmt::format("Unknown topic config name: {}", name))));
  const auto settings = log::read_topic_settings(body->configs, options_.topic_defaults);
  if (!settings) return respond(answer(broker_says(settings.error().message)));
  if (log_.topic(body->topic))
    return respond(answer(broker_says(fmt::format("Topic '{}' already exists.", body->topic))));
  const auto partitions = body->partitions && *body->partitions != -1 ? *body->partitions : options_.default_partitions;
  if (partitions < 1) return respond(answer(broker_says("Number of partitions must be larger than 0.")));
  log::TopicSpec spec{std::move(body->topic), partitions, std::move(body->configs)};
  auto out = writer(request);
  if (body->validate_only) {
    write_topic(out, {spec.name, {}, spec.partitions, {}, {}});
    return respond(json(200, std::move(out).take()));
  }
  auto job = [&log = log_, out = std::move(out), spec = std::move(spec)](const std::stop_token&,
                                                                         Respond respond) mutable {
    const auto made = log.create_topic(spec);
    if (!made) return respond(answer(refusal_of(made.error())));
    const auto location = out.url() + topic_path(*made);
    write_topic(out, *made);
    auto response = json(201, std::move(out).take());
    response.headers.add("Location", location);
    respond(std::move(response));
  };
  worker_.run(std::move(respond), std::move(job), answer(busy()));
}

void KafkaRestV3Door::topic(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  auto out = writer(request);
  write_topic(out, *topic, request.caller.get(), asks_for_operations(request));
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::change_topic(http::Request request, Respond respond) {
  if (!may_administer(request, request.parameter("topic_name"), respond)) return;
  const auto count = read_partitions_count(request.body);
  if (!count) return respond(answer(count.error()));
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  if (*count <= topic->partitions)
    return respond(answer(
        broker_says(fmt::format("Topic currently has {} partitions, and {} are asked for: there can only be more.",
                                topic->partitions, *count))));
  auto job = [&log = log_, out = writer(request), name = topic->name, count = *count](const std::stop_token&,
                                                                                      Respond respond) mutable {
    const auto changed = log.add_partitions(name, count);
    if (!changed) return respond(answer(refusal_of(changed.error())));
    write_topic(out, *changed);
    respond(json(200, std::move(out).take()));
  };
  worker_.run(std::move(respond), std::move(job), answer(busy()));
}

void KafkaRestV3Door::delete_topic(http::Request request, Respond respond) {
  const auto& name = request.parameter("topic_name");
  if (!may_administer(request, name, respond)) return;
  if (!log_.topic(name)) return respond(answer(no_topic(name)));
  auto job = [&log = log_, name](const std::stop_token&, Respond respond) {
    const auto deleted = log.delete_topic(name);
    respond(deleted ? no_content() : answer(refusal_of(deleted.error())));
  };
  worker_.run(std::move(respond), std::move(job), answer(busy()));
}

std::optional<std::int32_t> KafkaRestV3Door::known_partition(const http::Request& request, const log::Topic& topic,
                                                             Respond& respond) {
  const auto& text = request.parameter("partition_id");
  std::int32_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= 0 && number < topic.partitions)
    return number;
  respond(answer(no_partition()));
  return std::nullopt;
}

void KafkaRestV3Door::partitions(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  auto out = writer(request);
  out.begin_list("KafkaPartitionList", topic_path(*topic) + "/partitions");
  for (std::int32_t i = 0; i < topic->partitions; ++i) write_partition(out, *topic, i);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::partition(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto number = known_partition(request, *topic, respond);
  if (!number) return;
  auto out = writer(request);
  write_partition(out, *topic, *number);
  respond(json(200, std::move(out).take()));
}

// ?offset_type=earliest or latest: the next one to be read from the begin, or to be written.
void KafkaRestV3Door::offset(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto number = known_partition(request, *topic, respond);
  if (!number) return;
  const auto type = request.query_value("offset_type").value_or("latest");
  if (type != "earliest" && type != "latest")
    return respond(answer(Refusal{400, 400, "offset_type must be earliest or latest"}));
  // A cluster is asked over the network, so not here on the loop.
  auto job = [&log = log_, out = writer(request), topic = *topic, number = *number, latest = type == "latest"](
                 const std::stop_token&, Respond respond) mutable {
    const auto range = log.offsets({topic.name, log::PartitionId(number)});
    if (!range) return respond(answer(refusal_of(range.error())));
    out.begin("KafkaPartitionOffset", partition_path(topic, number) + "/offset",
              partition_crn(topic, number) + "/offset");
    out.text("topic_name", topic.name).number("partition_id", number);
    out.text("offset_type", latest ? "latest" : "earliest");
    out.number("offset", (latest ? range->end : range->begin).value()).end();
    respond(json(200, std::move(out).take()));
  };
  worker_.run(std::move(respond), std::move(job), answer(busy()));
}

void KafkaRestV3Door::replicas(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto number = known_partition(request, *topic, respond);
  if (!number) return;
  auto out = writer(request);
  out.begin_list("KafkaReplicaList", partition_path(*topic, *number) + "/replicas");
  write_replica(out, *topic, *number);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::replica(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto number = known_partition(request, *topic, respond);
  if (!number || !known_broker(request, respond)) return;
  auto out = writer(request);
  write_replica(out, *topic, *number);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::broker_replicas(http::Request request, Respond respond) {
  if (!known_broker(request, respond)) return;
  auto out = writer(request);
  out.begin_list("KafkaReplicaList", fmt::format("/brokers/{}/partition-replicas", kBroker));
  for (const auto& topic : log_.topics())
    for (std::int32_t i = 0; sees(request, topic) && i < topic.partitions; ++i) write_replica(out, topic, i);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

// Of one topic, or of all.
void KafkaRestV3Door::reassignments(http::Request request, Respond respond) {
  std::string path = "/topics/-/partitions/-/reassignment";
  if (request.segments[4] != "-") {
    const auto topic = visible_topic(request, respond);
    if (!topic) return;
    path = topic_path(*topic) + "/partitions/-/reassignment";
  }
  auto out = writer(request);
  out.begin_list("KafkaReassignmentList", path).end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::reassignment(http::Request request, Respond respond) {
  const auto topic = visible_topic(request, respond);
  if (!topic) return;
  const auto number = known_partition(request, *topic, respond);
  if (!number) return;
  respond(answer(not_found(fmt::format("A reassignment of the partition {} of topic {}", *number, topic->name))));
}

}  // namespace pinflow::doors::kafka_rest_v3
