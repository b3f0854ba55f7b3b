#include <map>
#include <mutex>

#include <fmt/format.h>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/operations.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::size_t kMostCallBytes = 10 << 20;
constexpr std::size_t kEntrySize = 120;  // Of an answer's entry, about.

Fault bad_hash_key(std::string_view text) {
  return invalid_argument(fmt::format(
      "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {}", text));
}

Fault too_large(std::string_view path, std::size_t bytes, std::int32_t max_kib) {
  return validation(
      fmt::format("1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]' at '{1}' failed "
                  "to satisfy constraint: Member must have length less than or equal to {2}",
                  bytes, path, std::int64_t{max_kib} * 1024));
}

// What the answers to records that are on their way need; a value, so that they outlive the operations.
struct Putting {
  StreamPtr stream;
  WriteTicket ticket;  // Until the log has answered.
  WallTime arrived;
  std::string account;
  Encoding encoding;
  AnswerDone done;
};

void write_encryption(Writer& out, const Stream& stream) {
  if (!stream.state().key_id.empty()) out.member("EncryptionType").text("KMS");
}

void write_place(Writer& out, const Putting& putting, const log::Appended& place) {
  const std::int32_t shard = place.partition.value();
  out.member("SequenceNumber").text(putting.stream->record_number(shard, place.offset, putting.arrived).view());
  out.member("ShardId").text(shard_id(shard));
}

// The error of one record: of a full log the shard's rate, as clients know how to wait for it.
Fault fault_of_record(const Error& error, std::int32_t shard, const Putting& putting) {
  if (error.code == ErrorCode::kOverloaded) return rate_exceeded(shard, putting.stream->name(), putting.account);
  return fault_of(error, putting.stream->name(), putting.account);
}

int gravity(const Fault& fault) {
  return fault.status == 500 ? 2 : fault.status == 503 ? 1 : 0;
}

// Brings the results of one produce per shard together, in the order of the call. Shared by the `done` of each, which the log
// calls on threads of its own.
class PutGathering {
 public:
  struct Entry {
    std::int32_t shard = 0;
    bool throttled = false;
    std::optional<Result<log::Appended>> result{};
  };
  PutGathering(Putting putting, std::vector<Entry> entries, std::size_t produces)
      : putting_(std::move(putting)), entries_(std::move(entries)), open_(produces) {}

  void arrive(const std::vector<std::uint32_t>& places, std::vector<Result<log::Appended>> results) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < places.size(); ++i) entries_[places[i]].result = std::move(results[i]);
    if (--open_ > 0) return;
    lock.unlock();
    answer();
  }
  void answer() {
    putting_.ticket.reset();
    putting_.done(outcome());
  }

 private:
  std::expected<Answer, Fault> outcome() {
    std::size_t failed = 0;
    std::size_t throttled = 0;
    std::optional<Fault> worst;
    for (const Entry& entry : entries_) {
      throttled += entry.throttled ? 1 : 0;
      if (entry.throttled || !*entry.result) ++failed;
      if (entry.throttled || *entry.result) continue;
      Fault fault = fault_of_record(entry.result->error(), entry.shard, putting_);
      if (!worst || gravity(fault) > gravity(*worst)) worst = std::move(fault);
    }
    // Nothing is stored, and not for want of throughput that the client was promised: the call failed.
    if (failed == entries_.size() && throttled == 0) return std::unexpected(std::move(*worst));
    Writer out(putting_.encoding);
    out.reserve(entries_.size() * kEntrySize + 80);
    out.begin_structure().member("FailedRecordCount").integer(static_cast<std::int64_t>(failed));
    write_encryption(out, *putting_.stream);
    out.member("Records").begin_list();
    for (const Entry& entry : entries_) write_entry(out, entry);
    out.end_list().end_structure();
    return Answer{std::move(out).take(), nullptr};
  }

  void write_entry(Writer& out, const Entry& entry) {
    out.begin_structure();
    if (!entry.throttled && *entry.result) {
      write_place(out, putting_, **entry.result);
    } else {
      const bool slow = entry.throttled || entry.result->error().code == ErrorCode::kOverloaded;
      // Kinesis has no third code; what no repeat can mend says so in words.
      const bool never = !slow && entry.result->error().code == ErrorCode::kInvalid;
      const Fault fault =
          slow ? rate_exceeded(entry.shard, putting_.stream->name(), putting_.account)
               : Fault{"InternalFailure", never ? entry.result->error().message : "Internal Service Failure", 500};
      out.member("ErrorCode").text(fault.type).member("ErrorMessage").text(fault.message);
    }
    out.end_structure();
  }

  std::mutex mutex_;
  Putting putting_;
  std::vector<Entry> entries_;
  std::size_t open_;
};

std::expected<HashKey, Fault> key_of(const Value& record) {
  static thread_local KeyHasher hasher;  // Calls come from several network loops.
  const auto explicit_key = record.text_of("ExplicitHashKey");
  if (!explicit_key) return hasher(record.text_of("PartitionKey").value_or(std::string_view()));
  const auto key = parse_hash_key(*explicit_key);
  if (!key) return std::unexpected(bad_hash_key(*explicit_key));
  return *key;
}

