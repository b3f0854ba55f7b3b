#include "live/live_metrics.h"

#include <algorithm>

#include "base/backoff.h"
#include "base/check.h"
#include "live/profile_text.h"
#include "records/raw_batch.h"

namespace pinflow::live {

using log::Offset;
using log::PartitionId;
using log::TopicPartition;
using std::chrono::milliseconds;

namespace {

// Bounds memory and how long publish() holds the lock: about two thousand posts, or 2 ms.
constexpr std::size_t kFetchBytes = std::size_t{1} << 20;

std::size_t column_named(const ColumnBatch& batch, std::string_view name) {
  const auto& columns = batch.columns();
  const auto found = std::ranges::find(columns, name, &Column::name);
  CHECK(found != columns.end(), "pin records have this column");
  return static_cast<std::size_t>(found - columns.begin());
}

}  // namespace

// What the reading thread alone owns.
class LiveMetrics::Reader {
 public:
  explicit Reader(LiveMetrics& owner)
      : owner_(owner),
        batch_(records::Kind::kPin),
        ind_(column_named(batch_.batch(), "index")),
        profile_(column_named(batch_.batch(), "poster_name")),
        followers_(column_named(batch_.batch(), "follower_count")),
        retry_(owner.options_.least_retry, owner.options_.most_retry) {}

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      find_partitions();
      const log::FetchRequest request = next_request();
      auto fetched =
          request.positions.empty() ? Result<std::vector<log::FetchedPartition>>() : owner_.log_.fetch(request, stop);
      if (stop.stop_requested()) return;
      if (!fetched) {
        note_failure(fetched.error());
      } else {
        for (const auto& partition : *fetched) take(partition);
      }
      if (!fetched || request.positions.empty()) {
        retry_.failed(owner_.clock_.steady_now());
        pause(stop);
      } else {
        retry_.succeeded();
        failing_ = false;
      }
    }
  }

 private:
  struct Cursor {
    TopicPartition partition;
    Uuid topic;
    Offset next{};
    Offset high_watermark{};
    std::optional<Error> error{};
    Backoff retry;
  };

  // Follows the topics: begun, grown, or made again under the same name.
  void find_partitions() {
    bool found_new = false;
    for (const std::string& name : owner_.options_.topics) {
      const auto topic = owner_.log_.topic(name);
      if (!topic) continue;  // Waited for.
      for (std::int32_t p = 0; p < topic->partitions; ++p) found_new |= follow({name, PartitionId(p)}, topic->id);
    }
    if (!found_new) return;
    std::ranges::sort(cursors_, {}, &Cursor::partition);
    owner_.publish({}, 0, progress());
  }

  bool follow(const TopicPartition& partition, const Uuid& topic) {
    const auto known = std::ranges::find(cursors_, partition, &Cursor::partition);
    if (known != cursors_.end() && known->topic == topic) return false;
    if (known != cursors_.end()) cursors_.erase(known);
    cursors_.push_back({.partition = partition,
                        .topic = topic,
                        .retry = Backoff(owner_.options_.least_retry, owner_.options_.most_retry)});
    return true;
  }

  // Whether what was fetched by the topic's name is of the topic that the cursor follows. If not,
  // find_partitions() begins anew.
  bool still_the_same(const Cursor& cursor) const {
    const auto topic = owner_.log_.topic(cursor.partition.topic);
    return !topic || topic->id == cursor.topic;
  }

  log::FetchRequest next_request() const {
    log::FetchRequest request{
        .positions = {}, .max_bytes = kFetchBytes, .min_bytes = 1, .max_wait = owner_.options_.max_wait};
    for (const Cursor& cursor : cursors_) {
      if (cursor.retry.ready(owner_.clock_.steady_now())) request.positions.push_back({cursor.partition, cursor.next});
    }
    return request;
  }

  void take(const log::FetchedPartition& fetched) {
    const auto cursor = std::ranges::find(cursors_, fetched.partition, &Cursor::partition);
    if (cursor == cursors_.end() || !still_the_same(*cursor)) return;
    if (fetched.error) return take_error(*cursor, *fetched.error);
    cursor->error.reset();
    cursor->retry.succeeded();
    cursor->high_watermark = fetched.high_watermark;
    posts_.clear();
    batch_.clear();
    std::uint64_t unreadable = 0;
    for (const auto& record : fetched.records) {
      const records::Source source{.topic = fetched.partition.topic,
                                   .partition = fetched.partition.partition.value(),
                                   .offset = record.offset.value(),
                                   .arrived = record.timestamp};
      if (!record.value || !batch_.add(*record.value, source)) {
        ++unreadable;
      } else {
        posts_.push_back({.time = std::min(record.timestamp, owner_.clock_.now()), .offset = record.offset.value()});
      }
    }
    cursor->next = std::max(cursor->next, fetched.next);
    fill_posts();
    owner_.publish(posts_, unreadable, progress());
  }

  // Texts are borrowed from the batch, so this waits until the batch is whole.
  void fill_posts() {
    const auto& columns = batch_.batch().columns();
    for (std::size_t row = 0; row < posts_.size(); ++row) {
      posts_[row].ind = columns[ind_].integer_at(row);
      if (!columns[profile_].is_null(row)) posts_[row].profile = columns[profile_].text_at(row);
      if (!columns[followers_].is_null(row))
        posts_[row].followers = parse_follower_count(columns[followers_].text_at(row));
    }
  }

  void take_error(Cursor& cursor, const Error& error) {
    if (error.code == ErrorCode::kInvalid && reposition(cursor)) return;
    if (cursor.error != error) {
      owner_.logger_.error(
          "live metrics cannot read a partition and try again",
          {{"topic", cursor.partition.topic}, {"partition", cursor.partition.partition}, {"error", error.message}});
    }
    cursor.error = error;
    cursor.retry.failed(owner_.clock_.steady_now());
    owner_.publish({}, 0, progress());
  }

  // The offset lies outside of what the log holds: records were removed before they were read, or the log
  // lost its end.
  bool reposition(Cursor& cursor) {
    const auto range = owner_.log_.offsets(cursor.partition);
    if (!range || (cursor.next >= range->begin && cursor.next <= range->end)) return false;
    const Offset there = std::clamp(cursor.next, range->begin, range->end);
    owner_.logger_.warning("live metrics go on at another offset, as theirs is no longer in the log",
                           {{"topic", cursor.partition.topic},
                            {"partition", cursor.partition.partition},
                            {"offset", cursor.next},
                            {"new_offset", there}});
    cursor.next = there;
    cursor.error.reset();
    owner_.publish({}, 0, progress());
    return true;
  }

  void note_failure(const Error& error) {
    if (!failing_) owner_.logger_.error("live metrics cannot read the log and try again", {{"error", error.message}});
    failing_ = true;
  }

  void pause(const std::stop_token& stop) {
    std::unique_lock lock(owner_.mutex_);
    const auto longest = std::chrono::ceil<milliseconds>(retry_.retry_at() - owner_.clock_.steady_now());
    owner_.changed_.wait_for(lock, stop, longest, [&] { return stop.stop_requested(); });
  }

  std::vector<PartitionProgress> progress() const {
    std::vector<PartitionProgress> partitions;
    partitions.reserve(cursors_.size());
    for (const Cursor& cursor : cursors_) {
      partitions.push_back({cursor.partition, cursor.next, std::max(cursor.high_watermark, cursor.next), cursor.error});
    }
    return partitions;
  }

  LiveMetrics& owner_;
  records::RawBatch batch_;
  const std::size_t ind_;
  const std::size_t profile_;
  const std::size_t followers_;
  std::vector<Post> posts_;
  std::vector<Cursor> cursors_;  // Sorted by partition.
  Backoff retry_;
  bool failing_ = false;
};

