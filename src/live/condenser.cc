#include "live/condenser.h"

#include <algorithm>
#include <array>
#include <condition_variable>

#include "base/backoff.h"
#include "live/partition_condenser.h"
#include "live/record_parser.h"

namespace pinflow::live {

using log::Offset;
using log::PartitionId;
using log::TopicPartition;
using Batch = std::map<PartitionId, std::vector<log::Record>>;

namespace {

constexpr std::size_t kFetchBytes = std::size_t{1} << 20;

// Waits for the answers of several produce calls. Shared with them, as they may come after nobody waits any more.
class Answers {
 public:
  explicit Answers(std::size_t calls) : left_(calls) {}
  void came(const std::vector<Result<log::Appended>>& results) {
    const std::scoped_lock lock(mutex_);
    for (const auto& result : results)
      if (!result && !error_) error_ = result.error();
    if (--left_ == 0) all_came_.notify_all();
  }
  Result<void> wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!all_came_.wait(lock, stop, [&] { return left_ == 0; })) return fail(ErrorCode::kCancelled, "stopped");
    return error_ ? Result<void>(fail(*error_)) : Result<void>();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any all_came_;
  std::size_t left_;
  std::optional<Error> error_;
};

}  // namespace

// What the thread alone owns.
class Condenser::Work {
 public:
  explicit Work(Condenser& owner)
      : owner_(owner),
        options_(owner.options_),
        parsers_{RecordParser(records::Kind::kPin), RecordParser(records::Kind::kGeo),
                 RecordParser(records::Kind::kUser)},
        retry_(owner.options_.least_retry, owner.options_.most_retry) {}

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Result<void> done = follow_share();
      if (done && sources_.empty()) {
        note(done);
        owner_.share_.wait(version_, stop);
        continue;
      }
      if (done) done = step(stop);
      if (stop.stop_requested()) return;
      note(done);
      if (!done) pause(stop);
    }
  }

 private:
  struct Source {
    PartitionCondenser core;
    Uuid stream;
    SteadyTime marked = SteadyTime::min();  // When its mark was stored last.
    bool loading = true;
  };
  // Reading of a partition of the condensed topic to its end, for sources that were taken over.
  struct Load {
    Offset next;
    Offset end;
  };

  // Fails, and changes nothing, where the log does not tell which topics there are.
  Result<void> follow_share() {
    const log::Assignment assignment = owner_.share_.assignment();
    TRY_ASSIGN(const log::Topic topic, owner_.log_.topic(options_.topic.name));
    if (topic.id != topic_) {  // At the beginning, and where it was made anew.
      sources_.clear();
      loads_.clear();
      topic_ = topic.id;
      version_ = 0;
    }
    if (assignment.version == version_) return {};
    std::map<SourcePartition, Uuid> given;
    for (const TopicPartition& partition : assignment.partitions) {
      TRY_ASSIGN(const log::Topic stream, owner_.log_.topic(partition.topic));
      given.emplace(SourcePartition{*records::kind_of(partition.topic), partition.partition.value()}, stream.id);
    }
    std::erase_if(sources_, [&](const auto& source) { return !given.contains(source.first); });
    for (const auto& [source, stream] : given)
      if (!sources_.contains(source)) take_over(source, stream);
    version_ = assignment.version;
    owner_.share_.settled(version_);
    return {};
  }

  PartitionCondenser fresh(const SourcePartition& source) const {
    return {source, options_.max_seen_pages, options_.allowed_lateness};
  }

  void take_over(const SourcePartition& source, const Uuid& stream) {
    sources_.emplace(source, Source{.core = fresh(source), .stream = stream});
    begin_load(partition_of(source));
  }

  // From the beginning, also for those whose loading is under way.
  void begin_load(PartitionId partition) {
    loads_.insert_or_assign(partition, Load{Offset(-1), Offset(0)});
    for (auto& [source, state] : sources_)
      if (state.loading && partition_of(source) == partition) state.core = fresh(source);
  }

  PartitionId partition_of(const SourcePartition& source) const {
    return condensed_partition(source, options_.topic.for_each_kind);
  }
  TopicPartition stream_of(const SourcePartition& source) const {
    return {options_.names.stream(source.kind), PartitionId(source.partition)};
  }

  Result<void> step(const std::stop_token& stop) {
    TRY_ASSIGN(const log::Topic topic, owner_.log_.topic(options_.topic.name));
    TRY(check_condensed(options_.topic, topic));
    TRY(find_load_ends());
    follow_streams();
    TRY_ASSIGN(const auto fetched, owner_.log_.fetch(next_request(), stop));
    Batch entries;
    std::vector<SourcePartition> moved;
    std::uint64_t records = 0;
    Result<void> all_done;
    const auto note_error = [&](Result<void> done) {
      if (!done) all_done = std::move(done);
    };
    for (const auto& partition : fetched) {
      if (partition.partition.topic == options_.topic.name) {
        note_error(take_load(partition));
        continue;
      }
      const SourcePartition source{*records::kind_of(partition.partition.topic), partition.partition.partition.value()};
      const auto at = sources_.find(source);
      if (at == sources_.end() || at->second.loading) continue;
      if (partition.error) {
        note_error(take_error(at->second, partition));
        continue;
      }
      RecordParser& parser = parsers_[static_cast<std::size_t>(source.kind)];
      parser.read(partition, owner_.clock_.now());
      at->second.core.condense(parser, partition, entries[partition_of(source)]);
      moved.push_back(source);
      records += parser.records();
    }
    // What was condensed is stored whatever happened to other partitions.
    TRY(store(entries, moved, records, stop));
    return all_done;
  }

  // Of loads that begin.
  Result<void> find_load_ends() {
    for (auto& [partition, load] : loads_) {
      if (load.next >= Offset(0)) continue;
      TRY_ASSIGN(const log::OffsetRange range, owner_.log_.offsets({options_.topic.name, partition}));
      load = {range.begin, range.end};
    }
    std::erase_if(loads_, [&](const auto& load) {
      if (load.second.next < load.second.end) return false;
      end_load(load.first);
      return true;
    });
    return {};
  }

  void end_load(PartitionId partition) {
    for (auto& [source, state] : sources_) {
      if (!state.loading || partition_of(source) != partition) continue;
      state.core.end_loading();
      state.loading = false;
    }
  }

  // A stream that was made anew, as this process saw, begins at its first record.
  void follow_streams() {
    for (auto& [source, state] : sources_) {
      const auto stream = owner_.log_.topic(options_.names.stream(source.kind));
      if (state.loading || !stream || stream->id == state.stream) continue;
      state.stream = stream->id;
      state.core.begin_again(Offset(0));
    }
  }

  // Of the partitions with a backlog only those that are furthest behind in time, as who reads the streams does: so readers hold few
  // posts that miss a record.
  log::FetchRequest next_request() const {
    const auto has_backlog = [](const CondensedMark& mark) {
      return mark.newest && mark.high_watermark > mark.next.offset;
    };
    std::optional<WallTime> least;
    for (const auto& [source, state] : sources_) {
      const CondensedMark& mark = state.core.mark();
      if (!state.loading && has_backlog(mark)) least = std::min(least.value_or(*mark.newest), *mark.newest);
    }
    log::FetchRequest request{.positions = {}, .max_bytes = kFetchBytes, .min_bytes = 1, .max_wait = options_.max_wait};
    for (const auto& [partition, load] : loads_)
      request.positions.push_back({{options_.topic.name, partition}, load.next});
    for (const auto& [source, state] : sources_) {
      const CondensedMark& mark = state.core.mark();
      if (state.loading || (has_backlog(mark) && *mark.newest > *least)) continue;
      request.positions.push_back({stream_of(source), mark.next.offset});
    }
    return request;
  }

  Result<void> take_load(const log::FetchedPartition& fetched) {
    const PartitionId partition = fetched.partition.partition;
    const auto load = loads_.find(partition);
    if (load == loads_.end()) return {};
    if (fetched.error) {
      begin_load(partition);
      return fail(*fetched.error);
    }
    for (const log::StoredRecord& record : fetched.records) {
      const auto read = decode_condensed(record);
      if (!read && read.error().code == ErrorCode::kInvalid) return fail(read.error());
      if (read) std::visit([&](const auto& what) { give(what); }, *read);
    }
    load->second.next = fetched.next;
    // Up to the end as it is now: what was written meanwhile may be why compaction removed something before it.
    load->second.end = std::max(load->second.end, fetched.high_watermark);
    return {};
  }
  template <class What>
  void give(const What& what) {
    const auto at = sources_.find(what.source);
    if (at != sources_.end() && at->second.loading) at->second.core.load(what);
  }

  Result<void> take_error(Source& source, const log::FetchedPartition& fetched) {
    const Offset next = source.core.next().offset;
    const auto range = owner_.log_.offsets(fetched.partition);
    if (fetched.error->code != ErrorCode::kInvalid || !range || (next >= range->begin && next <= range->end))
      return fail(*fetched.error);
    owner_.logger_.warning(next < range->begin
                               ? "records were removed before live metrics had them; they go on at the first there is"
                               : "a stream ends before the place that live metrics had reached, as one does that was "
                                 "made anew; they read it from its beginning",
                           {{"topic", fetched.partition.topic},
                            {"partition", fetched.partition.partition},
                            {"offset", next},
                            {"new_offset", range->begin}});
    next < range->begin ? source.core.go_on_at(range->begin) : source.core.begin_again(range->begin);
    return {};
  }

  // Stores entries, and then the marks of those that went on or whose mark is old. Tries until it is done or stopped: what was condensed
  // is not condensed again.
  Result<void> store(const Batch& entries, const std::vector<SourcePartition>& moved, std::uint64_t records,
                     const std::stop_token& stop) {
    std::uint64_t count = 0;
    for (const auto& [partition, list] : entries) count += list.size();
    TRY(produce_until_done(entries, stop));
    const SteadyTime now = owner_.clock_.steady_now();
    Batch marks;
    std::vector<Source*> marked;
    for (auto& [source, state] : sources_) {
      if (state.loading) continue;
      const bool is_old = state.marked == SteadyTime::min() || now - state.marked >= options_.mark_interval;
      if (!is_old && std::ranges::find(moved, source) == moved.end()) continue;
      marks[partition_of(source)].push_back(encode(state.core.mark()));
      marked.push_back(&state);
    }
    TRY(produce_until_done(marks, stop));
    for (Source* const source : marked) {
      source->marked = now;
      owner_.positions_.note(stream_of(source->core.source()), source->core.next().offset);
    }
    const std::scoped_lock lock(owner_.mutex_);
    owner_.status_.records += records;
    owner_.status_.entries += count;
    return {};
  }

  Result<void> produce_until_done(const Batch& batch, const std::stop_token& stop) {
    for (;;) {
      const Result<void> done = produce(batch, stop);
      if (done || stop.stop_requested()) return done;
      note(done);
      pause(stop);
    }
  }

  Result<void> produce(const Batch& batch, const std::stop_token& stop) {
    std::size_t calls = 0;
    for (const auto& [partition, list] : batch) calls += list.empty() ? 0 : 1;
    if (calls == 0) return {};
    const auto answers = std::make_shared<Answers>(calls);
    for (const auto& [partition, list] : batch) {
      if (list.empty()) continue;
      owner_.log_.produce(options_.topic.name, partition, list,
                          [answers](const std::vector<Result<log::Appended>>& results) { answers->came(results); });
    }
    return answers->wait(stop);
  }

  void note(const Result<void>& done) {
    if (done) {
      retry_.succeeded();
    } else {
      retry_.failed(owner_.clock_.steady_now());
      if (error_ != done.error()) {
        owner_.logger_.error("live metrics cannot condense the streams and try again",
                             {{"error", done.error().message}});
      }
    }
    error_ = done ? std::nullopt : std::optional(done.error());
    const auto loading = [](const auto& source) { return source.second.loading; };
    const std::scoped_lock lock(owner_.mutex_);
    owner_.status_.loading = static_cast<std::size_t>(std::ranges::count_if(sources_, loading));
    owner_.status_.partitions = sources_.size() - owner_.status_.loading;
    owner_.status_.error = error_ ? std::optional(error_->message) : std::nullopt;
  }

  void pause(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    const auto longest = std::chrono::ceil<std::chrono::milliseconds>(retry_.retry_at() - owner_.clock_.steady_now());
    never.wait_for(lock, stop, longest, [] { return false; });
  }

  Condenser& owner_;
  const CondenserOptions& options_;
  std::array<RecordParser, 3> parsers_;  // By kind.
  Backoff retry_;
  std::optional<Error> error_;
  Uuid topic_;
  std::uint64_t version_ = 0;  // Of the share's assignment.
  std::map<SourcePartition, Source> sources_;
  std::map<PartitionId, Load> loads_;
};

Condenser::Condenser(CondenserOptions options, log::Log& log, log::Share& share, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      log_(log),
      share_(share),
      clock_(clock),
      logger_(logger),
      positions_(log, options_.group, logger),
      thread_([this](const std::stop_token& stop) { Work(*this).run(stop); }) {}

Condenser::~Condenser() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

CondenserStatus Condenser::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

}  // namespace pinflow::live
