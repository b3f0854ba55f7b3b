#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace pinflow::config {

// One setting: its key, what it means, and how to read and print it.
struct Setting {
  std::string_view key;
  std::string_view description;
  Result<void> (*parse)(Config&, std::string_view text);
  std::string (*print)(const Config&);
};

// All settings, in the order in which they are shown.
std::span<const Setting> settings();

// The variable that sets a key: "http.port" -> "PINFLOW_HTTP__PORT".
std::string environment_name(std::string_view key);

}  // namespace pinflow::config
