#include "migrate/internal/record_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "migrate/topic_copy.h"

namespace pinflow::migrate::internal {

namespace {
constexpr std::chrono::milliseconds kPatience{1'000};
constexpr int kMostTries = 60;
}  // namespace

Result<std::vector<log::StoredRecord>> RecordReader::read(std::stop_token stop) {
  for (int tries = 0; next_ < end_ && tries < kMostTries; ++tries) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "the copying was stopped");
    log::FetchRequest request{.positions = {{partition_, next_}}, .max_bytes = max_bytes_, .max_wait = kPatience};
    TRY_ASSIGN(auto fetched, log_.fetch(request, stop));
    if (fetched.empty()) continue;
    log::FetchedPartition& answer = fetched.front();
    if (answer.error) return fail(*answer.error);
    std::erase_if(answer.records, [&](const auto& record) { return record.offset < next_ || record.offset >= end_; });
    next_ = std::min(std::max(next_, answer.next), end_);
    if (!answer.records.empty()) return std::move(answer.records);
  }
  if (next_ >= end_) return std::vector<log::StoredRecord>();
  return fail(ErrorCode::kUnavailable, fmt::format("{}/{} gives no records from offset {} on, although it ends at {}",
                                                   partition_.topic, partition_.partition, next_, end_));
}

Result<std::optional<log::StoredRecord>> read_record(log::Log& log, const log::TopicPartition& partition,
                                                     log::Offset offset) {
  RecordReader reader(log, partition, offset, offset + 1, 1);
  TRY_ASSIGN(auto records, reader.read({}));
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

bool is_filler(const log::StoredRecord& record) {
  return record.key == kFillerKey && !record.value;
}

bool same_record(const log::StoredRecord& one, const log::StoredRecord& other) {
  return one.offset == other.offset && one.timestamp == other.timestamp && one.key == other.key &&
         one.value == other.value && one.headers == other.headers;
}

}  // namespace pinflow::migrate::internal
