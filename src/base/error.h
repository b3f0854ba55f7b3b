#pragma once

#include <string>
#include <string_view>

namespace pinflow {

// What a caller should do about a failure. Few on purpose: nobody can act on forty.
enum class ErrorCode {
  kInvalid,         // The request is wrong: reject it, do not retry.
  kNotFound,        // The named thing does not exist.
  kConflict,        // Somebody else was first: reload and decide again.
  kOverloaded,      // A bound is reached: back off, then retry.
  kUnavailable,     // It may work later: retry with back-off.
  kUnknownOutcome,  // It may have happened: look before a retry.
  kCorrupt,         // Stored bytes are damaged: stop this part, tell a person.
  kCancelled,       // The owner asked to stop.
};

std::string_view to_string(ErrorCode code);

// A failure that the world can cause. `message` says what happened, where, and how to mend it, in words for
// the person who runs the program. A value type.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;

  // Returns the same error with the caller's view before it: "reading segment 3: " + message.
  Error with_context(std::string_view context) &&;

  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace pinflow
