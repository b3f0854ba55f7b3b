#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "http/message.h"

namespace pinflow::http::internal {

// Fields that the server writes by itself, and that a handler's answer cannot set.
bool is_server_field(std::string_view name);
// A field's value as it may be sent: what echoes input must not begin another header line.
std::string clean_value(std::string value);
// The status says that there is no body.
bool is_bodiless(int status);

// How one answer is framed.
struct Http1Framing {
  bool to_head = false;  // The request was HEAD: the head of the answer alone.
  bool http_1_0 = false;
  bool close = false;  // No more requests on this connection.
  std::string_view date;
};

// Appends an answer's head to `output`, and its body unless that is a stream.
void write_http1_response(Response& response, const Http1Framing& framing, std::deque<std::string>& output);
// Appends one chunk of a streamed answer; without `chunked` the bytes as they are.
void write_http1_piece(std::string bytes, bool chunked, std::deque<std::string>& output);
// Appends bytes, to the last string if they are few.
void put(std::string bytes, std::deque<std::string>& output);

}  // namespace pinflow::http::internal
