#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kafka_wire/frame.h"
#include "log/log.h"

namespace pinflow::kafka_door {

struct Answer;

// A request that waits without a thread. The connection's loop asks it when the log has records at or behind one of its positions,
// and a last time at its deadline. Used by that loop alone.
class LongPoll {
 public:
  virtual ~LongPoll() = default;
  // Gives the answer, or nothing to go on waiting, for whatever positions() then says. With `last` it must answer.
  virtual std::optional<Answer> look(bool last) = 0;
  virtual std::span<const log::FetchPosition> positions() const = 0;  // Empty: waits for the deadline alone.
  virtual SteadyTime deadline() const = 0;                            // Of the machine's steady clock.
};

// What becomes of one request. A value; moves keep the borrowed bytes where they are.
struct Answer {
  enum class Kind {
    kSend,     // `frame` goes out.
    kNothing,  // The protocol wants no response (Produce with acks=0).
    kClose,    // The connection ends after the answers before this one; `reason` says why in the log.
    kWait,     // Not yet: `poll` is asked again.
  };

  Kind kind = Kind::kSend;
  kafka_wire::EncodedFrame frame{};
  std::vector<std::string> records{};  // What `frame` borrows.
  std::string reason{};
  bool then_close = false;  // Of kSend: the last thing that the client hears.
  std::unique_ptr<LongPoll> poll{};

  static Answer send(kafka_wire::EncodedFrame frame) { return {.frame = std::move(frame)}; }
  static Answer nothing() { return {.kind = Kind::kNothing}; }
  static Answer close(std::string reason) { return {.kind = Kind::kClose, .reason = std::move(reason)}; }
  static Answer wait(std::unique_ptr<LongPoll> poll) { return {.kind = Kind::kWait, .poll = std::move(poll)}; }
};

}  // namespace pinflow::kafka_door
