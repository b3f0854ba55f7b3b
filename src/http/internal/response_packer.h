#pragma once

#include "http/message.h"

namespace pinflow::http::internal {

// True if the answer to this request may be packed: a GET whose sender takes gzip. Answers to posts are short and must be quick.
bool wants_packed(const Request& request);
// Packs the body of a text or JSON answer of some size by gzip, and says so in its headers. Very large bodies are left as they are: packing
// happens on the network loop, and takes some milliseconds a megabyte.
void pack_response(Response& response);

}  // namespace pinflow::http::internal
