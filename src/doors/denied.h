#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "access/caller.h"
#include "http/message.h"

namespace pinflow::doors {

// In words: "the token 'shop' may not produce to 'orders'".
std::string denial(const std::shared_ptr<const access::Caller>& caller, access::Right right, std::string_view topic);

// What a caller gets who asks for more than it may: 403 / 40301; one that showed no credentials 401 / 40101, with a challenge. `topic` is
// empty where no topic is meant. Ask for the right before looking whether the topic is there: who may not touch it shall not learn that.
http::Response denied(const std::shared_ptr<const access::Caller>& caller, access::Right right, std::string_view topic,
                      std::string_view content_type = "application/json");

// 401 / 40101 with the challenges that the guard understands (RFC 9110, section 11.6.1). `error` is RFC 6750's, empty for none.
http::Response unauthenticated(std::string_view message, std::string_view error = {},
                               std::string_view content_type = "application/json");

}  // namespace pinflow::doors
