#include "doors/kinesis/job_pool.h"

namespace pinflow::doors::kinesis {

JobPool::JobPool(std::size_t threads, std::size_t capacity) : capacity_(capacity) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

JobPool::~JobPool() {
  std::deque<Job> dropped;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    dropped.swap(jobs_);
  }
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

bool JobPool::try_submit(Job& job) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_ || jobs_.size() >= capacity_) return false;
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
  return true;
}

void JobPool::submit(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

void JobPool::work(const std::stop_token& stop) {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      if (!ready_.wait(lock, stop, [this] { return !jobs_.empty(); }) || stop.stop_requested()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job(stop);
  }
}

}  // namespace pinflow::doors::kinesis
