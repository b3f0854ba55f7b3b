#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/internal/wire.h"
#include "http/message.h"

// What requests of every version of HTTP share: both sessions read targets and hosts here, so that no version understands them
// differently.
namespace pinflow::http::internal {

// Reads a request's target into target, segments and query of `request`, whose method is set. An absolute-form target leaves its host
// in `authority`.
std::optional<Failure> parse_target(std::string_view target, std::size_t max_bytes, Request& request,
                                    std::string& authority);

// Checks the value of Host or :authority.
std::optional<Failure> check_host(std::string_view host);

}  // namespace pinflow::http::internal
