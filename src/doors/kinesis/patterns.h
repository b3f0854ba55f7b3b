#pragma once

#include <cstdint>
#include <string_view>

namespace pinflow::doors::kinesis {

// The patterns that AWS's model sets for texts. Each is matched by hand against the whole text, in time linear in its length.
enum class Pattern : std::uint8_t { kNone, kName, kSequenceNumber, kHashKey, kStreamArn, kConsumerArn, kResourceArn };

// The pattern as validation messages print it.
std::string_view printed(Pattern pattern);
bool matches(Pattern pattern, std::string_view text);

}  // namespace pinflow::doors::kinesis
