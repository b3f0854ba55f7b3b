#pragma once

#include <functional>
#include <string_view>

#include "doors/worker_pool.h"
#include "http/server.h"

namespace pinflow::doors {

// Has `pool` make an answer and send it. Answers 503 with Retry-After, and `too_many`, where no more may wait; also to those that still
// wait when the pool ends. What `make` uses must outlive the pool.
void answer_on(WorkerPool& pool, http::Responder respond, std::move_only_function<http::Response()> make,
               std::string_view too_many);

}  // namespace pinflow::doors
