#include "base/check.h"
#include "http/internal/body_intake.h"

namespace {

using namespace pinflow::http;
using namespace pinflow::http::internal;

constexpr UnpackLimits kLimits{.max_bytes = 1 << 20, .max_ratio = 1'000'000};

struct Outcome {
  bool good = false;
  std::string body;
};

Outcome collect(Packing packing, std::string_view bytes, std::size_t step) {
  BodyIntake intake;
  intake.collect(packing, kLimits, 0);
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, step);
    bytes.remove_prefix(part.size());
    intake.inbox().append(part);
    if (intake.settle()) return {};
    CHECK(intake.held_bytes() < (32 << 20), "a small body takes the memory");
  }
  if (intake.end()) return {};
  return {true, intake.take()};
}

Outcome stream(Packing packing, std::string_view bytes) {
  BodyIntake intake;
  Outcome outcome;
  bool ended = false;
  const auto body = intake.stream(packing, kLimits, [](std::size_t) {});
  intake.inbox().append(bytes);
  CHECK(!intake.settle() && !intake.end(), "a streamed body is unpacked before it is read");
  while (!ended) {
    bool called = false;
    body->next([&](BodyStream::Piece piece) {
      called = true;
      outcome.good = piece && !*piece;
      ended = !piece || !*piece;
      if (!ended) outcome.body += **piece;
    });
    CHECK(called, "a reader waits for a body that is there");
    if (outcome.body.size() > kLimits.max_bytes) return {};
  }
  return outcome;
}

}  // namespace

// A packed body gives the same bytes however it comes, collected or streamed, and never more than it may.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto packing = (data[0] & 1) != 0 ? Packing::kGzip : Packing::kZstd;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = collect(packing, bytes, SIZE_MAX);
  CHECK(whole.body.size() <= kLimits.max_bytes, "a body unpacks to more than it may");
  for (const std::size_t step : {1UZ, 13UZ}) {
    const auto cut = collect(packing, bytes, step);
    CHECK(cut.good == whole.good && cut.body == whole.body, "the same packed bytes in other pieces unpack to others");
  }
  const auto streamed = stream(packing, bytes);
  CHECK(streamed.good == whole.good && (!whole.good || streamed.body == whole.body),
        "a streamed body is not what a collected one is");
  return 0;
}
