#include <map>
#include <mutex>

#include <fmt/core.h>

#include "access/caller.h"
#include "base/names.h"
#include "doors/idempotency.h"
#include "doors/kafka_rest/answers.h"
#include "doors/kafka_rest/kafka_rest_door.h"
#include "doors/kafka_rest/path_partition.h"

// Producing with the REST Proxy API v2.
namespace pinflow::doors::kafka_rest {

namespace {

using Results = std::vector<Result<log::Appended>>;

// Takes the results of all records, once, on any thread.
using Finish = std::move_only_function<void(const Results&)>;

// Brings the results of several produces together, in the order of the request's records. Shared by the `done` of each, which
// the log calls on threads of its own.
class Gathering {
 public:
  Gathering(std::size_t records, std::size_t produces, Finish finish)
      : results_(records, Result<log::Appended>(log::Appended{})), open_(produces), finish_(std::move(finish)) {}

  void arrive(const std::vector<std::size_t>& places, Results results) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < places.size(); ++i) results_[places[i]] = std::move(results[i]);
    if (--open_ > 0) return;
    lock.unlock();
    finish_(results_);
  }

 private:
  std::mutex mutex_;
  Results results_;
  std::size_t open_;
  Finish finish_;
};

void produce_all(log::Log& log, const std::string& topic, ProduceRequest request, Finish finish) {
  if (request.mark) {
    std::vector<log::PartitionId> partitions;
    partitions.reserve(request.partitions.size());
    for (const auto& own : request.partitions) partitions.push_back(own ? log::PartitionId(*own) : log::kAnyPartition);
    log.produce_once(topic, *request.mark, std::move(request.records), std::move(partitions),
                     [finish = std::move(finish)](Results results) mutable { finish(results); });
    return;
  }
  if (request.partitions.empty()) {
    log.produce(topic, log::kAnyPartition, std::move(request.records),
                [finish = std::move(finish)](Results results) mutable { finish(results); });
    return;
  }
  std::map<std::int32_t, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    places[request.partitions[i].value_or(log::kAnyPartition.value())].push_back(i);
  }
  const auto gathering = std::make_shared<Gathering>(request.records.size(), places.size(), std::move(finish));
  for (auto& [partition, indices] : places) {
    std::vector<log::Record> records;
    records.reserve(indices.size());
    for (const auto index : indices) records.push_back(std::move(request.records[index]));
    log.produce(
        topic, log::PartitionId(partition), std::move(records),
        [gathering, indices = std::move(indices)](Results results) { gathering->arrive(indices, std::move(results)); });
  }
}

// For ?async: what is refused while the log is being asked is told; later results nobody hears of.
class AtOnce {
 public:
  void arrive(const Results& results) {
    const std::scoped_lock lock(mutex_);
    if (!answered_) results_ = results;
  }
  std::optional<Results> take() {
    const std::scoped_lock lock(mutex_);
    answered_ = true;
    return std::move(results_);
  }

 private:
  std::mutex mutex_;
  bool answered_ = false;
  std::optional<Results> results_;
};

// Every answer that says that something is stored says how well.
http::Response with_durability(http::Response response, std::string_view level) {
  if (response.status < 300) response.headers.add("Pinflow-Durability", std::string(level));
  return response;
}

std::string_view name_of(log::Durability level) {
  switch (level) {
    case log::Durability::kPower:
      return "power";
    case log::Durability::kInterval:
      return "interval";
    case log::Durability::kOs:
      return "os";
  }
  return "";
}

http::Response tell(const Results& results, const Rules& rules) {
  if (is_other_content(results)) return answer(Refusal{422, 422, std::string(kOtherContent)}, rules);
  auto told = answer(results, rules);
  mark_replayed(told, results);
  return told;
}

// A request that bears an Idempotency-Key, until its topic is known.
struct KeyedRequest {
  IdempotencyKey key;
  std::string kind;
  std::string body;
  log::RequestMark mark(const log::Topic& topic) const { return key.mark(topic, kind, body); }
};

// What storing needs of the door; answers in flight may outlive it.
struct Store {
  log::Log& log;
  const Rules& rules;
  std::string_view durability;
  bool wait;
};

void store_all(const Store& to, const std::string& topic, ProduceRequest request, http::Responder respond) {
  if (to.wait) {
    return produce_all(
        to.log, topic, std::move(request),
        [&rules = to.rules, durability = to.durability, respond = std::move(respond)](const Results& results) mutable {
          respond(with_durability(tell(results, rules), durability));
        });
  }
  const auto at_once = std::make_shared<AtOnce>();  // Shared with results that come later.
  produce_all(to.log, topic, std::move(request), [at_once](const Results& results) { at_once->arrive(results); });
  if (const auto results = at_once->take()) {
    auto told = tell(*results, to.rules);
    if (told.status >= 300) return respond(std::move(told));
  }
  respond(with_durability({.status = 204, .headers = {}, .body = {}, .body_stream = nullptr}, "none"));
}

