#pragma once

#include <string_view>

namespace pinflow::internal {
[[noreturn]] void check_failed(std::string_view condition, std::string_view message, const char* file, int line);
}

// Stops the process when a promise of our own code is broken, in release builds too: a log must crash before
// it lies. What the world can break (files, peers, input) is a Result instead.
#define CHECK(condition, message)                                                 \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::pinflow::internal::check_failed(#condition, message, __FILE__, __LINE__); \
  } while (false)
