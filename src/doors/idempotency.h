#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "log/log.h"

namespace pinflow::doors {

// The Idempotency-Key of a produce request: the name that its sender gave it, so that it may be sent again without storing anything
// twice (docs/acknowledgement.md). Names of one caller and topic do not meet those of others; a topic made anew begins anew. A value.
class IdempotencyKey {
 public:
  static constexpr std::string_view kHeader = "Idempotency-Key";
  static constexpr std::string_view kReplayedHeader = "Idempotency-Replayed";

  // Empty: the request has none. kInvalid: it is not 1 to 255 visible ASCII characters, or is there twice.
  static Result<std::optional<IdempotencyKey>> of(const http::Request& request);

  // What the log knows the request by. `kind` and `content` are all that the request says, such as its Content-Type with its path, and its
  // body. `part` numbers what is stored by itself within one request.
  log::RequestMark mark(const log::Topic& topic, std::string_view kind, std::string_view content,
                        std::uint64_t part = 0) const;

 private:
  std::array<std::uint8_t, 32> name_{};  // SHA-256 of caller and key.
};

// The words for kConflict of produce_once, which doors answer with 422.
inline constexpr std::string_view kOtherContent =
    "This Idempotency-Key came before with another request. Give each request a key of its own, and send a request "
    "again exactly as it was.";

// True if produce_once refused the request because its key came before with other content.
bool is_other_content(const std::vector<Result<log::Appended>>& results);
// Sets Idempotency-Replayed: true if nothing of the request was stored now, as all was before.
void mark_replayed(http::Response& response, const std::vector<Result<log::Appended>>& results);

}  // namespace pinflow::doors
