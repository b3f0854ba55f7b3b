#include "batch/internal/at_once.h"

#include <future>
#include <utility>

namespace pinflow::batch::internal {

Result<void> at_once(std::vector<Work> all) {
  std::vector<std::future<Result<void>>> running;
  for (Work& work : all) running.push_back(std::async(std::launch::async, std::move(work)));
  Result<void> first;
  for (auto& one : running) {
    auto done = one.get();
    if (!done && first) first = std::move(done);
  }
  return first;
}

}  // namespace pinflow::batch::internal
