#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/signing.h"

// The parts of a request in their canonical form, for those who sign and those who check.
namespace pinflow::aws {

using Parameters = std::vector<std::pair<std::string, std::string>>;  // Decoded, in the order in which they were sent.

Parameters parse_query(std::string_view query);
// The value of the first of that name; null: there is none.
const std::string* find_parameter(const Parameters& parameters, std::string_view name);
// Sorted and encoded; X-Amz-Signature is left out.
std::string canonical_query(const Parameters& parameters);
std::string canonical_path(std::string_view path, PathForm form);
// The values of all headers of a lower-case name, trimmed, runs of spaces made one, with commas between them. Nothing: there is none.
std::optional<std::string> canonical_header(const SignedRequest& request, std::string_view name);
std::string lower(std::string_view text);
// Percent-encoded but for the characters that RFC 3986 leaves unreserved, as signatures want it.
std::string uri_encode(std::string_view text, bool keep_slash);

}  // namespace pinflow::aws
