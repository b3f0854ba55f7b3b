#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/logger.h"
#include "kafka_door/handlers/reply.h"
#include "kafka_door/internal/blocking_thread.h"
#include "kafka_door/internal/memory_budget.h"
#include "kafka_door/server.h"
#include "kafka_wire/frame.h"

namespace pinflow::kafka_door {

// The id of the one broker. Not 0, which is also what an unset number says; 1 is what Kafka's own single-node set-up has.
inline constexpr std::int32_t kBrokerId = 1;

// What handlers know about a connection. Never changes once requests are served, but for `principal`, which authentication sets.
struct ConnectionFacts {
  std::string client_host;  // An IP literal, as Kafka's tools show it.
  std::uint16_t client_port = 0;
  std::string dialled_host;  // Our address as this client reached it.
  std::uint16_t dialled_port = 0;
  std::string principal = "User:ANONYMOUS";
};

// One request. What the decoded message views lies in the frame: a handler that goes on later keeps `frame`, or the whole call.
struct Call {
  kafka_wire::RequestHeader header;
  std::shared_ptr<const void> frame;                  // Shared with whoever stores from where the bytes lie.
  std::shared_ptr<const ConnectionFacts> connection;  // Shared: a call may outlive its connection.
  std::string client_id() const { return std::string(header.client_id.value_or("")); }
};

// What handlers work with; lives as long as the server. A handler is a function
//
//   void join_group(Context& context, Call call, kafka_wire::JoinGroupRequest request, Reply reply);
//
// called on the network loop of its connection: it must not block, and answers now or later, from any thread. It is named in the
// table of dispatch.cc. Requests of one connection are handed over one by one, the next after the answer; Produce alone may
// overtake waiting answers of Produce.
struct Context {
  const KafkaServerOptions& options;
  log::BrokerLog& log;
  groups::GroupCoordinator& coordinator;
  const Clock& clock;
  Logger& logger;
  internal::BlockingThread& blocking;  // For what waits for the disk.
  internal::MemoryBudget& budget;      // What responses may still take.
  std::string cluster_id;
};

// Does `work`, which answers, on the thread that may wait for the disk. When too many wait already the connection is closed: the
// client comes back.
template <class Work>
void run_blocking(Context& context, Reply reply, Work work) {
  internal::BlockingThread::Job job = [reply = std::move(reply), work = std::move(work)]() mutable {
    work(std::move(reply));
  };
  if (!context.blocking.try_run(job)) {
    context.logger.warning("too many Kafka requests wait for the disk; a connection is closed");
  }
}

}  // namespace pinflow::kafka_door