void create_then_store(Worker& worker, const Store& to, const log::TopicSpec& spec, ProduceRequest request,
                       std::optional<KeyedRequest> keyed, http::Responder respond) {
  if (auto good = check_name("topic", spec.name); !good) return respond(answer(good.error(), to.rules));
  auto job = [to, spec, request = std::move(request), keyed = std::move(keyed)](const std::stop_token&,
                                                                                http::Responder respond) mutable {
    auto created = to.log.create_topic(spec);
    if (!created && created.error().code == ErrorCode::kConflict) created = to.log.topic(spec.name);
    if (!created) return respond(answer(created.error(), to.rules));
    for (const auto& own : request.partitions) {
      if (own && *own >= created->partitions) return respond(answer(no_such_partition(*created, *own), to.rules));
    }
    if (keyed) request.mark = keyed->mark(*created);
    store_all(to, spec.name, std::move(request), std::move(respond));
  };
  worker.run(std::move(respond), std::move(job), answer_busy(to.rules));
}

}  // namespace

Refusal no_such_partition(const log::Topic& topic, std::int32_t partition) {
  return {404, 40402,
          fmt::format("Partition not found. Topic '{}' has partitions 0 to {}, not {}.", topic.name,
                      topic.partitions - 1, partition)};
}

void KafkaRestDoor::produce(http::Request request, Respond respond) {
  const auto format = produce_format(request.headers.get("Content-Type").value_or(""), rules_);
  if (!format) return respond(unsupported_media_type());
  const auto& name = request.parameter("topic");
  const bool names_partition = request.segments.size() > 2;
  const auto partition = names_partition ? path_partition(request) : std::nullopt;
  if (names_partition && !partition) return respond(not_found());
  const bool allowed = access::may(request.caller, access::Right::kProduce, name);
  const auto topic = log_.topic(name);
  if (allowed && !topic && (!options_.auto_create_topics || topic.error().code != ErrorCode::kNotFound)) {
    if (topic.error().code != ErrorCode::kNotFound) return respond(answer(topic.error(), rules_));
    return respond(answer(missing_topic(name, request.caller), rules_));
  }
  const auto key = IdempotencyKey::of(request);
  if (!key) return respond(answer(Refusal{400, 400, key.error().message}, rules_));
  auto parsed = parse_produce_request(request.body, *format, rules_);
  if (!parsed) return respond(answer(parsed.error(), rules_));
  if (!allowed) {
    const auto refusal = not_authorized(request.caller, access::Right::kProduce, name);
    return respond(answer_not_authorized(refusal, parsed->records.size(), rules_));
  }
  access::spend_records(request.caller, parsed->records.size());
  if (partition) {
    parsed->partitions.resize(parsed->records.size());
    for (auto& own : parsed->partitions) own = own.value_or(*partition);
  }
  std::optional<KeyedRequest> keyed;
  if (*key) {
    std::string kind = fmt::format("{} {}", request.headers.get("Content-Type").value_or(""), partition.value_or(-1));
    keyed.emplace(**key, std::move(kind), std::move(request.body));
  }
  const auto async = request.query_value("async");
  const Store to{log_, rules_, name_of(options_.durability), !async || *async == "false"};
  if (!topic) {
    const log::TopicSpec spec{name, options_.auto_create_partitions, {}};
    return create_then_store(worker_, to, spec, std::move(*parsed), std::move(keyed), std::move(respond));
  }
  if (keyed) parsed->mark = keyed->mark(*topic);
  for (const auto& own : parsed->partitions) {
    if (own && *own >= topic->partitions) return respond(answer(no_such_partition(*topic, *own), rules_));
  }
  store_all(to, name, std::move(*parsed), std::move(respond));
}

Refusal KafkaRestDoor::missing_topic(const std::string& name,
                                     const std::shared_ptr<const access::Caller>& caller) const {
  if (auto good = check_name("topic", name); !good)
    return {404, 40401, fmt::format("Topic not found. {}", good.error().message)};
  std::vector<std::string> known;
  for (const auto& topic : log_.topics()) {
    if (access::may(caller, access::Right::kProduce, topic.name)) known.push_back(topic.name);
  }
  const auto near = nearest(name, known);
  // Every topic is a stream, so the streams door makes it; this holds in whatever way this server was started.
  return {404, 40401,
          fmt::format("Topic not found. There is no topic '{}'{} To make it: POST /streams/{} with the body "
                      "{{\"ShardCount\":1}}, or turn auto_create_topics on.",
                      name, near ? fmt::format("; did you mean '{}'?", *near) : ".", name)};
}

}  // namespace pinflow::doors::kafka_rest
