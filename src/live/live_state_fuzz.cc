#include <cstdint>
#include <string>

#include "base/check.h"
#include "live/live_state.h"

// Whatever the bytes: no crash, within the bounds; and a state that was read is written so that it reads back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pinflow::live;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  LiveState state{StateOptions()};
  if (!state.load(bytes)) return 0;
  const std::string saved = state.save();
  LiveState again{StateOptions()};
  const auto loaded = again.load(saved);
  CHECK(loaded.has_value(), loaded ? "" : loaded.error().message);  // What a state saves it can load.
  CHECK(again.save() == saved, "the same state gives the same bytes");
  return 0;
}
