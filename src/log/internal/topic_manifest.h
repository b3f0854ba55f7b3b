#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "log/log.h"

namespace pinflow::log {

// The file topic.json of a topic's folder (docs/formats/log.md). Pure functions.
std::string encode_manifest(const Topic& topic);

// kCorrupt: the bytes are not what encode_manifest writes, or their checksum is wrong. kInvalid: a newer
// format.
Result<Topic> decode_manifest(std::string_view bytes);

}  // namespace pinflow::log
