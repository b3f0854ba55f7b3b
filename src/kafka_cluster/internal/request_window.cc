#include "kafka_cluster/internal/request_window.h"

#include "base/check.h"

namespace pinflow::kafka_cluster {

// Those under way stay: somebody waits for their answers, and there are no more than may be pending.
void RequestWindow::forget_old(SteadyTime now) {
  while (!ages_.empty()) {
    const auto oldest = entries_.find(ages_.front());
    CHECK(oldest != entries_.end(), "each age has its request");
    const bool is_old = now - oldest->second.came > options_.request_window;
    if (oldest->second.running || (!is_old && records_ <= options_.request_capacity)) return;
    records_ -= oldest->second.stored.size();
    ages_.pop_front();
    entries_.erase(oldest);
  }
}

Result<RequestWindow::Begun> RequestWindow::begin(log::RequestMark mark, std::size_t records, std::int32_t partitions) {
  const SteadyTime now = clock_.steady_now();
  const std::scoped_lock lock(mutex_);
  forget_old(now);
  const auto [at, is_new] = entries_.try_emplace(mark.request);
  Entry& entry = at->second;
  if (is_new) {
    entry.content = mark.content;
    entry.placed_among = partitions;
    entry.stored.resize(records);
    entry.came = now;
    entry.age = ages_.insert(ages_.end(), mark.request);
    records_ += records;
    return Begun{entry.stored, entry.placed_among};
  }
  if (entry.content != mark.content || entry.stored.size() != records)
    return fail(ErrorCode::kConflict, "this request came before with other content");
  if (entry.running) return fail(ErrorCode::kOverloaded, "this request is under way; ask again for its outcome");
  entry.running = true;
  return Begun{entry.stored, entry.placed_among};
}

void RequestWindow::end(log::RequestMark mark, const std::vector<Result<log::Appended>>& results) {
  const std::scoped_lock lock(mutex_);
  const auto at = entries_.find(mark.request);
  CHECK(at != entries_.end() && at->second.stored.size() == results.size(), "a request that ends had begun");
  Entry& entry = at->second;
  entry.running = false;
  bool any = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) entry.stored[i] = *results[i];
    if (entry.stored[i]) entry.stored[i]->repeated = true;
    any |= entry.stored[i].has_value();
  }
  if (any) return;
  records_ -= entry.stored.size();
  ages_.erase(entry.age);
  entries_.erase(at);
}

}  // namespace pinflow::kafka_cluster
