#include <cstdint>
#include <cstring>
#include <memory>

#include "disk/memory_disk.h"
#include "groups/coordinator.h"
#include "kafka_door/internal/conversation.h"
#include "kafka_door/internal/dispatch.h"
#include "log/embedded_log.h"

namespace pinflow::kafka_door::internal {
namespace {

// A log in memory and all that stands before it, but for the sockets.
struct Door {
  Door() {
    log::EmbeddedLogOptions stored;
    stored.folder = "/log";
    stored.reserved_space = ByteCount(0);
    log = *log::open_embedded_log(stored, disk, clock, logger);
    (void)log->create_topic({"t", 2, {}});
    coordinator = std::make_unique<groups::GroupCoordinator>(groups::CoordinatorOptions{}, *log, clock, logger, 7);
    options.default_partitions = 1;
    context = std::make_unique<Context>(
        Context{options, *log, *coordinator, clock, logger, blocking, budget, "AAAAAAAAAAAAAAAAAAAAAA"});
  }

  ManualClock clock;
  NullLogger logger;
  disk::MemoryDisk disk{&clock};
  std::unique_ptr<log::EmbeddedLog> log;
  std::unique_ptr<groups::GroupCoordinator> coordinator;
  KafkaServerOptions options;
  MemoryBudget budget{1 << 20};
  BlockingThread blocking{16};
  std::unique_ptr<Context> context;
  Complaints complaints{clock, logger};
};

// One connection's bytes: every second input before authentication, cut at a place that the first byte says.
void run(Door& door, const Credentials& credentials, std::string_view bytes, std::size_t piece) {
  Dispatcher dispatcher(*door.context, door.complaints);
  auto mailbox = std::make_shared<Mailbox>([] {});
  auto facts = std::make_shared<ConnectionFacts>();
  facts->dialled_host = "127.0.0.1";
  Session session(facts, credentials);
  Conversation talk(1 << 20, 8);
  const auto pool = std::make_shared<BlockPool>(std::size_t{64} << 10, 1);
  while (!bytes.empty() && talk.wants_bytes()) {
    const std::span<char> room = talk.reader().room();
    const BlockPtr shared = pool->take();
    const std::size_t count = std::min({piece, bytes.size(), room.empty() ? shared->capacity : room.size()});
    std::memcpy(room.empty() ? shared->bytes.get() : room.data(), bytes.data(), count);
    room.empty() ? talk.reader().receive(shared, count) : talk.reader().received(count);
    bytes.remove_prefix(count);
    while (auto next = talk.next()) {
      mailbox->begin_direct(1);
      dispatcher.dispatch(session, std::move(next->frame), mailbox, {1, next->request});
      auto delivered = mailbox->end_direct();
      for (Delivery& delivery : delivered) {
        if (delivery.answer && delivery.answer->kind == Answer::Kind::kWait) {
          delivery.answer = delivery.answer->poll->look(true);
        }
        if (delivery.answer) talk.answer(delivery.ticket.request, std::move(*delivery.answer));
      }
      // What waits for the disk is not waited for: the connection goes on as if it had been answered.
      if (delivered.empty()) talk.answer(next->request, Answer::nothing());
      while (!talk.output().empty()) talk.sent(talk.output().front().answer.frame.size());
    }
    talk.reader().settle();
  }
}

}  // namespace
}  // namespace pinflow::kafka_door::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::kafka_door;
  using namespace pinflow::kafka_door::internal;
  static std::unique_ptr<Door> door;
  static int runs = 0;
  if (runs++ % 2'000 == 0) {
    door.reset();  // Topics that the fuzzer has made go.
    door = std::make_unique<Door>();
  }
  static const Credentials open = *Credentials::derive({}, {});
  static const User users[] = {{"u", "p"}};
  static const SaslMechanism mechanisms[] = {SaslMechanism::kPlain, SaslMechanism::kScramSha256};
  static const Credentials closed = *Credentials::derive(users, mechanisms);
  if (size < 2) return 0;
  run(*door, data[0] % 2 == 0 ? open : closed, {reinterpret_cast<const char*>(data) + 1, size - 1},
      1u + (data[0] >> 1) * 37u);
  return 0;
}
