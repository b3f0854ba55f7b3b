#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "groups/internal/group_snapshot.h"
#include "groups/internal/subscription.h"

// What can be read must be written the same way again; bytes of members may be anything.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)pinflow::groups::subscribed_topics(bytes);
  if (const auto snapshot = pinflow::groups::decode_snapshot(bytes)) {
    const auto again = pinflow::groups::decode_snapshot(pinflow::groups::encode_snapshot(*snapshot));
    CHECK(again && *again == *snapshot, "a snapshot survives a round trip");
  }
  return 0;
}
