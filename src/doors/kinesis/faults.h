#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "doors/kinesis/protocol.h"
#include "doors/kinesis/stream.h"

// The errors of the operations, in the words that AWS uses where they are known.
namespace pinflow::doors::kinesis {

Fault invalid_argument(std::string message);
Fault validation(std::string message);
Fault limit_exceeded(std::string message);
Fault resource_in_use(std::string message);
Fault internal_failure();
Fault stream_not_found(std::string_view stream, std::string_view account);
Fault stream_not_active(const Stream& stream, std::string_view account);
// Where a call reads a shard; and where it changes one.
Fault shard_does_not_exist(std::int32_t shard, std::string_view stream, std::string_view account);
Fault shard_not_found(std::string_view shard, std::string_view stream, std::string_view account);
Fault rate_exceeded(std::int32_t shard, std::string_view stream, std::string_view account);
Fault access_denied(const Call& call, std::string_view resource);
Fault busy();  // Too many calls wait.
// What an error of the log about a whole stream means to a client of Kinesis.
Fault fault_of(const Error& error, std::string_view stream, std::string_view account);

// "Thu Jan 22 01:22:02 UTC 2015"
std::string utc_text(WallTime time);

}  // namespace pinflow::doors::kinesis