LiveMetrics::LiveMetrics(LiveOptions options, log::Log& log, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      log_(log),
      clock_(clock),
      logger_(logger),
      positions_(log, options_.group, logger),
      profiles_(options_.profiles),
      thread_([this](const std::stop_token& stop) { Reader(*this).run(stop); }) {}

LiveMetrics::~LiveMetrics() {
  stop();
}

void LiveMetrics::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LiveMetrics::publish(std::span<const Post> posts, std::uint64_t unreadable,
                          std::vector<PartitionProgress> partitions) {
  for (const PartitionProgress& partition : partitions) positions_.note(partition.partition, partition.next);
  {
    const std::scoped_lock lock(mutex_);
    for (const Post& post : posts) {
      switch (profiles_.apply(post)) {
        case Applied::kCounted:
          ++status_.posts;
          break;
        case Applied::kRepeat:
          ++status_.repeats;
          break;
        case Applied::kNoProfile:
        case Applied::kLongName:
          ++status_.without_profile;
          break;
      }
    }
    status_.unreadable += unreadable;
    status_.profiles = profiles_.size();
    status_.evicted = profiles_.evicted();
    status_.partitions = std::move(partitions);
  }
  changed_.notify_all();
}

std::vector<Answer> LiveMetrics::answer_all(std::span<const Query> queries) {
  std::vector<Answer> answers;
  answers.reserve(queries.size());
  const std::scoped_lock lock(mutex_);
  const WallTime now = clock_.now();
  for (const Query& query : queries) {
    answers.push_back(
        {query.name ? profiles_.find(*query.name, now) : profiles_.top(query.k, query.order, now), status_.partitions});
  }
  return answers;
}

Answer LiveMetrics::answer(const Query& query) {
  return std::move(answer_all(std::span(&query, 1)).front());
}

LiveStatus LiveMetrics::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

Weights LiveMetrics::weights() const {
  return options_.profiles.weights;
}

bool LiveMetrics::wait_until(const TopicPartition& partition, Offset end, milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto reached = [&] {
    const auto found = std::ranges::find(status_.partitions, partition, &PartitionProgress::partition);
    return found != status_.partitions.end() && found->next >= end;
  };
  changed_.wait_for(lock, timeout, [&] { return stopped_ || reached(); });
  return reached();
}

}  // namespace pinflow::live