log::Record to_record(Value& entry, WallTime arrived) {
  return {entry.take("PartitionKey").take_text(), entry.take("Data").take_text(), {}, arrived};
}

std::size_t size_of(const Value& entry) {
  return entry["Data"].text().size() + entry["PartitionKey"].text().size();
}

}  // namespace

void KinesisOperations::put_record(Call call, AnswerDone done) {
  const std::string name = stream_of(call);
  auto found = book_.find_for_write(name);
  if (!found) return done(std::unexpected(fault_of(found.error(), name, call.account)));
  auto& [stream, ticket] = *found;
  if (!stream->has_shards()) return done(std::unexpected(stream_not_found(name, call.account)));
  const auto key = key_of(call.input);
  if (!key) return done(std::unexpected(key.error()));
  const WallTime now = clock_.now();
  if (const auto text = call.input.text_of("SequenceNumberForOrdering")) {
    const auto number = parse_sequence_number(*text);
    if (!number || number->arrived > now)
      return done(std::unexpected(invalid_argument(
          fmt::format("ExclusiveMinimumSequenceNumber {} used in PutRecord on stream {} under account {} is invalid.",
                      *text, name, call.account))));
  }
  const std::size_t bytes = size_of(call.input);
  const std::int32_t max_kib = stream->state().max_record_kib;
  if (bytes > static_cast<std::size_t>(max_kib) * 1024)
    return done(std::unexpected(too_large("data", call.input["Data"].text().size(), max_kib)));
  const std::int32_t shard = stream->shard_of(*key);
  if (options_.enforce_limits && !throttle_.write({stream->id(), shard}, bytes))
    return done(std::unexpected(rate_exceeded(shard, name, call.account)));
  std::vector<log::Record> records;
  records.push_back(to_record(call.input, now));
  Putting putting{std::move(stream), std::move(ticket), now, std::move(call.account), call.encoding, std::move(done)};
  log_.produce(name, log::PartitionId(shard), std::move(records),
               [putting = std::move(putting), shard](const std::vector<Result<log::Appended>>& results) mutable {
                 putting.ticket.reset();
                 if (const auto& result = results.front(); !result)
                   return putting.done(std::unexpected(fault_of_record(result.error(), shard, putting)));
                 Writer out(putting.encoding);
                 out.reserve(kEntrySize + 40);
                 out.begin_structure();
                 write_place(out, putting, *results.front());
                 write_encryption(out, *putting.stream);
                 out.end_structure();
                 putting.done(Answer{std::move(out).take(), nullptr});
               });
}

void KinesisOperations::put_records(Call call, AnswerDone done) {
  const std::string name = stream_of(call);
  auto found = book_.find_for_write(name);
  if (!found) return done(std::unexpected(fault_of(found.error(), name, call.account)));
  auto& [stream, ticket] = *found;
  if (!stream->has_shards()) return done(std::unexpected(stream_not_found(name, call.account)));
  Value input = std::move(call.input).take("Records");
  Value::List list = std::move(input).take_list();
  const WallTime now = clock_.now();
  std::vector<PutGathering::Entry> entries(list.size());
  std::size_t all_bytes = 0;
  // Nothing is stored before all are looked at.
  const std::int32_t max_kib = stream->state().max_record_kib;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto key = key_of(list[i]);
    if (!key) return done(std::unexpected(key.error()));
    entries[i].shard = stream->shard_of(*key);
    const std::size_t bytes = size_of(list[i]);
    all_bytes += bytes;
    if (bytes > static_cast<std::size_t>(max_kib) * 1024)
      return done(std::unexpected(
          too_large(fmt::format("records.{}.member.data", i + 1), list[i]["Data"].text().size(), max_kib)));
  }
  if (all_bytes > kMostCallBytes) return done(std::unexpected(invalid_argument("Records size exceeds 10 MB limit")));
  struct Part {
    std::vector<std::uint32_t> places;
    std::vector<log::Record> records;
  };
  std::map<std::int32_t, Part> parts;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::int32_t shard = entries[i].shard;
    if (options_.enforce_limits && !throttle_.write({stream->id(), shard}, size_of(list[i]))) {
      entries[i].throttled = true;
      continue;
    }
    Part& part = parts[shard];
    part.places.push_back(static_cast<std::uint32_t>(i));
    part.records.push_back(to_record(list[i], now));
  }
  // Shared: one `done` for each shard.
  const auto gathering = std::make_shared<PutGathering>(
      Putting{std::move(stream), std::move(ticket), now, std::move(call.account), call.encoding, std::move(done)},
      std::move(entries), parts.size());
  if (parts.empty()) return gathering->answer();
  for (auto& [shard, part] : parts) {
    log_.produce(name, log::PartitionId(shard), std::move(part.records),
                 [gathering, places = std::move(part.places)](std::vector<Result<log::Appended>> results) {
                   gathering->arrive(places, std::move(results));
                 });
  }
}

}  // namespace pinflow::doors::kinesis
