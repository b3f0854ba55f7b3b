#include "doors/answer_on.h"

#include <memory>
#include <utility>

namespace pinflow::doors {

namespace {

// A request that waits for its turn. Owes an answer, also where its turn never comes.
class Waiting final {
 public:
  Waiting(http::Responder respond, std::move_only_function<http::Response()> make)
      : respond_(std::move(respond)), make_(std::move(make)) {}
  ~Waiting() { answer(503, "the server stops; ask again when it is back"); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  void run() {
    http::Response response = make_();
    std::exchange(respond_, nullptr)(std::move(response));
  }
  void answer(int status, std::string_view message) {
    if (respond_) std::exchange(respond_, nullptr)(http::Response::refusal(status, message));
  }

 private:
  http::Responder respond_;
  std::move_only_function<http::Response()> make_;
};

}  // namespace

void answer_on(WorkerPool& pool, http::Responder respond, std::move_only_function<http::Response()> make,
               std::string_view too_many) {
  auto waiting = std::make_unique<Waiting>(std::move(respond), std::move(make));
  Waiting& here = *waiting;
  WorkerPool::Job job = [waiting = std::move(waiting)] { waiting->run(); };
  if (!pool.try_run(job)) here.answer(503, too_many);
}

}  // namespace pinflow::doors
