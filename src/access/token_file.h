#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/allowance.h"
#include "access/caller.h"
#include "base/clock.h"
#include "base/result.h"

namespace pinflow::access {

// What is kept of a bearer token: enough to know it when it is shown, not to make it.
struct Token {
  std::string id;      // Part of the token's text: 8 letters.
  std::string name;    // Of whoever holds it; one token a name.
  std::string sha256;  // Of the token's whole text, 32 bytes.
  std::vector<Grant> grants;
  WallTime created;
  std::optional<WallTime> expires;  // From then on it is worth nothing.
  RateLimits limits;
  friend bool operator==(const Token&, const Token&) = default;
};

// The file of tokens, docs/formats/tokens.md. kCorrupt: the text is not of this form, the message says where; kInvalid: of a later
// version of it.
Result<std::vector<Token>> parse_tokens(std::string_view text);
std::string write_tokens(const std::vector<Token>& tokens);

}  // namespace pinflow::access
