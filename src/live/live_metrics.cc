#include "live/live_metrics.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/backoff.h"
#include "base/check.h"
#include "live/answering.h"
#include "live/checkpoint.h"

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
      : owner_(owner), intake_(*owner.intake_), retry_(owner.options_.least_retry, owner.options_.most_retry) {}

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
    ReadingPlace place;  // In the intake.
    Offset high_watermark{};
    std::optional<Error> error{};
    SteadyTime begun{};  // When it was first followed.
    SteadyTime last_news{};
    Backoff retry;
    Offset& next() const { return *place.next; }
    const std::optional<WallTime>& newest() const { return *place.newest; }
    bool has_backlog() const { return high_watermark > next() && newest(); }
  };

  // Follows the topics: begun, grown, or made again under the same name.
  void find_partitions() {
    bool found_new = false;
    for (const std::string& name : intake_.topics()) {
      const auto topic = owner_.log_.topic(name);
      if (!topic) continue;  // Waited for.
      for (std::int32_t p = 0; p < topic->partitions; ++p) found_new |= follow({name, PartitionId(p)}, *topic);
    }
    if (!found_new) return;
    std::ranges::sort(cursors_, {}, &Cursor::partition);
    publish();
  }

  bool follow(const TopicPartition& partition, const log::Topic& topic) {
    const auto known = std::ranges::find(cursors_, partition, &Cursor::partition);
    if (known != cursors_.end() && known->topic == topic.id) return false;
    Result<ReadingPlace> place;
    {
      const std::scoped_lock lock(owner_.mutex_);
      place = intake_.follow(partition, topic);
    }
    if (!place) {
      note_failure(place.error());
      return false;
    }
    // A topic made anew has all its places anew.
    std::erase_if(cursors_, [&](const Cursor& cursor) {
      return cursor.partition.topic == partition.topic && cursor.topic != topic.id;
    });
    cursors_.push_back({.partition = partition,
                        .topic = topic.id,
                        .place = *place,
                        .begun = owner_.clock_.steady_now(),
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
      if (cursor.has_backlog()) least = std::min(least.value_or(*cursor.newest()), *cursor.newest());
    }
    log::FetchRequest request{
        .positions = {}, .max_bytes = kFetchBytes, .min_bytes = 1, .max_wait = owner_.options_.max_wait};
    for (const Cursor* cursor : ready) {
      if (cursor->has_backlog() && *cursor->newest() > *least) continue;
      request.positions.push_back({cursor->partition, cursor->next()});
    }
    return request;
  }

  void take(const log::FetchedPartition& fetched) {
    const auto cursor = std::ranges::find(cursors_, fetched.partition, &Cursor::partition);
    if (cursor == cursors_.end() || !still_the_same(*cursor)) return;
    if (fetched.error) return take_error(*cursor, *fetched.error);
    cursor->high_watermark = fetched.high_watermark;
    cursor->last_news = owner_.clock_.steady_now();
    if (const auto read = intake_.read(fetched, owner_.clock_.now()); !read) return take_error(*cursor, read.error());
    cursor->error.reset();
    cursor->retry.succeeded();
    {
      const std::scoped_lock lock(owner_.mutex_);
      intake_.apply(owner_.clock_.steady_now());
      cursor->next() = std::max(cursor->next(), fetched.next);
    }
    if (owner_.checkpoints_) owner_.checkpoints_->note_records(std::max<std::size_t>(intake_.records(), 1));
    publish();
  }

  // Reading the state needs no lock: nobody else changes it.
  void save() {
    const SteadyTime begin = owner_.clock_.steady_now();
    std::string bytes = intake_.save();
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
    if (!range || (cursor.next() >= range->begin && cursor.next() <= range->end)) return false;
    const Offset there = intake_.go_on(cursor.next(), *range);
    owner_.logger_.warning("live metrics go on at another offset, as theirs is no longer in the log",
                           {{"topic", cursor.partition.topic},
                            {"partition", cursor.partition.partition},
                            {"offset", cursor.next()},
                            {"new_offset", there}});
    {
      const std::scoped_lock lock(owner_.mutex_);
      cursor.next() = there;
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
    std::vector<ShownPartition> all;
    all.reserve(cursors_.size());
    for (const Cursor& cursor : cursors_) {
      PartitionProgress progress{.partition = cursor.partition,
                                 .next = cursor.next(),
                                 .high_watermark = std::max(cursor.high_watermark, cursor.next()),
                                 .error = cursor.error,
                                 .newest = cursor.newest()};
      if (owner_.positions_) {
        const SourceState& source = intake_.state().sources().at(cursor.partition);
        progress.late = source.late;
        progress.too_late = source.too_late;
        if (source.newest) progress.watermark = *source.newest - owner_.options_.state.allowed_lateness;
        owner_.positions_->note(cursor.partition, cursor.next());
      }
      all.push_back({std::move(progress), cursor.last_news, cursor.begun});
    }
    all = intake_.shown(std::move(all));
    {
      const std::scoped_lock lock(owner_.mutex_);
      owner_.shown_ = std::move(all);
    }
    owner_.version_.fetch_add(1, std::memory_order_relaxed);
    owner_.changed_.notify_all();
  }

  LiveMetrics& owner_;
  Intake& intake_;
  std::vector<Cursor> cursors_;  // Sorted by partition.
  Backoff retry_;
  bool failing_ = false;
};

LiveMetrics::LiveMetrics(LiveOptions options, log::Log& log, disk::Disk& disk, const Clock& clock, Logger& logger)
    : options_(std::move(options)), log_(log), clock_(clock), logger_(logger), intake_(make_intake()) {
  if (!options_.condensed) positions_ = std::make_unique<log::PositionKeeper>(log, options_.group, logger);
  if (options_.checkpoint) {
    checkpoints_ = std::make_unique<CheckpointKeeper>(*options_.checkpoint, disk, clock, logger);
    load_state(disk);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Reader(*this).run(stop); });
}

