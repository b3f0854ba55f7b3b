#include "migrate/internal/partition_copy.h"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "migrate/internal/record_reader.h"

namespace pinflow::migrate::internal {

namespace {

log::Record to_record(log::StoredRecord stored) {
  return {std::move(stored.key), std::move(stored.value), std::move(stored.headers), stored.timestamp};
}

}  // namespace

PartitionCopy::PartitionCopy(log::Log& from, log::Log& to, std::string topic, const PartitionPlan& plan,
                             const TopicCopyOptions& options, Done done)
    : from_(from),
      to_(to),
      partition_{std::move(topic), plan.partition},
      plan_(plan),
      options_(options),
      done_(std::move(done)),
      next_(plan.to.end) {}

std::string PartitionCopy::place(log::Offset offset) const {
  return fmt::format("{}/{} at offset {}", partition_.topic, partition_.partition, offset);
}

Result<void> PartitionCopy::append(std::vector<log::Record> records) {
  const auto count = static_cast<std::int64_t>(records.size());
  std::promise<std::vector<Result<log::Appended>>> promise;
  auto answered = promise.get_future();
  to_.produce(partition_.topic, partition_.partition, std::move(records),
              [&promise](auto results) { promise.set_value(std::move(results)); });
  const auto results = answered.get();
  for (const auto& result : results) {
    if (!result) return fail(Error(result.error()).with_context("copying " + place(next_)));
    if (result->offset != next_) {
      return fail(ErrorCode::kConflict,
                  fmt::format("the record of {} was stored at offset {}: somebody else writes to that topic, or a part "
                              "of it was lost on its way. Delete the topic there and migrate again",
                              place(next_), result->offset));
    }
    ++next_;
  }
  done_(count);
  return {};
}

Result<void> PartitionCopy::fill(log::Offset until, WallTime time, std::stop_token stop) {
  while (next_ < until) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the copying was stopped");
    const std::int64_t count = std::min(until - next_, options_.fillers_at_once);
    const log::Record filler{.key = std::string(kFillerKey), .value = {}, .headers = {}, .timestamp = time};
    TRY(append(std::vector<log::Record>(static_cast<std::size_t>(count), filler)));
  }
  return {};
}

// Offsets begin at 0 wherever a topic is made: what lies before the first record here is filled there, and removed.
Result<void> PartitionCopy::fill_to_begin(std::stop_token stop) {
  const log::Offset begin = plan_.from.begin;
  if (plan_.to.begin >= begin) return {};
  WallTime time{};
  if (next_ < begin && plan_.from.end > begin) {
    RecordReader reader(from_, partition_, begin, plan_.from.end, 1);
    TRY_ASSIGN(const auto first, reader.read(stop));
    if (!first.empty()) time = first.front().timestamp;
  }
  TRY(fill(begin, time, stop));
  TRY(to_.delete_records(partition_, begin));
  return {};
}

Result<void> PartitionCopy::copy(std::stop_token stop) {
  TRY(fill_to_begin(stop));
  RecordReader reader(from_, partition_, next_, plan_.from.end, options_.bytes_at_once);
  WallTime time{};
  while (true) {
    TRY_ASSIGN(auto records, reader.read(stop));
    if (records.empty()) break;
    std::vector<log::Record> run;
    const log::Offset until = reader.next();
    for (log::StoredRecord& record : records) {
      time = record.timestamp;
      if (record.offset != next_ + static_cast<std::int64_t>(run.size())) {
        if (!run.empty()) TRY(append(std::exchange(run, {})));
        TRY(fill(record.offset, time, stop));
      }
      run.push_back(to_record(std::move(record)));
      ++totals_.records;
    }
    TRY(append(std::move(run)));
    TRY(fill(until, time, stop));
  }
  return fill(plan_.from.end, time, stop);
}

Result<void> PartitionCopy::compare(std::stop_token stop) {
  TRY_ASSIGN(const log::OffsetRange there, to_.offsets(partition_));
  const log::Offset begin = std::max(plan_.from.begin, there.begin);
  if (there.end != plan_.from.end) {
    return fail(ErrorCode::kConflict, fmt::format("{}/{} ends at offset {} there and at {} here", partition_.topic,
                                                  partition_.partition, there.end, plan_.from.end));
  }
  RecordReader ours(from_, partition_, begin, plan_.from.end, options_.bytes_at_once);
  RecordReader theirs(to_, partition_, begin, plan_.from.end, options_.bytes_at_once);
  std::vector<log::StoredRecord> mine;
  std::size_t at = 0;
  while (true) {
    TRY_ASSIGN(const auto copies, theirs.read(stop));
    for (const log::StoredRecord& copy : copies) {
      if (at == mine.size()) {
        at = 0;
        TRY_ASSIGN(mine, ours.read(stop));
      }
      if (at < mine.size() && same_record(mine[at], copy)) {
        ++at;
        ++totals_.compared;
      } else if (is_filler(copy) && (at == mine.size() || copy.offset < mine[at].offset)) {
        ++totals_.fillers;
      } else {
        return fail(ErrorCode::kConflict,
                    fmt::format("the record of {} is another one there. Delete the topic there and migrate again",
                                place(copy.offset)));
      }
    }
    if (copies.empty()) break;
  }
  if (at == mine.size()) {
    at = 0;
    TRY_ASSIGN(mine, ours.read(stop));
  }
  if (at == mine.size()) return {};
  return fail(ErrorCode::kConflict,
              fmt::format("the record of {} is missing there. Delete the topic there and migrate again",
                          place(mine[at].offset)));
}

}  // namespace pinflow::migrate::internal
