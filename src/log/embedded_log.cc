#include "log/embedded_log.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>

#include "base/check.h"
#include "log/batch_validation.h"
#include "log/internal/embedded_log_impl.h"
#include "log/internal/partition_watch.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kFormatLine = "pinflow log format ";
constexpr int kFormat = 2;
constexpr int kOldestFormat = 1;  // Has no files beside the segments.

// What a record costs in memory beside its payload.
constexpr std::size_t kRecordOverhead = sizeof(Record) + sizeof(Result<Appended>);

// Holds the file `format` of the log's folder to a version that this program knows, and writes it for a new
// log.
Result<void> check_format(const EmbeddedLogOptions& options, disk::Disk& disk) {
  const disk::Path path = options.folder / "format";
  const auto text = disk.read_file(path);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    if (options.read_only)
      return fail(ErrorCode::kNotFound, fmt::format("there is no log in {}", options.folder.string()));
    return disk.write_file(path, fmt::format("{}{}\n", kFormatLine, kFormat));
  }
  TRY(text);
  int format = 0;
  const std::string_view number = std::string_view(*text).substr(std::min(kFormatLine.size(), text->size()));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), format);
  if (!text->starts_with(kFormatLine) || error != std::errc() ||
      std::string_view(end, number.data() + number.size()) != "\n")
    return fail(ErrorCode::kCorrupt,
                fmt::format("{} should read '{}{}'; restore it if the folder holds a log of pinflow", path.string(),
                            kFormatLine, kFormat));
  if (format < kOldestFormat || format > kFormat)
    return fail(ErrorCode::kInvalid,
                fmt::format("the log in {} has format {}, this program knows {} to {}; use a newer program",
                            options.folder.string(), format, kOldestFormat, kFormat));
  if (format == kFormat || options.read_only) return {};
  return disk.write_file(path, fmt::format("{}{}\n", kFormatLine, kFormat));
}

// A topic whose max.message.bytes is above the usual takes larger records than others: those that fit it, with room for what a
// batch adds.
std::size_t own_record_limit(const OpenTopic& topic, std::int64_t usual) {
  constexpr std::int64_t kBatchRoom = 4096;
  const std::int64_t own = topic.settings->get()->max_message_bytes;
  return own > usual ? static_cast<std::size_t>(std::max<std::int64_t>(0, own - kBatchRoom)) : 0;
}

std::string_view level_name(Durability durability) {
  switch (durability) {
    case Durability::kPower:
      return "power";
    case Durability::kInterval:
      return "interval";
    case Durability::kOs:
      return "os";
  }
  return "";
}

}  // namespace

Result<void> EmbeddedLogImpl::open() {
  if (!options_.read_only) {
    TRY(disk_.create_folders(options_.folder));
    TRY_ASSIGN(lock_, disk_.lock_folder(options_.folder));
  }
  TRY(check_format(options_, disk_));
  bool new_epochs = false;
  if (!options_.read_only) {
    TRY_ASSIGN(new_epochs, needs_new_epochs());
  }
  TRY(topics_.load(new_epochs, report_));
  requests_.settle(clock_.now());
  TRY(journal_.load(report_, clock_.now()));
  // A topic that cannot be read may be mended one day, and its positions are of use again.
  if (report_.damage.empty()) journal_.keep_topics(topic_ids());
  if (!options_.read_only) {
    TRY(disk_.write_file(running_path(), fmt::format("{}\n", level_name(options_.durability))));
    committer_.emplace(options_, disk_, clock_, journal_, requests_);
    groups_.attach(*committer_);
    cleaner_.emplace(Cleaner::Options{disk_, clock_, logger_, topics_, *committer_, options_.cleaning_period});
  }
  logger_.info("the log is open", {{"folder", options_.folder.string()},
                                   {"topics", topics_.list().size()},
                                   {"segments", report_.segments_scanned},
                                   {"torn_bytes_cut", report_.torn_bytes_cut},
                                   {"damage", report_.damage.size()}});
  return {};
}

// After an end in disorder at a weaker level, records may be lost that readers had seen.
Result<bool> EmbeddedLogImpl::needs_new_epochs() const {
  const auto level = disk_.read_file(running_path());
  if (!level && level.error().code == ErrorCode::kNotFound) return false;
  TRY(level);
  return *level != fmt::format("{}\n", level_name(Durability::kPower));
}