LiveMetrics::~LiveMetrics() {
  stop();
}

std::unique_ptr<Intake> LiveMetrics::make_intake() {
  if (!options_.condensed) return read_streams(options_.state, options_.topics);
  return read_condensed(options_.state, *options_.condensed, options_.names, log_, logger_);
}

void LiveMetrics::load_state(disk::Disk& disk) {
  if (const auto saved = checkpoints_->read(); saved && goes_on(options_.checkpoint->folder, intake_->load(*saved)))
    return;
  if (!options_.earlier_checkpoint) return;
  const disk::Path& earlier = *options_.earlier_checkpoint;
  if (const auto saved = read_checkpoint(disk, earlier)) goes_on(earlier, intake_->load_streams(*saved));
}

bool LiveMetrics::goes_on(const disk::Path& folder, const Result<void>& loaded) {
  if (loaded) {
    logger_.info("live metrics go on from their checkpoint",
                 {{"folder", folder.string()}, {"posts", intake_->state().parts().counts.posts}});
    return true;
  }
  logger_.warning("the checkpoint of the live metrics is of no use: they read the streams from the beginning",
                  {{"folder", folder.string()}, {"error", loaded.error().message}});
  intake_ = make_intake();
  return false;
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
  std::vector<PartitionProgress> all;
  all.reserve(shown_.size());
  const SteadyTime now = clock_.steady_now();
  for (const ShownPartition& shown : shown_) {
    PartitionProgress progress = shown.progress;
    progress.idle = progress.lag() == 0 && now - shown.last_news >= options_.idle_after;
    if (const auto silent = now - shown.last_heard;
        options_.condensed && !progress.error && silent >= options_.mark_silence) {
      progress.error =
          Error{ErrorCode::kUnavailable, fmt::format("no `pinflow stream` has told of it for {} s: is one running?",
                                                     std::chrono::floor<std::chrono::seconds>(silent).count())};
    }
    all.push_back(std::move(progress));
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
  const Answering answering(intake_->parts(), clock_.now());
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
    const LiveState& state = intake_->state();
    const LiveParts& parts = state.parts();
    status = {.partitions = progress_now(),
              .posts = parts.counts.posts,
              .repeats = parts.counts.repeats,
              .without_profile = parts.counts.without_profile,
              .unreadable = parts.counts.unreadable,
              .joined = state.join().joined(),
              .pending = state.join().pending(),
              .profiles = parts.profiles.size(),
              .categories = parts.categories.size(),
              .countries = parts.countries.size(),
              .pairs = parts.category_profiles.size() + parts.country_profiles.size() + parts.country_categories.size(),
              .evicted = parts.profiles.evicted(),
              .evicted_pending = state.join().evicted(),
              .evicted_names = parts.categories.evicted() + parts.countries.evicted(),
              .evicted_pairs = parts.category_profiles.evicted() + parts.country_profiles.evicted() +
                               parts.country_categories.evicted(),
              .forgotten_pages = state.seen().forgotten_pages()};
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
    const auto found = std::ranges::find(shown_, partition, [](const ShownPartition& shown) -> const TopicPartition& {
      return shown.progress.partition;
    });
    return found != shown_.end() && found->progress.next >= end;
  };
  changed_.wait_for(lock, timeout, [&] { return stopped_ || reached(); });
  return reached();
}

}  // namespace pinflow::live
