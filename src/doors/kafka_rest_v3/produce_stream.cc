#include "doors/kafka_rest_v3/produce_stream.h"

#include <deque>
#include <mutex>
#include <utility>

#include <fmt/core.h>

#include "doors/kafka_rest_v3/answers.h"
#include "doors/kafka_rest_v3/concatenated_json.h"
#include "doors/kafka_rest_v3/produce_record.h"

namespace pinflow::doors::kafka_rest_v3 {

namespace {

std::string to_utf8(std::string_view latin1) {
  std::string text;
  text.reserve(latin1.size() + latin1.size() / 8);
  for (const char c : latin1) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

// One request at work. Two sides: reading happens on the network loop alone; reports come from the log's threads too, and leave in order
// of their records. Shared by the stream of the answer, by what the log still owes, and by the request's body that is being read.
class Stream final : public std::enable_shared_from_this<Stream> {
 public:
  Stream(StreamParts parts, std::unique_ptr<http::BodyStream> body, http::Responder respond)
      : parts_(std::move(parts)), body_(std::move(body)), json_(parts_.limits.record), respond_(std::move(respond)) {}

  // Reads as long as there is room. On the loop.
  void read() {
    if (inside_) return;  // A piece came at once, within next(): the loop below goes on.
    inside_ = true;
    while (!reading_ && !ended_ && has_room()) {
      if (take_records()) continue;
      if (ended_) break;
      if (no_more_) {
        end_of_body();
        break;
      }
      reading_ = true;
      body_->next([self = shared_from_this()](http::BodyStream::Piece piece) { self->arrive(std::move(piece)); });
    }
    inside_ = false;
  }

  // The client is gone or has all. On the loop.
  void abandon() {
    {
      const std::scoped_lock lock(mutex_);
      take_ = nullptr;
    }
    ended_ = true;
    body_.reset();  // Maybe within its own take, which streams of bodies allow.
  }

  // Asks for reports. On the loop.
  void next(http::BodyStream::Take take) {
    {
      const std::scoped_lock lock(mutex_);
      take_ = std::move(take);
    }
    deliver();
    read();
  }

 private:
  // A record that was read, until its report leaves.
  struct Slot {
    std::size_t bytes = 0;
    ProduceRecord sent;               // Without key and value once they are with the log.
    std::optional<std::string> text;  // The report.
    bool repeated = false;
  };

  bool has_room() {
    const std::scoped_lock lock(mutex_);
    return slots_.size() < parts_.limits.records && waiting_bytes_ < parts_.limits.bytes;
  }

  void arrive(http::BodyStream::Piece piece) {
    const bool outer = std::exchange(inside_, true);
    reading_ = false;
    if (!piece) {
      fail_stream({400, 400, fmt::format("The request broke off: {}", piece.error().message)});
    } else if (*piece) {
      if (!ended_) json_.add(parts_.latin1 ? to_utf8(**piece) : **piece);
    } else {
      no_more_ = true;
    }
    inside_ = outer;
    read();
  }

  // Gives the records that are whole to the log, those that follow each other and may go together in one call. False: there was none.
  bool take_records() {
    std::vector<log::Record> records;
    std::optional<std::int32_t> partition;
    std::uint64_t first = 0;
    bool any = false;
    const auto store = [&] {
      if (!records.empty()) produce(first, partition, std::exchange(records, {}));
    };
    while (!ended_ && has_room()) {
      const auto text = json_.next();
      if (!text) {
        store();
        fail_stream(bad_json(text.error().message));
        return true;
      }
      if (text->empty()) break;
      any = true;
      auto parsed = parse_record(*text);
      if (!parsed && parsed.error().status == 400) {  // Not what the client means: what follows may not be either.
        store();
        fail_stream(std::move(parsed).error());
        return true;
      }
      if (parts_.key && read_ == parts_.limits.keyed_records) {
        store();
        fail_stream({422, 422,
                     fmt::format("a request with an Idempotency-Key may have {} records; send it in parts",
                                 parts_.limits.keyed_records)});
        return true;
      }
      if (!parsed) {
        add_slot(text->size(), {}, report(parsed.error()));
        store();
        continue;
      }
      if (parsed->partition && !has_partition(*parsed->partition)) {
        add_slot(text->size(), {}, report(no_partition()));
        store();
        continue;
      }
      if (!parsed->record.timestamp) parsed->record.timestamp = parts_.clock.now();
      if (parts_.key) {
        produce_once(*text, std::move(*parsed));
        continue;
      }
      if (!records.empty() && parsed->partition != partition) store();
      if (records.empty()) {
        first = read_;
        partition = parsed->partition;
      }
      records.push_back(take_record(*parsed));
      add_slot(text->size(), std::move(*parsed), std::nullopt);
    }
    store();
    if (any) deliver();
    return any;
  }

  // Topics may grow while a stream is open.
  bool has_partition(std::int32_t partition) {
    if (partition < partitions_) return true;
    if (const auto topic = parts_.log.topic(parts_.topic.name)) partitions_ = topic->partitions;
    return partition < partitions_;
  }

  // Leaves the time behind, for the report.
  static log::Record take_record(ProduceRecord& from) {
    log::Record record = std::move(from.record);
    from.record = {};
    from.record.timestamp = record.timestamp;
    return record;
  }

  void add_slot(std::size_t bytes, ProduceRecord sent, std::optional<std::string> text) {
    const std::scoped_lock lock(mutex_);
    slots_.push_back({bytes, std::move(sent), std::move(text), false});
    waiting_bytes_ += bytes;
    ++read_;
  }

  void produce(std::uint64_t first, std::optional<std::int32_t> partition, std::vector<log::Record> records) {
    access::spend_records(parts_.caller, records.size());
    parts_.log.produce(parts_.topic.name, partition ? log::PartitionId(*partition) : log::kAnyPartition,
                       std::move(records),
                       [self = shared_from_this(), first](std::vector<Result<log::Appended>> results) {
                         self->stored(first, results);
                       });
  }

  void produce_once(std::string_view text, ProduceRecord record) {
    access::spend_records(parts_.caller, 1);
    const auto mark = parts_.key->mark(parts_.topic, "v3", text, read_);
    const std::uint64_t first = read_;
    std::vector<log::Record> records;
    records.push_back(take_record(record));
    const std::vector<log::PartitionId> partitions(
        1, record.partition ? log::PartitionId(*record.partition) : log::kAnyPartition);
    add_slot(text.size(), std::move(record), std::nullopt);
    parts_.log.produce_once(parts_.topic.name, mark, std::move(records), partitions,
                            [self = shared_from_this(), first](std::vector<Result<log::Appended>> results) {
                              self->stored(first, results);
                            });
  }

  // From any thread.
  void stored(std::uint64_t first, const std::vector<Result<log::Appended>>& results) {
    {
      const std::scoped_lock lock(mutex_);
      for (std::size_t i = 0; i < results.size(); ++i) {
        Slot& slot = slots_[first + i - reported_];
        const auto& result = results[i];
        if (result && result->repeated) {
          slot.repeated = true;
          slot.sent.record.timestamp.reset();  // That of the first time is not known any more.
        }
        if (result) {
          slot.text = report(slot.sent, *result, parts_.cluster, parts_.topic.name);
        } else if (result.error().code == ErrorCode::kNotFound && slot.sent.partition) {
          slot.text = report(no_partition());
        } else {
          slot.text = report(refusal_of_record(result.error()));
        }
      }
    }
    deliver();
  }

  // A last report, behind those of all records before.
  void fail_stream(Refusal refusal) {
    if (ended_) return;
    ended_ = true;
    add_slot(0, {}, report(refusal));
    finish();
  }

  void end_of_body() {
    if (!json_.at_border()) return fail_stream(bad_json("it ends within a record"));
    ended_ = true;
    http::Responder respond;
    {
      const std::scoped_lock lock(mutex_);
      if (read_ == 0) respond = std::exchange(respond_, nullptr);
    }
    if (respond) return respond(answer(payload_error("Request body is empty. Data is required.")));
    finish();
  }

  void finish() {
    {
      const std::scoped_lock lock(mutex_);
      complete_ = true;
    }
    deliver();
  }

  // Sends the reports that are next in order, to whoever waits: the responder, for the first, or the stream of the answer.
  void deliver() {
    std::string text;
    http::Responder respond;
    http::BodyStream::Take take;
    bool repeated = false;
    bool is_end = false;
    {
      const std::scoped_lock lock(mutex_);
      if (!respond_ && !take_) return;
      if (!slots_.empty() && slots_.front().text) {
        if (respond_) {
          respond = std::exchange(respond_, nullptr);
          repeated = slots_.front().repeated;
        } else {
          take_reports(text);
          take = std::exchange(take_, nullptr);
        }
      } else if (slots_.empty() && complete_ && take_) {
        is_end = true;
        take = std::exchange(take_, nullptr);
      }
    }
    if (respond) begin_answer(std::move(respond), repeated);
    if (!take) return;
    if (is_end) {
      take(std::optional<std::string>());
    } else {
      take(std::optional<std::string>(std::move(text)));
    }
  }

  void take_reports(std::string& text) {
    while (!slots_.empty() && slots_.front().text) {
      text += *slots_.front().text;
      text += "\r\n";
      waiting_bytes_ -= slots_.front().bytes;
      slots_.pop_front();
      ++reported_;
    }
  }

  void begin_answer(http::Responder respond, bool repeated);

  const StreamParts parts_;

  // The loop's.
  std::unique_ptr<http::BodyStream> body_;
  ConcatenatedJson json_;
  std::int32_t partitions_ = parts_.topic.partitions;
  bool reading_ = false;  // A piece was asked for.
  bool inside_ = false;   // read() is at work.
  bool no_more_ = false;  // The body has ended.
  bool ended_ = false;    // Nothing more is taken from it.

  std::mutex mutex_;
  std::deque<Slot> slots_;
  std::uint64_t read_ = 0;      // Records so far, with those that were refused.
  std::uint64_t reported_ = 0;  // Of these, the ones that left slots_.
  std::size_t waiting_bytes_ = 0;
  bool complete_ = false;    // No slot comes any more.
  http::Responder respond_;  // Until the first report.
  http::BodyStream::Take take_;
};

// What the server asks for the answer's body.
class Reports final : public http::BodyStream {
 public:
  explicit Reports(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  ~Reports() override { stream_->abandon(); }
  void next(Take take) override { stream_->next(std::move(take)); }

 private:
  std::shared_ptr<Stream> stream_;
};

void Stream::begin_answer(http::Responder respond, bool repeated) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  if (repeated) response.headers.add(std::string(IdempotencyKey::kReplayedHeader), "true");
  response.body_stream = std::make_unique<Reports>(shared_from_this());
  respond(std::move(response));
}

}  // namespace

void produce_stream(StreamParts parts, std::unique_ptr<http::BodyStream> body, http::Responder respond) {
  std::make_shared<Stream>(std::move(parts), std::move(body), std::move(respond))->read();
}

}  // namespace pinflow::doors::kafka_rest_v3
