#include "live/live_metrics.h"

#include <algorithm>
#include <array>

#include "base/backoff.h"
#include "base/check.h"
#include "live/answering.h"
#include "live/record_parser.h"

namespace pinflow::live {

using log::Offset;
using log::PartitionId;
using log::TopicPartition;
using std::chrono::milliseconds;

namespace {

// Bounds memory and how long take() holds the lock: about two thousand posts, or 3 ms.
constexpr std::size_t kFetchBytes = std::size_t{1} << 20;

}  // namespace

// What the reading thread alone owns.
class LiveMetrics::Reader {
 public:
  explicit Reader(LiveMetrics& owner)
      : owner_(owner),
        parsers_{RecordParser(records::Kind::kPin), RecordParser(records::Kind::kGeo),
                 RecordParser(records::Kind::kUser)},
        retry_(owner.options_.least_retry, owner.options_.most_retry) {}

  void run(const std::stop_token& stop) {
    read(stop);
    if (owner_.checkpoints_ && owner_.checkpoints_->has_news()) save();
  }

 private:
  void read(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (owner_.checkpoints_ && owner_.checkpoints_->is_due()) save();
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

  struct Cursor {
    TopicPartition partition;
    Uuid topic;
    SourceState* source;  // In the state: where to read on.
    RecordParser* parser;
    Offset high_watermark{};
    std::optional<Error> error{};
    SteadyTime last_news{};
    Backoff retry;
    bool has_backlog() const { return high_watermark > source->next && source->newest; }
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
    publish();
  }

  bool follow(const TopicPartition& partition, const Uuid& topic) {
    const auto known = std::ranges::find(cursors_, partition, &Cursor::partition);
    if (known != cursors_.end() && known->topic == topic) return false;
    if (known != cursors_.end()) cursors_.erase(known);
    const auto kind = records::kind_of(partition.topic);
    CHECK(kind.has_value(), "topics of live metrics are named after their kind");
    SourceState* source = nullptr;
    {
      const std::scoped_lock lock(owner_.mutex_);
      source = &owner_.state_->follow(partition, topic);
    }
    cursors_.push_back({.partition = partition,
                        .topic = topic,
                        .source = source,
                        .parser = &parsers_[static_cast<std::size_t>(*kind)],
                        .last_news = owner_.clock_.steady_now(),
                        .retry = Backoff(owner_.options_.least_retry, owner_.options_.most_retry)});
    return true;
  }

  // Whether what was fetched by the topic's name is of the topic that the cursor follows. If not,
  // find_partitions() begins anew.
  bool still_the_same(const Cursor& cursor) const {
    const auto topic = owner_.log_.topic(cursor.partition.topic);
    return !topic || topic->id == cursor.topic;
  }

  // Of the partitions with a backlog only those that are furthest behind in time: otherwise the short geo records would run far
  // ahead of the long pins that they are waiting to be joined with. A backlog always gives something, so all get their turn.
  log::FetchRequest next_request() const {
    std::vector<const Cursor*> ready;
    std::optional<WallTime> least;
    for (const Cursor& cursor : cursors_) {
      if (!cursor.retry.ready(owner_.clock_.steady_now())) continue;
      ready.push_back(&cursor);
      if (cursor.has_backlog()) least = std::min(least.value_or(*cursor.source->newest), *cursor.source->newest);
    }
    log::FetchRequest request{
        .positions = {}, .max_bytes = kFetchBytes, .min_bytes = 1, .max_wait = owner_.options_.max_wait};
    for (const Cursor* cursor : ready) {
      if (cursor->has_backlog() && *cursor->source->newest > *least) continue;
      request.positions.push_back({cursor->partition, cursor->source->next});
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
    cursor->last_news = owner_.clock_.steady_now();
    RecordParser& parser = *cursor->parser;
    parser.read(fetched, owner_.clock_.now());
    {
      const std::scoped_lock lock(owner_.mutex_);
      parser.apply(*owner_.state_, *cursor->source);
      cursor->source->next = std::max(cursor->source->next, fetched.next);
    }
    if (owner_.checkpoints_) owner_.checkpoints_->note_records(std::max<std::size_t>(parser.records(), 1));
    publish();
  }

  // Reading the state needs no lock: nobody else changes it.
  void save() {
    const SteadyTime begin = owner_.clock_.steady_now();
    std::string bytes = owner_.state_->save();
    owner_.checkpoints_->write(std::move(bytes), owner_.clock_.steady_now() - begin);
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
    publish();
  }

  // The offset lies outside of what the log holds: records were removed before they were read, or the log
  // lost its end.
  bool reposition(Cursor& cursor) {
    const auto range = owner_.log_.offsets(cursor.partition);
    if (!range || (cursor.source->next >= range->begin && cursor.source->next <= range->end)) return false;
    const Offset there = std::clamp(cursor.source->next, range->begin, range->end);
    owner_.logger_.warning("live metrics go on at another offset, as theirs is no longer in the log",
                           {{"topic", cursor.partition.topic},
                            {"partition", cursor.partition.partition},
                            {"offset", cursor.source->next},
                            {"new_offset", there}});
    {
      const std::scoped_lock lock(owner_.mutex_);
      cursor.source->next = there;
    }
    cursor.error.reset();
    publish();
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

  // Shows how far the partitions are.
  void publish() {
    std::vector<PartitionProgress> all;
    std::vector<SteadyTime> news;
    all.reserve(cursors_.size());
    news.reserve(cursors_.size());
    for (const Cursor& cursor : cursors_) {
      const SourceState& source = *cursor.source;
      all.push_back({.partition = cursor.partition,
                     .next = source.next,
                     .high_watermark = std::max(cursor.high_watermark, source.next),
                     .error = cursor.error,
                     .newest = source.newest,
                     .late = source.late,
                     .too_late = source.too_late});
      if (source.newest) all.back().watermark = *source.newest - owner_.options_.state.allowed_lateness;
      news.push_back(cursor.last_news);
      owner_.positions_.note(cursor.partition, source.next);
    }
    {
      const std::scoped_lock lock(owner_.mutex_);
      owner_.progress_ = std::move(all);
      owner_.last_news_ = std::move(news);
    }
    owner_.version_.fetch_add(1, std::memory_order_relaxed);
    owner_.changed_.notify_all();
  }

  LiveMetrics& owner_;
  std::array<RecordParser, 3> parsers_;  // By kind.
  std::vector<Cursor> cursors_;          // Sorted by partition.
  Backoff retry_;
  bool failing_ = false;
};

LiveMetrics::LiveMetrics(LiveOptions options, log::Log& log, disk::Disk& disk, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      log_(log),
      clock_(clock),
      logger_(logger),
      positions_(log, options_.group, logger),
      state_(std::make_unique<LiveState>(options_.state)) {
  if (options_.checkpoint) {
    checkpoints_ = std::make_unique<CheckpointKeeper>(*options_.checkpoint, disk, clock, logger);
    load_state();
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Reader(*this).run(stop); });
}

LiveMetrics::~LiveMetrics() {
  stop();
}

void LiveMetrics::load_state() {
  const auto saved = checkpoints_->read();
  if (!saved) return;
  const Result<void> loaded = state_->load(*saved);
  if (loaded) {
    logger_.info("live metrics go on from their checkpoint", {{"posts", state_->parts().counts.posts}});
    return;
  }
  logger_.warning("the checkpoint of the live metrics is of no use: they read the streams from the beginning",
                  {{"folder", options_.checkpoint->folder.string()}, {"error", loaded.error().message}});
  state_ = std::make_unique<LiveState>(options_.state);
}

void LiveMetrics::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (checkpoints_) checkpoints_->stop();
}

std::vector<PartitionProgress> LiveMetrics::progress_now() const {
  std::vector<PartitionProgress> all = progress_;
  const SteadyTime now = clock_.steady_now();
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].idle = all[i].lag() == 0 && now - last_news_[i] >= options_.idle_after;
  }
  return all;
}

Head LiveMetrics::complete(Head head) const {
  head.positions = progress_now();
  for (const PartitionProgress& partition : head.positions) {
    head.late += partition.late;
    head.too_late += partition.too_late;
    if (partition.idle || !partition.watermark) continue;
    head.watermark = std::min(head.watermark.value_or(*partition.watermark), *partition.watermark);
  }
  return head;
}

std::vector<Answer> LiveMetrics::answer_all(std::span<const Query> queries) {
  std::vector<Answer> answers;
  answers.reserve(queries.size());
  const std::scoped_lock lock(mutex_);
  const Answering answering(state_->parts(), clock_.now());
  const Head head = complete(answering.head());
  for (const Query& query : queries) answers.push_back({head, answering.answer(query)});
  return answers;
}

Answer LiveMetrics::answer(const Query& query) {
  return std::move(answer_all(std::span(&query, 1)).front());
}

LiveStatus LiveMetrics::status() const {
  LiveStatus status;
  {
    const std::scoped_lock lock(mutex_);
    const LiveParts& parts = state_->parts();
    status = {.partitions = progress_now(),
              .posts = parts.counts.posts,
              .repeats = parts.counts.repeats,
              .without_profile = parts.counts.without_profile,
              .unreadable = parts.counts.unreadable,
              .joined = state_->join().joined(),
              .pending = state_->join().pending(),
              .profiles = parts.profiles.size(),
              .categories = parts.categories.size(),
              .countries = parts.countries.size(),
              .pairs = parts.category_profiles.size() + parts.country_profiles.size() + parts.country_categories.size(),
              .evicted = parts.profiles.evicted(),
              .evicted_pending = state_->join().evicted(),
              .evicted_names = parts.categories.evicted() + parts.countries.evicted(),
              .evicted_pairs = parts.category_profiles.evicted() + parts.country_profiles.evicted() +
                               parts.country_categories.evicted(),
              .forgotten_pages = state_->seen().forgotten_pages()};
  }
  for (const PartitionProgress& partition : status.partitions) {
    status.late += partition.late;
    status.too_late += partition.too_late;
  }
  if (checkpoints_) status.checkpoint = checkpoints_->status();
  return status;
}

bool LiveMetrics::wait_until(const TopicPartition& partition, Offset end, milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto reached = [&] {
    const auto found = std::ranges::find(progress_, partition, &PartitionProgress::partition);
    return found != progress_.end() && found->next >= end;
  };
  changed_.wait_for(lock, timeout, [&] { return stopped_ || reached(); });
  return reached();
}

}  // namespace pinflow::live
