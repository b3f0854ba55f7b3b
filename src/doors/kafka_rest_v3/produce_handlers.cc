#include <algorithm>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "doors/denied.h"
#include "doors/idempotency.h"
#include "doors/json_cursor.h"
#include "doors/kafka_rest_v3/kafka_rest_v3_door.h"
#include "doors/kafka_rest_v3/produce_record.h"

namespace pinflow::doors::kafka_rest_v3 {

using access::may;
using access::Right;

namespace {

constexpr std::size_t kMostId = 80;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

// How the body's bytes are to be read, from its Content-Type.
struct BodyType {
  bool json = false;
  bool latin1 = false;
  std::string unknown_charset;
};

BodyType body_type(const http::Request& request) {
  const auto text = lower(request.headers.get("Content-Type").value_or("application/json"));
  BodyType type;
  const auto semicolon = std::min(text.find(';'), text.size());
  const auto name = text.substr(0, text.find_last_not_of(" \t", semicolon == 0 ? 0 : semicolon - 1) + 1);
  type.json = name == "application/json";
  const auto charset = text.find("charset=", semicolon);
  if (charset == std::string::npos) return type;
  auto value = text.substr(charset + 8, text.find_first_of("; \t", charset) - charset - 8);
  std::erase(value, '"');
  type.latin1 = value == "iso-8859-1";
  if (!type.latin1 && value != "utf-8" && value != "utf8" && value != "us-ascii") type.unknown_charset = value;
  return type;
}

bool good_id(std::string_view id) {
  return !id.empty() && id.size() <= kMostId && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

// One entry of a batch: a record, or why it is none.
struct Entry {
  std::string id;
  std::expected<ProduceRecord, Refusal> record;
};

Refusal envelope(std::string_view message) {
  return {422, 42208, std::string(message)};
}

// The texts of {"entries":[...]}.
std::expected<std::vector<std::string_view>, Refusal> entry_texts(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return std::unexpected(envelope("Request body is empty. Data is required."));
  JsonCursor cursor(body);
  std::vector<std::string_view> texts;
  const auto read = [&]() -> Result<void> {
    TRY(cursor.begin_object());
    for (;;) {
      TRY_ASSIGN(const auto name, cursor.next_member());
      if (!name) return cursor.end();
      if (*name != "entries")
        return fail(ErrorCode::kInvalid, fmt::format("Unrecognized field: {}", name->substr(0, 100)));
      TRY(cursor.begin_array());
      for (;;) {
        TRY_ASSIGN(const bool more, cursor.next_element());
        if (!more) break;
        TRY_ASSIGN(const auto text, cursor.value());
        texts.push_back(text);
      }
    }
  };
  if (auto good = read(); !good) return std::unexpected(bad_json(good.error().message));
  return texts;
}

// Nothing of a batch is stored whose envelope is wrong.
std::expected<std::vector<Entry>, Refusal> read_entries(std::string_view body, std::size_t most) {
  auto texts = entry_texts(body);
  if (!texts) return std::unexpected(std::move(texts).error());
  if (texts->empty()) return std::unexpected(envelope("Empty batch."));
  if (texts->size() > most) return std::unexpected(envelope("Too many entries in batch."));
  std::vector<Entry> entries;
  std::set<std::string> ids;
  for (const auto text : *texts) {
    std::string id;
    auto record = parse_entry(text, id);
    if (!record && record.error().status == 400) return std::unexpected(std::move(record).error());
    if (!good_id(id)) return std::unexpected(envelope("Batch entry identifier is not a valid string."));
    if (!ids.insert(id).second) return std::unexpected(envelope("Batch entry IDs are not distinct."));
    entries.push_back({std::move(id), std::move(record)});
  }
  return entries;
}

// A batch that is with the log: brings its results together. Shared by what the log owes for it.
class Batch {
 public:
  Batch(std::vector<Entry> entries, std::string cluster, std::string topic, http::Responder respond)
      : entries_(std::move(entries)),
        cluster_(std::move(cluster)),
        topic_(std::move(topic)),
        respond_(std::move(respond)) {}

  // Gives it to the log, with a mark in one call, else one for each partition that is named.
  static void store(const std::shared_ptr<Batch>& batch, log::Log& log, const std::optional<log::RequestMark>& mark);

 private:
  void arrive(const std::vector<std::size_t>& places, std::vector<Result<log::Appended>> results) {
    std::unique_lock lock(mutex_);
    for (std::size_t i = 0; i < places.size(); ++i) results_[places[i]] = std::move(results[i]);
    if (--open_ > 0) return;
    lock.unlock();
    answer_all();
  }

  void answer_all() {
    std::string successes;
    std::string failures;
    bool replayed = true;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      const bool stored = entry.record && results_[i];
      replayed = replayed && stored && results_[i]->repeated;
      if (stored && results_[i]->repeated) entry.record->record.timestamp.reset();
      auto& list = stored ? successes : failures;
      if (!list.empty()) list += ',';
      list += stored ? report(*entry.record, *results_[i], cluster_, topic_) : report(refusal(entry, i), entry.id);
    }
    auto response = json(207, fmt::format(R"({{"successes":[{}],"failures":[{}]}})", successes, failures));
    if (replayed) response.headers.add(std::string(IdempotencyKey::kReplayedHeader), "true");
    respond_(std::move(response));
  }

  Refusal refusal(const Entry& entry, std::size_t i) const {
    if (!entry.record) return entry.record.error();
    if (results_[i].error().code == ErrorCode::kNotFound && entry.record->partition) return no_partition();
    return refusal_of_record(results_[i].error());
  }

  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::vector<Result<log::Appended>> results_{entries_.size(), Result<log::Appended>(log::Appended{})};
  std::size_t open_ = 0;
  const std::string cluster_;
  const std::string topic_;
  http::Responder respond_;
};

void Batch::store(const std::shared_ptr<Batch>& batch, log::Log& log, const std::optional<log::RequestMark>& mark) {
  struct Call {
    log::PartitionId partition;
    std::vector<std::size_t> places;
    std::vector<log::Record> records;
  };
  std::vector<Call> calls;
  std::vector<log::PartitionId> partitions;
  for (std::size_t i = 0; i < batch->entries_.size(); ++i) {
    auto& entry = batch->entries_[i];
    if (!entry.record) continue;
    const auto partition = entry.record->partition ? log::PartitionId(*entry.record->partition) : log::kAnyPartition;
    auto call = mark ? calls.begin() : std::ranges::find(calls, partition, &Call::partition);
    if (call == calls.end()) call = calls.insert(calls.end(), Call{partition, {}, {}});
    partitions.push_back(partition);
    call->places.push_back(i);
    const auto timestamp = entry.record->record.timestamp;
    call->records.push_back(std::move(entry.record->record));
    entry.record->record = {};
    entry.record->record.timestamp = timestamp;
  }
  if (calls.empty()) return batch->answer_all();
  batch->open_ = calls.size();
  for (auto& call : calls) {
    auto done = [batch, places = std::move(call.places)](std::vector<Result<log::Appended>> results) {
      batch->arrive(places, std::move(results));
    };
    if (mark) {
      log.produce_once(batch->topic_, *mark, std::move(call.records), partitions, std::move(done));
    } else {
      log.produce(batch->topic_, call.partition, std::move(call.records), std::move(done));
    }
  }
}

}  // namespace

std::optional<log::Topic> KafkaRestV3Door::writable_topic(const http::Request& request, Respond& respond) {
  const auto& name = request.parameter("topic_name");
  const auto type = body_type(request);
  if (!type.json) {
    respond(answer(Refusal{415, 415, "HTTP 415 Unsupported Media Type"}));
  } else if (!type.unknown_charset.empty()) {
    respond(answer(
        Refusal{400, 400,
                fmt::format("Unsupported charset in Content-Type header. Supported: UTF-8, ISO-8859-1. Found: {}.",
                            type.unknown_charset)}));
  } else if (!may(request.caller, Right::kProduce, name)) {
    respond(denied(request.caller, Right::kProduce, name));
  } else if (auto topic = log_.topic(name)) {
    return std::move(*topic);
  } else {
    respond(answer(topic.error().code == ErrorCode::kNotFound ? no_topic(name) : refusal_of(topic.error())));
  }
  return std::nullopt;
}

void KafkaRestV3Door::produce(http::Request request, Respond respond) {
  const auto topic = writable_topic(request, respond);
  if (!topic) return;
  const auto key = IdempotencyKey::of(request);
  if (!key) return respond(answer(Refusal{400, 400, key.error().message}));
  StreamParts parts{log_, clock_, cluster_, *topic, *key, body_type(request).latin1, request.caller};
  parts.limits.record = options_.stream_record.count();
  produce_stream(std::move(parts), std::move(request.body_stream), std::move(respond));
}

void KafkaRestV3Door::produce_batch(http::Request request, Respond respond) {
  const auto topic = writable_topic(request, respond);
  if (!topic) return;
  const auto key = IdempotencyKey::of(request);
  if (!key) return respond(answer(Refusal{400, 400, key.error().message}));
  const auto mark = *key ? std::optional((*key)->mark(*topic, "v3 batch", request.body)) : std::nullopt;
  auto entries = read_entries(request.body, options_.batch_entries);
  if (!entries) return respond(answer(entries.error()));
  access::spend_records(request.caller, entries->size());
  const auto now = clock_.now();
  for (auto& entry : *entries) {
    if (!entry.record) continue;
    if (entry.record->partition && *entry.record->partition >= topic->partitions)
      entry.record = std::unexpected(no_partition());
    else if (!entry.record->record.timestamp)
      entry.record->record.timestamp = now;
  }
  const auto batch = std::make_shared<Batch>(std::move(*entries), cluster_, topic->name, std::move(respond));
  Batch::store(batch, log_, mark);
}

}  // namespace pinflow::doors::kafka_rest_v3
