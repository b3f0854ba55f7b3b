#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/internal/unpacker.h"
#include "http/message.h"

namespace pinflow::http::internal {

struct BodyPipe;

// Where the body of one request goes while it comes in: collected to be handed over whole, or through a pipe to a handler that reads
// it piece by piece; unpacked either way. The sessions of all versions of HTTP take bodies in through it. Owned by a session; the handler's
// end of the pipe may outlive it. Handlers run within deliver() and within their own BodyStream::next() only.
class BodyIntake {
 public:
  BodyIntake() = default;
  BodyIntake(const BodyIntake&) = delete;
  BodyIntake& operator=(const BodyIntake&) = delete;
  ~BodyIntake();  // As close().

  // Begins a body that is collected. `expected` bytes are announced; 0: unknown.
  void collect(Packing packing, const UnpackLimits& limits, std::uint64_t expected);
  // Begins a body that is read through the stream that it returns; limits.max_bytes does not matter. `read` tells how many bytes, as sent, the
  // reader took, and 0 when the reader begins to wait or leaves; called from within the reader's calls and deliver().
  std::unique_ptr<BodyStream> stream(Packing packing, const UnpackLimits& limits,
                                     std::move_only_function<void(std::size_t)> read);

  // Takes bytes of the body as sent: append them here, then settle().
  std::string& inbox();
  // Unpacks what came, if the body is collected and packed.
  std::optional<Failure> settle();
  // The body is complete.
  std::optional<Failure> end();
  // The rest will not come. Says so to the reader once it has read what came.
  void fail(Error error);
  // Hands to a waiting reader what is there for it.
  void deliver();
  // Takes the collected body.
  std::string take() { return std::move(body_); }
  // Lets go of everything; a reader who waits is told that the rest will not come.
  void close();

  bool reader_waits() const;       // In next(), for bytes that did not come yet.
  bool reader_gone() const;        // The stream is destroyed.
  std::size_t buffered() const;    // Bytes as sent that no reader took yet.
  std::size_t held_bytes() const;  // Memory, all in all.

 private:
  std::string body_;
  std::string packed_;
  std::unique_ptr<Unpacker> unpacker_;
  std::shared_ptr<BodyPipe> pipe_;  // Shared with the stream, since either may go first.
};

}  // namespace pinflow::http::internal
