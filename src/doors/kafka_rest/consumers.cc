#include "doors/kafka_rest/consumers.h"

#include <array>
#include <charconv>
#include <future>

#include <fmt/core.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "base/json.h"
#include "base/uuid.h"
#include "doors/kafka_rest/answers.h"
#include "doors/kafka_rest/base_uri.h"
#include "doors/kafka_rest/media_type.h"
#include "doors/kafka_rest/names_in_path.h"

namespace pinflow::doors::kafka_rest {

namespace {

constexpr std::size_t kMostRecordBytes = 64 << 20;
constexpr ByteCount kMostControlBody{std::uint64_t{1} << 20};
constexpr std::string_view kInstance = "/consumers/{group}/instances/{instance}";

http::Response no_content() {
  return {.status = 204, .headers = {}, .body = {}, .body_stream = nullptr};
}

Refusal no_instance() {
  return {404, 40403, "Consumer instance not found."};
}

// Nobody guesses it.
std::string new_name() {
  std::array<unsigned char, 16> bytes{};
  CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "the system gives random numbers");
  Uuid id;
  std::ranges::copy(bytes, id.bytes.begin());
  return "rest-consumer-" + id.to_string();
}

std::string_view name_of_caller(const std::shared_ptr<const access::Caller>& caller) {
  return caller ? std::string_view(caller->name()) : std::string_view();
}

// A number of the query. Empty: it is there and no number.
std::optional<std::int64_t> query_number(const http::Request& request, std::string_view name, std::int64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

}  // namespace

Consumers::Consumers(log::Log& log, groups::GroupCoordinator& coordinator, const Clock& clock, ConsumerOptions options)
    : log_(log),
      coordinator_(coordinator),
      clock_(clock),
      options_(std::move(options)),
      rules_(rules_of(options_.profile)),
      thread_(clock, options_.waiting_requests, [this] { return look(); }),
      // Each instance has at most one read and few seeks under way.
      readers_(options_.reader_threads, 2 * options_.max_instances) {}

Consumers::~Consumers() {
  std::promise<void> left;
  thread_.post([&] {
    for (const auto& [key, instance] : instances_) instance->close(false);
    instances_.clear();
    left.set_value();
  });
  left.get_future().wait();
}

void Consumers::look_now() {
  std::promise<void> read;
  WorkerPool::Job barrier = [&read] { read.set_value(); };
  if (readers_.try_run(barrier)) read.get_future().wait();
  std::promise<void> looked;
  thread_.post([&] {
    look();
    looked.set_value();
  });
  looked.get_future().wait();
}

SteadyTime Consumers::look() {
  SteadyTime next = SteadyTime::max();
  for (auto at = instances_.begin(); at != instances_.end();) {
    const auto instance = at->second;  // It may go below.
    if (instance->look()) {
      next = std::min(next, instance->next_look());
      ++at;
    } else {
      instance->close(false);
      at = instances_.erase(at);
    }
  }
  return next;
}

void Consumers::add(http::Router& router, std::string method, std::string_view pattern, Handler handler) {
  router.add(std::move(method), pattern,
             [this, handler](http::Request request, http::Responder respond) {
               if (!accepts_answer(request.headers.get("Accept").value_or(""), rules_))
                 return respond(not_acceptable());
               hand_over(std::move(request), std::move(respond),
                         [this, handler](http::Request request, http::Responder respond) {
                           (this->*handler)(std::move(request), std::move(respond));
                         });
             },
             {.stream_body = false, .max_body = kMostControlBody});
}

void Consumers::add(http::Router& router, std::string method, std::string_view below, InstanceHandler handler,
                    Takes takes) {
  router.add(std::move(method), fmt::format("{}{}", kInstance, below),
             [this, handler, takes](http::Request request, http::Responder respond) {
               if (takes == Takes::kAnswer && !accepts_answer(request.headers.get("Accept").value_or(""), rules_))
                 return respond(not_acceptable());
               hand_over(std::move(request), std::move(respond),
                         [this, handler](http::Request request, http::Responder respond) {
                           const auto instance = find(request);
                           if (!instance) return respond(answer(no_instance(), rules_));
                           (this->*handler)(*instance, std::move(request), std::move(respond));
                         });
             },
             {.stream_body = false, .max_body = kMostControlBody});
}

void Consumers::hand_over(http::Request request, http::Responder respond,
                          std::move_only_function<void(http::Request, http::Responder)> go) {
  if (const auto refusal = check_path_names(request)) return respond(answer(*refusal, rules_));
  // A body has to say what it is.
  const bool writes = request.method == "POST";
  if (writes && !request.body.empty() && !takes_control_type(request.headers.get("Content-Type").value_or(""), rules_))
    return respond(unsupported_media_type());
  auto held = std::make_shared<std::pair<http::Request, http::Responder>>(std::move(request), std::move(respond));
  EventThread::Event event = [held, go = std::move(go)]() mutable {
    go(std::move(held->first), std::move(held->second));
  };
  if (!thread_.try_post(event)) held->second(answer_busy(rules_));
}

void Consumers::add_routes(http::Router& router) {
  add(router, "POST", "/consumers/{group}", &Consumers::create);
  add(router, "DELETE", kInstance, &Consumers::remove);
  add(router, "POST", "/subscription", &Consumers::subscribe);
  add(router, "GET", "/subscription", &Consumers::subscription);
  add(router, "DELETE", "/subscription", &Consumers::unsubscribe);
  add(router, "POST", "/assignments", &Consumers::assign);
  add(router, "GET", "/assignments", &Consumers::assignments);
  add(router, "POST", "/positions", &Consumers::seek);
  add(router, "POST", "/positions/beginning", &Consumers::seek_to_beginning);
  add(router, "POST", "/positions/end", &Consumers::seek_to_end);
  add(router, "GET", "/records", &Consumers::records, Takes::kRecords);
  add(router, "POST", "/offsets", &Consumers::commit);
  add(router, "GET", "/offsets", &Consumers::committed);
}

// An instance of another caller is not there.
std::shared_ptr<ConsumerInstance> Consumers::find(const http::Request& request) const {
  const auto at = instances_.find({request.parameter("group"), request.parameter("instance")});
  if (at == instances_.end()) return nullptr;
  if (name_of_caller(at->second->identity().owner) != name_of_caller(request.caller)) return nullptr;
  at->second->set_owner(request.caller);
  return at->second;
}

void Consumers::create(http::Request request, http::Responder respond) {
  if (!access::may(request.caller, access::Right::kConsume))
    return respond(answer(not_authorized(request.caller, access::Right::kConsume, {}), rules_));
  auto settings = parse_instance(request.body, rules_);
  if (!settings) return respond(answer(settings.error(), rules_));
  const std::string& group = request.parameter("group");
  if (settings->name.empty()) settings->name = new_name();
  if (instances_.contains({group, settings->name}))
    return respond(answer(
        Refusal{409, 40902, "Consumer with specified consumer ID already exists in the specified consumer group."},
        rules_));
  const auto own = std::ranges::count_if(instances_, [&](const auto& entry) {
    return name_of_caller(entry.second->identity().owner) == name_of_caller(request.caller);
  });
  if (instances_.size() >= options_.max_instances ||
      static_cast<std::size_t>(own) >= options_.max_instances_of_caller) {
    return respond(
        answer(Error{ErrorCode::kOverloaded,
                     fmt::format("{} consumer instances are there, {} of them yours; at most {} in all and {} "
                                 "of one caller are held. Delete those that are not in use.",
                                 instances_.size(), own, options_.max_instances, options_.max_instances_of_caller)},
               rules_));
  }
  const std::string name = settings->name;
  InstanceParts parts{log_, coordinator_, clock_, readers_, thread_.poster(), rules_, options_.idle_timeout};
  InstanceIdentity identity{group, name, request.caller};
  instances_[{group, name}] =
      std::make_shared<ConsumerInstance>(std::move(parts), std::move(identity), std::move(*settings));
  JsonWriter out;
  out.begin_object().key("instance_id").string(name);
  out.key("base_uri").string(consumer_base_uri(request, options_.base_uri, group, name)).end_object();
  respond(http::Response::json(200, std::move(out).take(), rules_.answer_type));
}

void Consumers::remove(http::Request request, http::Responder respond) {
  const auto instance = find(request);
  if (!instance) return respond(answer(no_instance(), rules_));
  instance->close(true);
  instances_.erase({request.parameter("group"), request.parameter("instance")});
  respond(no_content());
}

void Consumers::subscribe(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  auto body = parse_subscription(request.body, rules_);
  if (!body) return respond(answer(body.error(), rules_));
  const auto done = instance.subscribe(std::move(*body));
  respond(done ? no_content() : answer(done.error(), rules_));
}

void Consumers::subscription(ConsumerInstance& instance, http::Request, http::Responder respond) {
  JsonWriter out;
  out.begin_object().key("topics").begin_array();
  for (const std::string& topic : instance.subscription()) out.string(topic);
  out.end_array().end_object();
  respond(http::Response::json(200, std::move(out).take(), rules_.answer_type));
}

void Consumers::unsubscribe(ConsumerInstance& instance, http::Request, http::Responder respond) {
  instance.unsubscribe();
  respond(no_content());
}

void Consumers::assign(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  auto partitions = parse_partitions(request.body, rules_);
  if (!partitions) return respond(answer(partitions.error(), rules_));
  const auto done = instance.assign(std::move(*partitions));
  respond(done ? no_content() : answer(done.error(), rules_));
}

void Consumers::assignments(ConsumerInstance& instance, http::Request, http::Responder respond) {
  instance.assignments(std::move(respond));
}

void Consumers::seek(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  auto body = parse_offsets(request.body, rules_);
  if (!body) return respond(answer(body.error(), rules_));
  instance.seek(std::move(*body), std::move(respond));
}

void Consumers::seek_to_beginning(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  auto partitions = parse_partitions(request.body, rules_);
  if (!partitions) return respond(answer(partitions.error(), rules_));
  instance.seek_to_edge(std::move(*partitions), true, std::move(respond));
}

void Consumers::seek_to_end(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  auto partitions = parse_partitions(request.body, rules_);
  if (!partitions) return respond(answer(partitions.error(), rules_));
  instance.seek_to_edge(std::move(*partitions), false, std::move(respond));
}

void Consumers::records(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  const EmbeddedFormat own = instance.settings().format;
  const auto format = records_format(request.headers.get("Accept").value_or(""), own, rules_);
  if (!format) return respond(not_acceptable());
  if (*format != own) {
    return respond(
        answer(Refusal{406, 40601,
                       "The requested embedded data format does not match the deserializer for this consumer instance"},
               rules_));
  }
  const auto timeout = query_number(request, "timeout", INT64_MAX);
  const auto max_bytes = query_number(request, "max_bytes", -1);
  const bool strict = rules_.bad_number_code != rules_.bad_number_status;
  if (!timeout || !max_bytes || (strict && *timeout <= 0)) {
    return respond(answer(Refusal{rules_.bad_number_status, rules_.bad_number_code,
                                  strict ? "timeout and max_bytes must be positive integers" : "HTTP 404 Not Found"},
                          rules_));
  }
  const auto longest = instance.settings().wait.value_or(rules_.default_wait);
  const auto wait =
      *timeout <= 0 ? longest : std::min<std::int64_t>(*timeout, longest.count()) * std::chrono::milliseconds(1);
  const auto most =
      *max_bytes <= 0 ? kMostRecordBytes : std::min(static_cast<std::size_t>(*max_bytes), kMostRecordBytes);
  instance.read({wait, most, request.abandoned}, std::move(respond));
}

void Consumers::commit(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  if (request.body.empty()) return instance.commit_all(!request.query_value("async"), std::move(respond));
  auto body = parse_offsets(request.body, rules_);
  if (!body) return respond(answer(body.error(), rules_));
  instance.commit(std::move(*body), std::move(respond));
}

void Consumers::committed(ConsumerInstance& instance, http::Request request, http::Responder respond) {
  if (request.body.empty()) {
    return respond(answer(Refusal{rules_.committed_without_body_status, rules_.committed_without_body_code,
                                  rules_.committed_without_body_status == 404 ? std::string("Partition not found.")
                                                                              : std::string(rules_.missing_body)},
                          rules_));
  }
  const auto partitions = parse_partitions(request.body, rules_);
  if (!partitions) return respond(answer(partitions.error(), rules_));
  instance.committed(*partitions, std::move(respond));
}

}  // namespace pinflow::doors::kafka_rest