EmbeddedLogImpl::~EmbeddedLogImpl() {
  if (!committer_) return;
  if (cleaner_) cleaner_->stop();
  committer_->stop();
  if (!committer_->all_durable()) return;
  if (disk_.remove(running_path())) (void)disk_.sync_folder(options_.folder);  // Otherwise the next start is careful.
}

std::vector<Uuid> EmbeddedLogImpl::topic_ids() const {
  std::vector<Uuid> ids;
  for (const Topic& topic : topics_.list()) ids.push_back(topic.id);
  return ids;
}

Result<void> EmbeddedLogImpl::check_writable() const {
  if (committer_) return {};
  return fail(ErrorCode::kInvalid, fmt::format("the log in {} is open for reading only", options_.folder.string()));
}

Result<Topic> EmbeddedLogImpl::create_topic(const TopicSpec& spec) {
  TRY(check_writable());
  TRY_ASSIGN(const OpenTopicPtr topic, topics_.create(spec));
  shares_.changed();
  return topic->topic;
}

Result<void> EmbeddedLogImpl::delete_topic(const std::string& name) {
  TRY(check_writable());
  TRY_ASSIGN(const Uuid id, topics_.remove(name));
  journal_.forget_topic(id);
  shares_.changed();
  return {};
}

Result<Topic> EmbeddedLogImpl::topic(const std::string& name) {
  TRY_ASSIGN(const OpenTopicPtr topic, topics_.find(name));
  return topic->topic;
}

Result<Topic> EmbeddedLogImpl::topic_by_id(const Uuid& id) {
  if (const auto name = topics_.name_of(id)) {
    auto found = topic(*name);
    if (found && found->id == id) return found;  // It may just have been made anew.
  }
  return fail(ErrorCode::kNotFound, fmt::format("there is no topic with the id {}", id.to_string()));
}

// Checks what can be checked before the queue. A record that is too large or breaks a rule of its topic is refused alone.
Result<ProduceRequest> EmbeddedLogImpl::make_request(const std::string& topic, PartitionId partition,
                                                     std::vector<Record>& records) {
  TRY(check_writable());
  ProduceRequest request;
  TRY_ASSIGN(request.topic, topics_.find(topic));
  if (partition != kAnyPartition) TRY(topics_.find(TopicPartition{topic, partition}));
  request.partition = partition;
  request.results.reserve(records.size());
  const auto settings = request.topic->settings->get();
  const std::size_t own_limit = own_record_limit(*request.topic, options_.topic_defaults.max_message_bytes);
  const WallTime now = clock_.now();
  for (const Record& record : records) {
    const std::size_t bytes = payload_size(record);
    request.bytes += bytes + kRecordOverhead;
    if (bytes <= options_.max_record_size.count() || bytes <= own_limit) {
      auto good = check_record(record, *settings, now);
      request.results.emplace_back();
      if (!good) request.results.back() = fail(std::move(good).error().with_context(fmt::format("topic {}", topic)));
    } else {
      request.results.emplace_back(
          fail(ErrorCode::kInvalid, fmt::format("topic {}: a record of {} bytes is over the limit of {}", topic, bytes,
                                                options_.max_record_size.count())));
    }
  }
  request.records = std::move(records);
  return request;
}

void EmbeddedLogImpl::produce(const std::string& topic, PartitionId partition, std::vector<Record> records,
                              ProduceDone done) {
  const std::size_t count = records.size();
  if (count == 0) return done({});
  submit(make_request(topic, partition, records), count, std::move(done));
}

void EmbeddedLogImpl::produce_once(const std::string& topic, RequestMark mark, std::vector<Record> records,
                                   std::vector<PartitionId> partitions, ProduceDone done) {
  const std::size_t count = records.size();
  if (count == 0) return done({});
  CHECK(partitions.empty() || partitions.size() == count, "each record of a request has its partition");
  auto request = make_request(topic, kAnyPartition, records);
  if (request) {
    request->once.emplace(kRequestBit | static_cast<std::int64_t>(mark.request & ~(std::uint64_t{3} << 62)),
                          static_cast<std::int32_t>(mark.content & 0x7fffffffU), std::move(partitions));
    for (std::size_t i = 0; i < request->once->partitions.size(); ++i) {
      const PartitionId partition = request->once->partitions[i];
      if (partition == kAnyPartition ||
          (partition >= PartitionId(0) && partition.value() < request->topic->topic.partitions))
        continue;
      request->results[i] = fail(ErrorCode::kNotFound, fmt::format("topic {} has no partition {}", topic, partition));
    }
  }
  submit(std::move(request), count, std::move(done));
}

