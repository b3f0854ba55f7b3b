#include "doors/worker.h"

namespace pinflow::doors {

Worker::Worker(std::size_t capacity)
    : items_(capacity), thread_([this](const std::stop_token& stop) {
        while (auto item = items_.pop(stop)) item->job(stop, std::move(item->respond));
      }) {}

void Worker::run(http::Responder respond, Job job, http::Response busy) {
  Item item{std::move(respond), std::move(job)};
  if (!items_.try_push(item)) item.respond(std::move(busy));
}

}  // namespace pinflow::doors
