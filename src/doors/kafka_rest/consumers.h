#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "doors/event_thread.h"
#include "doors/kafka_rest/consumer_instance.h"
#include "doors/kafka_rest/profile.h"
#include "doors/worker_pool.h"
#include "http/router.h"

namespace pinflow::doors::kafka_rest {

struct ConsumerOptions {
  Profile profile = Profile::kConfluent;
  std::string
      base_uri;  // Of the answers to who makes an instance: "https://pinflow.example:8082"; empty: from the request.
  std::chrono::milliseconds idle_timeout{300'000};
  std::size_t max_instances = 1'000;
  std::size_t max_instances_of_caller = 250;
  std::size_t waiting_requests = 1'024;
  std::size_t reader_threads = 2;
};

// The consumers of the Kafka REST API v2 (/consumers/...): instances that live in this process, each in a consumer group that it shares with
// other instances and with Kafka clients. An instance belongs to the caller that made it; for all others it is not there.
// Requests come on the network loop, are checked for their types and handed to a thread that owns all instances; what reads from the disk
// runs in a pool; nobody waits on a thread for records. Requests beyond `waiting_requests` are 503, instances beyond their limits 429.
// Log, coordinator and clock must outlive it; it must outlive the server. Destroying it leaves all groups.
class Consumers final {
 public:
  Consumers(log::Log& log, groups::GroupCoordinator& coordinator, const Clock& clock, ConsumerOptions options);
  ~Consumers();

  void add_routes(http::Router& router);
  // Has it look at its clock, and waits until it has; with one reader thread, also for the reads that were asked for. For tests.
  void look_now();

 private:
  using Handler = void (Consumers::*)(http::Request, http::Responder);
  using InstanceHandler = void (Consumers::*)(ConsumerInstance&, http::Request, http::Responder);
  enum class Takes { kAnswer, kRecords };  // What Accept is held to before the request is handed on.

  void add(http::Router& router, std::string method, std::string_view pattern, Handler handler);
  void add(http::Router& router, std::string method, std::string_view below, InstanceHandler handler,
           Takes takes = Takes::kAnswer);
  void hand_over(http::Request request, http::Responder respond,
                 std::move_only_function<void(http::Request, http::Responder)> go);
  std::shared_ptr<ConsumerInstance> find(const http::Request& request) const;
  SteadyTime look();

  void create(http::Request request, http::Responder respond);
  void remove(http::Request request, http::Responder respond);
  void subscribe(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void subscription(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void unsubscribe(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void assign(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void assignments(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void seek(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void seek_to_beginning(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void seek_to_end(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void records(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void commit(ConsumerInstance& instance, http::Request request, http::Responder respond);
  void committed(ConsumerInstance& instance, http::Request request, http::Responder respond);

  log::Log& log_;
  groups::GroupCoordinator& coordinator_;
  const Clock& clock_;
  const ConsumerOptions options_;
  const Rules& rules_;
  // By group and name; the thread's own.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<ConsumerInstance>> instances_;
  // In this order: readers end first, then the thread, then the instances.
  EventThread thread_;
  WorkerPool readers_;
};

}  // namespace pinflow::doors::kafka_rest