void EmbeddedLogImpl::submit(Result<ProduceRequest> request, std::size_t count, ProduceDone done) {
  if (request) {
    request->done = std::move(done);
    const auto accepted = committer_->submit(*request);
    if (accepted) return;
    done = std::move(request->done);
    request = fail(accepted.error());
  }
  done(std::vector<Result<Appended>>(count, fail(request.error())));
}

std::optional<EmbeddedLogImpl::Reach> EmbeddedLogImpl::reach_of(const FetchRequest& request) const {
  Reach reach;
  for (const FetchPosition& position : request.positions) {
    const auto found = topics_.find(position.partition);
    if (!found) return std::nullopt;
    reach.ends.push_back({position.partition, std::max(position.offset, found->second->range().end)});
    reach.bytes += found->second->published_bytes();
  }
  return reach;
}

bool EmbeddedLogImpl::wait_beyond(const std::vector<FetchPosition>& ends,
                                  std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  bool ready = false;
  const PartitionWatch watch(topics_, ends, [&] {
    const std::scoped_lock lock(mutex);
    ready = true;
    wake.notify_one();
  });
  std::unique_lock lock(mutex);
  const bool woken = wake.wait_until(lock, stop, deadline, [&] { return ready; });
  lock.unlock();  // The watch may have to wait for its callback, which takes the mutex.
  return woken;
}

// Reads from each partition in turn. Each gets an equal share of what is left of the bounds, so that a long
// one does not starve those behind it; what a short one leaves goes to the next.
EmbeddedLogImpl::Collected EmbeddedLogImpl::collect(const FetchRequest& request) {
  Collected all;
  ReadBudget left{request.max_bytes, request.max_records, true};
  for (std::size_t i = 0; i < request.positions.size(); ++i) {
    const FetchPosition& position = request.positions[i];
    FetchedPartition fetched;
    fetched.partition = position.partition;
    const auto found = topics_.find(position.partition);
    if (found) {
      const std::size_t sharers = request.positions.size() - i;
      ReadBudget share{left.bytes / sharers, left.records == 0 ? 0 : std::max<std::size_t>(left.records / sharers, 1),
                       left.nothing_yet};
      const ReadBudget before = share;
      found->second->read(position.offset, share, fetched);
      left.bytes -= before.bytes - share.bytes;
      left.records -= before.records - share.records;
      left.nothing_yet = share.nothing_yet;
    } else {
      fetched.error = found.error();
    }
    if (fetched.records.empty() && fetched.next <= position.offset && !fetched.error) continue;
    all.failed = all.failed || fetched.error.has_value();
    for (const StoredRecord& record : fetched.records)
      all.bytes += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0) + 1;
    all.partitions.push_back(std::move(fetched));
  }
  return all;
}

Result<std::vector<FetchedPartition>> EmbeddedLogImpl::fetch(const FetchRequest& request, std::stop_token stop) {
  const auto deadline = std::chrono::steady_clock::now() + request.max_wait;
  const std::size_t wanted = std::min(request.min_bytes, request.max_bytes);
  while (true) {
    const auto then = reach_of(request);
    Collected all = collect(request);
    if (all.failed || all.bytes >= wanted || request.max_wait.count() <= 0) return std::move(all.partitions);
    // Reading again makes sense only once enough was added, or when a topic was deleted or made anew.
    auto now = then;
    while (then && now && now->bytes >= then->bytes && now->bytes - then->bytes < wanted - all.bytes) {
      if (!wait_beyond(now->ends, deadline, stop)) return std::move(collect(request).partitions);
      now = reach_of(request);
    }
  }
}

Result<OffsetRange> EmbeddedLogImpl::offsets(const TopicPartition& partition) {
  TRY_ASSIGN(const auto found, topics_.find(partition));
  return found.second->range();
}

Result<std::unique_ptr<EmbeddedLog>> open_embedded_log(EmbeddedLogOptions options, disk::Disk& disk, const Clock& clock,
                                                       Logger& logger) {
  auto log = std::make_unique<EmbeddedLogImpl>(std::move(options), disk, clock, logger);
  TRY(log->open());
  return log;
}

}  // namespace pinflow::log
