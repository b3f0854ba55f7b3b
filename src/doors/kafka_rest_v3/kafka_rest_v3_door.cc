#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"

#include <fmt/format.h>

#include "doors/denied.h"

namespace pinflow::doors::kafka_rest_v3 {

using access::may;
using access::Right;

void KafkaRestV3Door::add(http::Router& router, std::string method, std::string_view path, Handler handler,
                          http::RouteOptions options) {
  router.add(
      std::move(method), fmt::format("/v3/clusters/{{cluster_id}}{}", path),
      [this, handler](http::Request request, Respond respond) {
        const auto& cluster = request.parameter("cluster_id");
        if (cluster != cluster_) return respond(answer(no_cluster(cluster)));
        (this->*handler)(std::move(request), std::move(respond));
      },
      options);
}

void KafkaRestV3Door::add_routes(http::Router& router) {
  using Door = KafkaRestV3Door;
  router.add("GET", "/v3/clusters", *this, &Door::clusters);
  add(router, "GET", "", &Door::cluster);
  add(router, "GET", "/acls", &Door::acls);
  add(router, "POST", "/acls", &Door::acls);
  add(router, "DELETE", "/acls", &Door::acls);
  add(router, "GET", "/brokers", &Door::brokers);
  add(router, "GET", "/brokers/{broker_id}", &Door::broker);
  add(router, "GET", "/brokers/{broker_id}/configs", &Door::broker_configs);
  add(router, "GET", "/brokers/{broker_id}/configs/{name}", &Door::broker_config);
  add(router, "GET", "/brokers/{broker_id}/partition-replicas", &Door::broker_replicas);
  add(router, "GET", "/broker-configs", &Door::cluster_configs);
  add(router, "POST", "/broker-configs:alter", &Door::refuse_broker_change);
  add(router, "GET", "/broker-configs/{name}", &Door::cluster_config);
  add(router, "PUT", "/broker-configs/{name}", &Door::refuse_broker_change);
  add(router, "DELETE", "/broker-configs/{name}", &Door::refuse_broker_change);

  add(router, "GET", "/topics", &Door::topics);
  add(router, "POST", "/topics", &Door::create_topic);
  add(router, "GET", "/topics/-/configs", &Door::all_topic_configs);
  add(router, "GET", "/topics/-/partitions/-/reassignment", &Door::reassignments);
  add(router, "GET", "/topics/{topic_name}", &Door::topic);
  add(router, "PATCH", "/topics/{topic_name}", &Door::change_topic);
  add(router, "DELETE", "/topics/{topic_name}", &Door::delete_topic);
  add(router, "GET", "/topics/{topic_name}/configs", &Door::topic_configs);
  add(router, "POST", "/topics/{topic_name}/configs:alter", &Door::alter_topic_configs);
  add(router, "GET", "/topics/{topic_name}/configs/{name}", &Door::topic_config);
  add(router, "PUT", "/topics/{topic_name}/configs/{name}", &Door::set_topic_config);
  add(router, "DELETE", "/topics/{topic_name}/configs/{name}", &Door::reset_topic_config);
  add(router, "GET", "/topics/{topic_name}/partitions", &Door::partitions);
  add(router, "GET", "/topics/{topic_name}/partitions/-/reassignment", &Door::reassignments);
  add(router, "GET", "/topics/{topic_name}/partitions/{partition_id}", &Door::partition);
  add(router, "GET", "/topics/{topic_name}/partitions/{partition_id}/offset", &Door::offset);
  add(router, "GET", "/topics/{topic_name}/partitions/{partition_id}/reassignment", &Door::reassignment);
  add(router, "GET", "/topics/{topic_name}/partitions/{partition_id}/replicas", &Door::replicas);
  add(router, "GET", "/topics/{topic_name}/partitions/{partition_id}/replicas/{broker_id}", &Door::replica);
  add(router, "POST", "/topics/{topic_name}/records", &Door::produce, {.stream_body = true});
  add(router, "POST", "/topics/{topic_name}/records:batch", &Door::produce_batch);

  constexpr std::string_view kGroup = "/consumer-groups/{consumer_group_id}";
  const auto below = [&](std::string_view path) { return fmt::format("{}{}", kGroup, path); };
  add(router, "GET", "/consumer-groups", &Door::list_groups);
  add(router, "GET", kGroup, &Door::group);
  add(router, "GET", below("/consumers"), &Door::consumers);
  add(router, "GET", below("/consumers/{consumer_id}"), &Door::consumer);
  add(router, "GET", below("/consumers/{consumer_id}/assignments"), &Door::assignments);
  add(router, "GET", below("/consumers/{consumer_id}/assignments/{topic_name}/partitions/{partition_id}"),
      &Door::assignment);
  add(router, "GET", below("/lags"), &Door::lags);
  add(router, "GET", below("/lags/{topic_name}/partitions/{partition_id}"), &Door::lag);
  add(router, "GET", below("/lag-summary"), &Door::lag_summary);
}

void KafkaRestV3Door::write_cluster(ResourceWriter& out) const {
  out.begin("KafkaCluster", "", "")
      .related("controller", fmt::format("/brokers/{}", kBroker))
      .related("acls", "/acls")
      .related("brokers", "/brokers")
      .related("broker_configs", "/broker-configs")
      .related("consumer_groups", "/consumer-groups")
      .related("topics", "/topics")
      .related("partition_reassignments", "/topics/-/partitions/-/reassignment")
      .end();
}

void KafkaRestV3Door::clusters(http::Request request, Respond respond) {
  auto out = writer(request);
  // The one list that lies above the cluster.
  auto list = out.url().substr(0, out.url().rfind('/'));
  out.json().begin_object().key("kind").string("KafkaClusterList").key("metadata").begin_object();
  out.json().key("self").string(list).key("next").null().end_object().key("data").begin_array();
  write_cluster(out);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::cluster(http::Request request, Respond respond) {
  auto out = writer(request);
  write_cluster(out);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::write_broker(ResourceWriter& out) const {
  const auto path = fmt::format("/brokers/{}", kBroker);
  out.begin("KafkaBroker", path, fmt::format("/broker={}", kBroker));
  out.number("broker_id", kBroker).text("host", options_.broker_host).number("port", options_.broker_port);
  out.related("configs", path + "/configs").related("partition_replicas", path + "/partition-replicas").end();
}

void KafkaRestV3Door::brokers(http::Request request, Respond respond) {
  auto out = writer(request);
  out.begin_list("KafkaBrokerList", "/brokers");
  write_broker(out);
  out.end_list();
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::broker(http::Request request, Respond respond) {
  if (!known_broker(request, respond)) return;
  auto out = writer(request);
  write_broker(out);
  respond(json(200, std::move(out).take()));
}

void KafkaRestV3Door::acls(http::Request, Respond respond) {
  respond(answer(broker_says(
      "No Authorizer is configured on the broker. What callers may do is said by the scopes of their tokens.")));
}

bool KafkaRestV3Door::known_broker(const http::Request& request, Respond& respond) {
  const auto& id = request.parameter("broker_id");
  if (id == std::to_string(kBroker)) return true;
  respond(answer(not_found(fmt::format("Broker {}", id))));
  return false;
}

bool KafkaRestV3Door::sees(const http::Request& request, const log::Topic& topic) const {
  return may(request.caller, Right::kQuery) || may(request.caller, Right::kProduce, topic.name) ||
         may(request.caller, Right::kConsume, topic.name);
}

std::optional<log::Topic> KafkaRestV3Door::visible_topic(const http::Request& request, Respond& respond) {
  const auto& name = request.parameter("topic_name");
  auto topic = log_.topic(name);
  log::Topic asked;
  asked.name = name;
  if (!sees(request, asked)) {  // The same whether it exists or not.
    respond(denied(request.caller, Right::kQuery, name));
    return std::nullopt;
  }
  if (topic) return std::move(*topic);
  respond(answer(topic.error().code == ErrorCode::kNotFound ? no_topic(name) : refusal_of(topic.error())));
  return std::nullopt;
}

bool KafkaRestV3Door::may_administer(const http::Request& request, std::string_view topic, Respond& respond) {
  if (may(request.caller, Right::kAdmin)) return true;
  respond(denied(request.caller, Right::kAdmin, topic));
  return false;
}

}  // namespace pinflow::doors::kafka_rest_v3
