#include "kafka_cluster/internal/fetcher.h"

#include <algorithm>

#include "base/check.h"

namespace pinflow::kafka_cluster {
namespace {

constexpr std::size_t kMostLanes = 8;  // Readers of one partition at the same time, each with connections of its own.

Properties reading(const KafkaLogOptions& options) {
  const std::uint64_t prefetch = std::max<std::uint64_t>(options.max_prefetch.count(), 64 << 10);
  return {{"isolation.level", "read_committed"},
          {"enable.partition.eof", "true"},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"check.crcs", "true"},
          {"queued.min.messages", "1000000"},
          {"queued.max.messages.kbytes", std::to_string(prefetch >> 10)},
          {"max.partition.fetch.bytes", std::to_string(std::min<std::uint64_t>(prefetch, 1 << 20))},
          {"fetch.max.bytes", "16777216"},
          // A partition that joins waits for the fetch under way.
          {"fetch.wait.max.ms", "100"},
          {"fetch.error.backoff.ms", "200"}};
}

// Wakes the one caller that waits for any of its streams.
class News final : public StreamListener {
 public:
  void notify() override {
    const std::scoped_lock lock(mutex_);
    news_ = true;
    wake_.notify_one();
  }
  // False: the time is over, or stop is requested.
  bool wait(SteadyTime until, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool woken = wake_.wait_until(lock, stop, until, [&] { return news_; });
    news_ = false;
    return woken;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool news_ = false;
};

}  // namespace

bool Fetcher::is_busy(std::size_t lane, const log::TopicPartition& partition) const {
  return std::ranges::find(lanes_[lane].busy, partition) != lanes_[lane].busy.end();
}

void Fetcher::settle(std::size_t lane, const log::TopicPartition& partition) {
  std::erase(lanes_[lane].busy, partition);
  returned_.notify_all();
}

// The first client that does not read the partition; another where all do. Under the mutex.
Result<std::size_t> Fetcher::lane_for(const log::TopicPartition& partition) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const bool has_idle = std::ranges::any_of(
        idle_, [&](const Idle& idle) { return idle.lane == i && idle.stream->partition() == partition; });
    if (!is_busy(i, partition) && !has_idle) return i;
  }
  if (lanes_.size() >= kMostLanes) return lanes_.size();
  TRY_ASSIGN(auto client, Client::open(RD_KAFKA_CONSUMER, reading(cluster_.options), {}, cluster_));
  client->serve();
  lanes_.push_back({std::move(client), {}});
  return lanes_.size() - 1;
}

// Stops the longest unused streams over the bound. Stopping waits for the client's threads, so not under the mutex.
void Fetcher::trim(std::unique_lock<std::mutex>& lock) {
  while (!idle_.empty() && idle_.size() + out_ > cluster_.options.max_streams) {
    Idle oldest = std::move(idle_.front());
    idle_.pop_front();
    const log::TopicPartition partition = oldest.stream->partition();
    lanes_[oldest.lane].busy.push_back(partition);
    lock.unlock();
    oldest.stream.reset();
    lock.lock();
    settle(oldest.lane, partition);
  }
}

// Gives the stream that stands at the position; or else one that nobody used for the longest time is opened there anew.
Result<void> Fetcher::borrow(const log::FetchPosition& position, Loan& loan, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto of_partition = [&](const Idle& idle) { return idle.stream->partition() == position.partition; };
  auto found = std::ranges::find_if(
      idle_, [&](const Idle& idle) { return of_partition(idle) && idle.stream->next() == position.offset; });
  if (found != idle_.end()) {
    loan.lane = found->lane;
    loan.stream = std::move(found->stream);
    idle_.erase(found);
    lanes_[loan.lane].busy.push_back(position.partition);
    ++out_;
    return {};
  }
  std::size_t lane = kMostLanes;
  std::unique_ptr<Stream> old;
  while (true) {
    TRY_ASSIGN(lane, lane_for(position.partition));
    if (lane < kMostLanes) break;
    found = std::ranges::find_if(idle_, of_partition);
    if (found != idle_.end()) {
      lane = found->lane;
      old = std::move(found->stream);
      idle_.erase(found);
      break;
    }
    // All clients read this partition for somebody at this moment.
    returned_.wait(lock, stop, [] { return true; });
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the fetch was stopped");
  }
  lanes_[lane].busy.push_back(position.partition);
  ++out_;
  Client& client = *lanes_[lane].client;
  trim(lock);
  lock.unlock();
  old.reset();
  auto opened = Stream::open(client, position.partition, position.offset);
  lock.lock();
  loan.lane = lane;
  if (!opened) {
    --out_;
    settle(lane, position.partition);
    return fail(opened.error());
  }
  loan.stream = std::move(*opened);
  return {};
}

void Fetcher::give_back(Loan& loan) {
  if (loan.stream == nullptr) return;
  loan.stream->listen(nullptr);
  const log::TopicPartition partition = loan.stream->partition();
  const bool broken = loan.stream->is_broken();
  if (broken) loan.stream.reset();
  const std::scoped_lock lock(mutex_);
  --out_;
  if (!broken) idle_.push_back({loan.lane, std::move(loan.stream)});
  settle(loan.lane, partition);
}

