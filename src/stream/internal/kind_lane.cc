#include "stream/internal/kind_lane.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "stream/internal/engine_types.h"

namespace pinflow::stream::internal {

namespace {
constexpr std::chrono::seconds kBetweenWarnings{10};
}  // namespace

KindLane::KindLane(records::Kind kind, StreamOptions options, const StreamContext& context, Random random)
    : kind_(kind),
      options_(std::move(options)),
      stream_(options_.names.stream(kind)),
      table_(options_.names.table(kind)),
      raw_name_(fmt::format("raw_{}", to_string(kind))),
      context_(context),
      random_(random),
      batch_records_(options_.max_batch_records),
      rows_(kind),
      backoff_(options_.least_backoff, options_.most_backoff) {
  CHECK(!options_.pipeline_id.empty(), "the tables keep positions under the pipeline's id");
  CHECK(options_.max_batch_records > 0, "a batch holds at least one record");
  totals_.kind = kind;
  totals_.table = table_;
}

std::string KindLane::select_dead_letters() {
  return fmt::format("SELECT * FROM {}", kDeadLettersLoaded);
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
  TRY_ASSIGN(session_, context_.engine.connect());
  TRY(session_->run(context_.statements.prelude()));
  TRY_ASSIGN(const auto clean, context_.statements.find(fmt::format("clean/{}", to_string(kind_))));
  select_ = clean.text;
  TRY(load_empty());
  TRY_ASSIGN(dead_, open_table(options_.dead_letters, select_dead_letters(), "Records that cannot be rows, and why"));
  TRY_ASSIGN(clean_, open_table(table_, select_, clean.description));
  totals_.rows = clean_->snapshot().rows();
  return {};
}

// The columns of the tables are those of the statements, which want their input to be there.
Result<void> KindLane::load_empty() {
  rows_.clear();
  dead_letters_.batch().clear();
  TRY(session_->load(raw_name_, rows_.batch()));
  return session_->load(kDeadLettersLoaded, dead_letters_.batch());
}

Result<std::unique_ptr<delta::Table>> KindLane::open_table(const std::string& name, const std::string& select,
                                                           const std::string& description) {
  TRY_ASSIGN(const auto columns, session_->query(fmt::format("SELECT * FROM (\n{}\n) LIMIT 0", select)));
  TRY_ASSIGN(auto fields, table_fields(columns));
  const delta::TableContext context{context_.tables, context_.engine, context_.clock, random_, context_.logger};
  delta::TableSpec spec{.name = name, .schema = std::move(fields), .description = description};
  spec.checkpoint_interval = options_.checkpoint_interval;
  return delta::open_table(context, spec);
}

// What was open may have been left half-way: all is opened and read anew.
void KindLane::close() {
  clean_.reset();
  dead_.reset();
  session_.reset();
  forget_places();
}

void KindLane::forget_places() {
  for (auto& [name, partition] : partitions_) partition.next.reset();
}

void KindLane::discover() {
  discover_at_ = context_.clock.steady_now() + options_.discovery_interval;
  const auto topic = context_.log.topic(stream_);
  if (!topic && topic.error().code != ErrorCode::kNotFound) return failed(topic.error());
  std::map<log::TopicPartition, Partition> found;
  for (std::int32_t id = 0; topic && id < topic->partitions; ++id) {
    const log::TopicPartition name{stream_, log::PartitionId(id)};
    const auto known = partitions_.find(name);
    if (known != partitions_.end() && known->second.topic_id == topic->id) {
      found.insert(partitions_.extract(known));
    } else {
      found.emplace(name, Partition{name, topic->id, {}, {}, {options_.least_backoff, options_.most_backoff}, {}});
    }
  }
  partitions_ = std::move(found);
}

// A topic made again under its name begins at offset 0, so its id is part of the name of a position.
std::string KindLane::app_id(const Partition& partition, const std::string& table) const {
  return fmt::format("{}:{}:{}:{}", options_.pipeline_id, table, partition.topic_id.to_string(),
                     partition.name.partition);
}

Result<void> KindLane::locate(Partition& partition) {
  const auto mark = [&](const delta::Table& table, const std::string& name) {
    const auto& transactions = table.snapshot().transactions;
    const auto found = transactions.find(app_id(partition, name));
    return log::Offset(found == transactions.end() ? 0 : found->second + 1);
  };
  TRY_ASSIGN(const auto range, context_.log.offsets(partition.name));
  const log::Offset next = mark(*clean_, table_);
  if (next > range.end) {
    return fail(
        ErrorCode::kCorrupt,
        fmt::format(
            "table {} has records of {}/{} up to offset {}, the log only up to {}: the log has lost records, or the "
            "table is of another log",
            table_, stream_, partition.name.partition, next, range.end));
  }
  if (next < range.begin) {
    context_.logger.warning(
        "Records left the log before the stream lane had them",
        {{"topic", stream_}, {"partition", partition.name.partition}, {"from", next}, {"to", range.begin}});
  }
  partition.next = std::max(next, range.begin);
  partition.dead_next = mark(*dead_, options_.dead_letters);
  partition.error.clear();
  return {};
}

bool KindLane::fetchable(const Partition& partition) const {
  return partition.next && partition.backoff.ready(context_.clock.steady_now());
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
  const SteadyTime now = context_.clock.steady_now();
  const bool any = std::ranges::any_of(partitions_, [&](const auto& entry) { return fetchable(entry.second); });
  if (clean_ == nullptr || !backoff_.ready(now) || !any) return Wakeup::wait(patience(), wake);
  if (!busy_ && now < commit_at_) {
    // Too early for the next commit: gather, unless a whole batch comes first.
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(commit_at_ - now);
    auto gathered = read(options_.max_batch_bytes.count() / 2, wait, wake);
    if (!gathered) return failed(gathered.error());
    if (!gathered->empty() || wake.stop_requested()) return accept(std::move(*gathered));
  }
  auto first = read(1, patience(), wake);
  if (!first) return failed(first.error());
  if (first->empty()) totals_.error.clear();  // Nothing is left that could still be wrong.
  accept(std::move(*first));
}

Result<std::vector<log::FetchedPartition>> KindLane::read(std::size_t min_bytes, std::chrono::milliseconds wait,
                                                          const std::stop_token& wake) {
  log::FetchRequest request;
  for (const auto& [name, partition] : partitions_) {
    if (fetchable(partition)) request.positions.push_back({name, *partition.next});
  }
  request.max_bytes = options_.max_batch_bytes.count();
  request.max_records = static_cast<std::size_t>(batch_records_);
  request.min_bytes = min_bytes;
  request.max_wait = wait;
  return context_.log.fetch(request, wake);
}

void KindLane::accept(std::vector<log::FetchedPartition> fetched) {
  std::size_t records = 0, bytes = 0;
  for (log::FetchedPartition& entry : fetched) {
    const auto found = partitions_.find(entry.partition);
    if (found == partitions_.end()) continue;
    if (entry.error) {
      // The place may be wrong (retention went past it) or the topic gone: both are looked up anew.
      found->second.next.reset();
      discover_at_ = SteadyTime::min();
      failed(found->second, std::move(*entry.error));
      continue;
    }
    records += entry.records.size();
    for (const log::StoredRecord& record : entry.records) bytes += record.value ? record.value->size() : 0;
    fetched_.push_back(std::move(entry));
  }
  busy_ = records >= static_cast<std::size_t>(batch_records_) || bytes >= options_.max_batch_bytes.count() / 2;
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
