#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "emulator/emulator.h"
#include "http/message.h"

namespace pinflow::emulator::internal {

// What an answer means for the record that was sent.
struct Verdict {
  enum class Is { kStored, kTryAgain, kRefused };
  Is is = Is::kTryAgain;
  bool unknown = false;                                // The record may be stored all the same.
  std::optional<std::chrono::milliseconds> wait = {};  // The target's own wish.
  std::string reason = {};                             // Unless stored.
};

// A target that answers 200 and names an error in the body has not stored the record: Kafka REST answers so per record, API
// gateways before Kinesis for everything.
Verdict judge(Target target, const Result<http::Response>& answer);

}  // namespace pinflow::emulator::internal