// Gives the streams back however the fetch ends.
class Fetcher::Loans final {
 public:
  explicit Loans(Fetcher& fetcher) : fetcher_(fetcher) {}
  ~Loans() {
    for (Loan& loan : all_) fetcher_.give_back(loan);
  }
  Loans(const Loans&) = delete;
  Loans& operator=(const Loans&) = delete;
  std::vector<Loan>& all() { return all_; }

 private:
  Fetcher& fetcher_;
  std::vector<Loan> all_;
};

namespace {

std::size_t bytes_of(const std::vector<log::StoredRecord>& records, std::size_t from) {
  std::size_t bytes = 0;
  for (std::size_t i = from; i < records.size(); ++i)
    bytes += (records[i].key ? records[i].key->size() : 0) + (records[i].value ? records[i].value->size() : 0) + 1;
  return bytes;
}

}  // namespace

// Gets a stream for each position. False: one cannot be read, as its entry says. `error`: nothing can be read.
bool Fetcher::lend(const log::FetchRequest& request, Loans& loans, StreamListener& news, std::stop_token stop,
                   std::optional<Error>& error) {
  bool all = true;
  loans.all().reserve(request.positions.size());
  for (const log::FetchPosition& position : request.positions) {
    Loan& loan = loans.all().emplace_back();
    loan.fetched.partition = position.partition;
    loan.fetched.next = position.offset;
    auto had = topics_.check(position.partition);
    if (had) had = borrow(position, loan, stop);
    if (had) {
      loan.stream->listen(&news);
      continue;
    }
    all = false;
    if (had.error().code == ErrorCode::kNotFound || had.error().code == ErrorCode::kInvalid) {
      loan.fetched.error = had.error();
    } else {
      error = had.error();
    }
  }
  return all;
}

// Whether nothing that is in the log is still on its way here. Exact: also what came since the clients looked last, at the price of a
// round trip each.
Result<bool> Fetcher::has_all(const std::vector<Loan>& loans, bool exact) {
  for (const Loan& loan : loans) {
    if (loan.stream == nullptr) continue;
    if (!loan.stream->is_at_end()) return false;
    if (!exact) continue;
    TRY_ASSIGN(const log::OffsetRange range, admin_.offsets(loan.stream->partition()));
    if (loan.stream->next() < range.end) return false;
  }
  return true;
}

Result<std::vector<log::FetchedPartition>> Fetcher::fetch(const log::FetchRequest& request, std::stop_token stop) {
  const SteadyTime asked = std::chrono::steady_clock::now();
  const std::size_t wanted = std::min(request.min_bytes, request.max_bytes);
  News news;  // Outlives the loans, which stop listening.
  Loans loans(*this);
  std::optional<Error> error;
  bool failed = !lend(request, loans, news, stop, error);
  if (error) return fail(cluster_.health.explain(std::move(*error)));
  Stream::Budget left{request.max_bytes, request.max_records, true};
  std::size_t bytes = 0;
  // What is in the log already is waited for longer.
  SteadyTime deadline = asked + request.max_wait;
  for (bool is_last = false; true;) {
    failed |= collect(loans.all(), left, bytes);
    const bool in_time = std::chrono::steady_clock::now() < deadline;
    const bool is_over = is_last ? bytes > 0 || !in_time : bytes > 0 && !in_time;
    if (failed || bytes >= wanted || left.records == 0 || stop.stop_requested() || is_over) break;
    if (!in_time || is_last) {
      TRY_ASSIGN(const bool complete, has_all(loans.all(), request.max_wait.count() <= 0));
      if (complete) break;
      if (!is_last) deadline = asked + request.max_wait + cluster_.options.call_timeout;
      is_last = true;
    }
    (void)news.wait(deadline, stop);
  }
  std::vector<log::FetchedPartition> answer;
  for (std::size_t i = 0; i < loans.all().size(); ++i) {
    log::FetchedPartition& fetched = loans.all()[i].fetched;
    if (!fetched.records.empty() || fetched.error || fetched.next > request.positions[i].offset)
      answer.push_back(std::move(fetched));
  }
  if (answer.empty() && !stop.stop_requested()) {
    if (auto down = cluster_.health.down()) return fail(std::move(*down));
  }
  return answer;
}

// Takes from each stream an equal share of what is left, so that a long partition does not starve those behind it. True: one failed.
bool Fetcher::collect(std::vector<Loan>& loans, Stream::Budget& left, std::size_t& bytes) {
  bool failed = false;
  for (std::size_t i = 0; i < loans.size(); ++i) {
    Loan& loan = loans[i];
    if (loan.stream == nullptr) continue;
    const std::size_t sharers = loans.size() - i;
    Stream::Budget share{left.bytes / sharers, left.records == 0 ? 0 : std::max<std::size_t>(left.records / sharers, 1),
                         left.nothing_yet};
    const Stream::Budget before = share;
    const std::size_t had = loan.fetched.records.size();
    loan.stream->take(share, loan.fetched);
    left.bytes -= before.bytes - share.bytes;
    left.records -= before.records - share.records;
    left.nothing_yet = share.nothing_yet;
    bytes += bytes_of(loan.fetched.records, had);
    failed |= loan.fetched.error.has_value();
  }
  return failed;
}

}  // namespace pinflow::kafka_cluster
