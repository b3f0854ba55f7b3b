#include "stream/internal/kind_lane.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "stream/internal/engine_types.h"

namespace pinflow::stream::internal {

namespace {
constexpr std::chrono::seconds kBetweenWarnings{10};
constexpr std::string_view kArrivalDate = "arrival_date";

std::size_t bytes_of(const log::StoredRecord& record) {
  return (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}
}  // namespace

KindLane::KindLane(records::Kind kind, StreamOptions options, const StreamContext& context, Random random,
                   BatchBudget& budget, const std::optional<std::string>& table)
    : kind_(kind),
      options_(std::move(options)),
      stream_(options_.names.stream(kind)),
      table_(table.value_or(options_.names.table(kind))),
      context_(context),
      random_(random),
      budget_(budget),
      pace_({options_.commit_interval, options_.max_commit_interval, options_.freshness}),
      batch_records_(options_.max_batch_records),
      backoff_(options_.least_backoff, options_.most_backoff) {
  CHECK(!options_.pipeline_id.empty(), "the tables keep positions under the pipeline's id");
  CHECK(options_.max_batch_records > 0, "a batch holds at least one record");
  CHECK(options_.batches_at_once > 0, "a lane makes at least one batch");
  for (std::size_t i = 0; i < options_.batches_at_once; ++i) {
    batches_.push_back(std::make_unique<MicroBatch>(kind, options_, context_, Random(random_())));
  }
  totals_.kind = kind;
  totals_.table = table_;
}

KindLane::~KindLane() {
  drop_flights();
}

void KindLane::prepare() {
  const SteadyTime now = context_.clock.steady_now();
  if (now >= discover_at_) discover();
  if (!backoff_.ready(now)) return;
  if (clean_ == nullptr) {
    if (const auto opened = open(); !opened) return failed(opened.error());
  }
  for (auto& [name, partition] : partitions_) {
    if (partition.next || !partition.backoff.ready(now)) continue;
    if (const auto located = locate(partition); !located) failed(partition, located.error());
  }
}

Result<void> KindLane::open() {
  TRY_ASSIGN(const auto clean, context_.statements.find(fmt::format("clean/{}", to_string(kind_))));
  select_ = clean.text;
  if (options_.partition_by_date) {
    select_ = fmt::format("SELECT *, CAST(make_timestamp(epoch_us(arrived_at)) AS DATE) AS {} FROM (\n{}\n)",
                          kArrivalDate, clean.text);
  }
  if (options_.keep_unknown_members) select_ = MicroBatch::with_unknown_members(select_);
  TRY_ASSIGN(const auto dead_spec,
             spec_of(options_.dead_letters, MicroBatch::select_dead_letters(), "Records that cannot be rows, and why"));
  TRY_ASSIGN(spec_, spec_of(table_, select_, clean.description));
  if (options_.partition_by_date) spec_.partition_columns = {std::string(kArrivalDate)};
  const delta::TableContext context{context_.tables, context_.engine, context_.clock, random_, context_.logger};
  TRY_ASSIGN(dead_, delta::open_table(context, dead_spec));
  TRY_ASSIGN(clean_, delta::open_table(context, spec_));
  totals_.rows = clean_->snapshot().rows();
  return {};
}

// The columns of a table are those of its statement, which wants its input to be there.
Result<delta::TableSpec> KindLane::spec_of(const std::string& name, const std::string& select,
                                           const std::string& description) {
  TRY_ASSIGN(sql::Session* const session, batches_.front()->open());
  TRY_ASSIGN(const auto columns, session->query(fmt::format("SELECT * FROM (\n{}\n) LIMIT 0", select)));
  TRY_ASSIGN(auto fields, table_fields(columns));
  delta::TableSpec spec{.name = name, .schema = std::move(fields), .description = description};
  spec.checkpoint_interval = options_.checkpoint_interval;
  return spec;
}

// What was open may have been left half-way: all is opened and read anew.
void KindLane::close() {
  drop_flights();
  clean_.reset();
  dead_.reset();
  for (const auto& batch : batches_) batch->close();
  forget_places();
}

void KindLane::forget_places() {
  fetched_.clear();
  grant_ = {};
  for (auto& [name, partition] : partitions_) partition.next.reset();
}

void KindLane::discover() {
  discover_at_ = context_.clock.steady_now() + options_.discovery_interval;
  if (context_.share != nullptr) look_at_share();
  const auto topic = context_.log.topic(stream_);
  if (!topic && topic.error().code != ErrorCode::kNotFound) return failed(topic.error());
  std::map<log::TopicPartition, Partition> found;
  for (std::int32_t id = 0; topic && id < topic->partitions; ++id) {
    const log::TopicPartition name{stream_, log::PartitionId(id)};
    if (context_.share != nullptr && !std::ranges::binary_search(assigned_.partitions, name)) continue;
    const auto known = partitions_.find(name);
    if (known != partitions_.end() && known->second.topic_id == topic->id) {
      found.insert(partitions_.extract(known));
    } else {
      found.emplace(name, Partition{.name = name,
                                    .topic_id = topic->id,
                                    .next = {},
                                    .ahead = {},
                                    .until = {},
                                    .dead_next = {},
                                    .backoff = {options_.least_backoff, options_.most_backoff},
                                    .error = {}});
    }
  }
  partitions_ = std::move(found);
}

// What is on its way is committed before a partition goes to another process, which then need not make it again. Where one comes, that
// other's last commits are to be read first; and where all places are read anew, it does not matter which came and which stayed.
void KindLane::look_at_share() {
  log::Assignment now = context_.share->assignment();
  if (now.version == assigned_.version) return;
  while (!flights_.empty()) commit_oldest();
  assigned_ = std::move(now);
  forget_places();
  if (clean_ == nullptr) return;
  if (const auto read = read_tables(); !read) failed(read.error());
}

// A topic made again under its name begins at offset 0, so its id is part of the name of a position.
std::string KindLane::app_id(const log::TopicPartition& name, const Uuid& topic_id, const std::string& table) const {
  return fmt::format("{}:{}:{}:{}", options_.pipeline_id, table, topic_id.to_string(), name.partition);
}

Result<void> KindLane::locate(Partition& partition) {
  TRY_ASSIGN(const auto range, context_.log.offsets(partition.name));
  TRY_ASSIGN(const log::Offset next, first_offset(partition, range));
  if (next > range.end) {
    return fail(
        ErrorCode::kCorrupt,
        fmt::format(
            "table {} has records of {}/{} up to offset {}, the log only up to {}: the log has lost records, or the "
            "table is of another log",
            table_, stream_, partition.name.partition, next, range.end));
  }
  if (until_ && !partition.until) {
    TRY_ASSIGN(partition.until, find_offset(context_.log, partition.name, *until_));
  }
  const auto dead = note_seen(*dead_, seen_dead_, app_id(partition.name, partition.topic_id, options_.dead_letters));
  partition.dead_next = log::Offset(dead ? *dead + 1 : 0);
  partition.ahead = std::max(next, range.begin);
  partition.next = partition.ahead;
  partition.error.clear();
  return {};
}

// Where the table's position says; where it has none, where the lane was told to begin.
Result<log::Offset> KindLane::first_offset(const Partition& partition, log::OffsetRange range) {
  const std::string app = app_id(partition.name, partition.topic_id, table_);
  if (const auto stored = note_seen(*clean_, seen_clean_, app)) {
    const log::Offset next(*stored + 1);
    if (next < range.begin) {
      context_.logger.warning(
          "Records left the log before the stream lane had them",
          {{"topic", stream_}, {"partition", partition.name.partition}, {"from", next}, {"to", range.begin}});
    }
    return next;
  }
  TRY_ASSIGN(const log::Offset first, find_offset(context_.log, partition.name, options_.start));
  if (std::holds_alternative<Earliest>(options_.start)) return first;
  // Kept in the table before anything else: "latest" is another place after a crash, also where it is 0 now.
  TRY(append(*clean_, seen_clean_, {}, {{app, (first + -1).value()}}));
  context_.done(Step::kPositionSet);
  return first;
}

bool KindLane::fetchable(const Partition& partition) const {
  return partition.next && partition.backoff.ready(context_.clock.steady_now()) &&
         (!partition.until || partition.ahead < *partition.until);
}

bool KindLane::is_through() const {
  return clean_ != nullptr && std::ranges::all_of(partitions_, [](const auto& entry) {
           const Partition& partition = entry.second;
           return partition.next && partition.until && *partition.next >= *partition.until;
         });
}

// How long nothing is to be done if no record comes.
std::chrono::milliseconds KindLane::patience() const {
  const SteadyTime now = context_.clock.steady_now();
  SteadyTime until = discover_at_;
  if (!backoff_.ready(now)) {
    until = backoff_.retry_at();
  } else {
    for (const auto& [name, partition] : partitions_) {
      if (!fetchable(partition)) until = std::min(until, partition.backoff.retry_at());
    }
  }
  return std::chrono::ceil<std::chrono::milliseconds>(std::max(until, now) - now);
}

void KindLane::fetch(const std::stop_token& wake) {
  fetched_.clear();
  const bool behind = busy_;
  const SteadyTime now = context_.clock.steady_now();
  const bool any = std::ranges::any_of(partitions_, [&](const auto& entry) { return fetchable(entry.second); });
  const bool can_fetch = clean_ != nullptr && backoff_.ready(now) && any;
  if (!can_fetch || !flights_.empty()) busy_ = false;  // Unless a full batch comes now.
  if (!can_fetch) {
    if (flights_.empty()) Wakeup::wait(patience(), wake);
    return;
  }
  if (!make_room(behind)) return;
  if (flights_.empty() && !busy_ && now < commit_at_) {
    // Too early for the next commit: gather, unless a whole batch comes first.
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(commit_at_ - now);
    auto gathered = read(grant_.bytes() / 2, wait, wake);
    if (!gathered) return failed(gathered.error());
    if (!gathered->empty() || wake.stop_requested()) return accept(std::move(*gathered));
  }
  auto first = read(1, flights_.empty() ? patience() : std::chrono::milliseconds::zero(), wake);
  if (!first) return failed(first.error());
  if (first->empty()) totals_.error.clear();  // Nothing is left that could still be wrong.
  accept(std::move(*first));
}

Result<std::vector<log::FetchedPartition>> KindLane::read(std::size_t min_bytes, std::chrono::milliseconds wait,
                                                          const std::stop_token& wake) {
  log::FetchRequest request;
  for (const auto& [name, partition] : partitions_) {
    if (fetchable(partition)) request.positions.push_back({name, partition.ahead});
  }
  request.max_bytes = grant_.bytes();
  request.max_records = static_cast<std::size_t>(batch_records_);
  request.min_bytes = min_bytes;
  request.max_wait = wait;
  return context_.log.fetch(request, wake);
}

// Asks for what the next batch may hold. A wait for records never holds what other lanes could use. False: they use it all, and
// what is on its way here is to be committed first.
bool KindLane::make_room(bool behind) {
  const std::size_t most = options_.max_batch_bytes.count();
  const bool own = std::ranges::none_of(flights_, [](const Flight& flight) { return flight.grant.has_own(); });
  grant_ = {};
  grant_ = budget_.take(most, own, behind && !flights_.empty());
  return own || grant_.bytes() >= std::min(most, budget_.share() / 4);
}

void KindLane::accept(std::vector<log::FetchedPartition> fetched) {
  std::size_t records = 0, bytes = 0;
  bool in_order = true;
  for (log::FetchedPartition& entry : fetched) {
    const auto found = partitions_.find(entry.partition);
    if (found == partitions_.end()) continue;
    if (entry.error) {
      // The place may be wrong (retention went past it) or the topic gone: both are looked up anew.
      found->second.next.reset();
      discover_at_ = SteadyTime::min();
      failed(found->second, std::move(*entry.error));
      in_order = false;
      continue;
    }
    records += entry.records.size();
    for (const log::StoredRecord& record : entry.records) bytes += bytes_of(record);
    fetched_.push_back(std::move(entry));
  }
  const bool full = records >= static_cast<std::size_t>(batch_records_) || bytes >= grant_.bytes() / 2;
  grant_.reduce(bytes);
  if (fetched_.empty()) return;
  if (!are_of_known_topic()) {
    forget_places();
    discover_at_ = SteadyTime::min();
    return;
  }
  // Where a place is to be looked up, all that is on its way is committed first.
  busy_ = full && in_order;
  commit_at_ = context_.clock.steady_now() + pace_.interval();
  context_.done(Step::kFetched);
}

// Whether the topic is still the one whose positions are known: made again under its name, it has other records at the same
// offsets. An id never comes back, so the same one before and after means the same one throughout.
bool KindLane::are_of_known_topic() const {
  const auto topic = context_.log.topic(stream_);
  return topic && std::ranges::all_of(fetched_, [&](const log::FetchedPartition& fetched) {
           return partitions_.at(fetched.partition).topic_id == topic->id;
         });
}

void KindLane::hurry() {
  discover_at_ = SteadyTime::min();
  backoff_.succeeded();
  for (auto& [name, partition] : partitions_) partition.backoff.succeeded();
}

void KindLane::failed(const Error& error) {
  backoff_.failed(context_.clock.steady_now());
  totals_.error = error.message;
  totals_.last_error = error.message;
  close();
  warn(stream_, error.message);
}

void KindLane::failed(Partition& partition, Error error) {
  partition.backoff.failed(context_.clock.steady_now());
  partition.error = std::move(error.message);
  totals_.last_error = partition.error;
  warn(fmt::format("{}/{}", stream_, partition.name.partition), partition.error);
}

// One line in kBetweenWarnings for all that goes wrong.
void KindLane::warn(const std::string& subject, const std::string& cause) {
  const SteadyTime now = context_.clock.steady_now();
  if (now < warn_at_) {
    ++unwarned_;
    return;
  }
  context_.logger.warning("The stream lane cannot go on and tries again",
                          {{"subject", subject}, {"cause", cause}, {"not_shown", unwarned_}});
  warn_at_ = now + kBetweenWarnings;
  unwarned_ = 0;
}

TableStatus KindLane::status() const {
  TableStatus status = totals_;
  if (clean_ != nullptr) {
    status.version = clean_->snapshot().version.value();
    status.files = clean_->snapshot().files.size();
  }
  status.unknown_members = unknown_members_.by_name();
  status.other_unknown_members = unknown_members_.others();
  for (const auto& [name, place] : places()) status.partitions.push_back({name, place.next, 0, place.error});
  return status;
}

std::map<log::TopicPartition, log::ReaderPlace> KindLane::places() const {
  std::map<log::TopicPartition, log::ReaderPlace> places;
  for (const auto& [name, partition] : partitions_) {
    places.emplace(name, log::ReaderPlace{partition.next.value_or(log::Offset(0)),
                                          partition.error.empty() ? totals_.error : partition.error});
  }
  return places;
}

}  // namespace pinflow::stream::internal
