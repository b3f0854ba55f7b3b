#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "access/caller.h"
#include "base/clock.h"
#include "base/result.h"

// What the protocol layer (requests in, answers out, JSON or CBOR) and the operations of Kinesis share. Names of operations, members, errors
// and enums are those of AWS's API model of version 2013-12-02.
namespace pinflow::doors::kinesis {

enum class Encoding { kJson, kCbor };

// An error as clients of Kinesis read it: {"__type": type, "message": message}.
struct Fault {
  std::string type = "InternalFailure";  // "ResourceNotFoundException".
  std::string message;
  int status = 400;  // 500 for InternalFailure, 503 for ServiceUnavailable.
};

// The input of a call, decoded and checked against the operation's shape: what is there has the type of its shape (blobs are
// bytes, times are times, whole numbers are in range) and satisfies its constraints. Absent and null are the same.
class Value {
 public:
  using List = std::vector<Value>;
  using Structure =
      std::vector<std::pair<std::string_view, Value>>;     // Names are those of the shape tables: they live for ever.
  using Map = std::vector<std::pair<std::string, Value>>;  // Keys that the client chose (tags).

  Value() = default;
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Value>)
  explicit Value(T&& value) : value_(std::forward<T>(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  // Each checks (CHECK) that the value is of the kind.
  bool boolean() const { return std::get<bool>(value_); }
  std::int64_t integer() const { return std::get<std::int64_t>(value_); }
  const std::string& text() const { return std::get<std::string>(value_); }  // Also the bytes of a blob.
  std::string take_text() && { return std::get<std::string>(std::move(value_)); }
  WallTime time() const { return std::get<WallTime>(value_); }
  const List& list() const { return std::get<List>(value_); }
  List take_list() && { return std::get<List>(std::move(value_)); }
  const Map& map() const { return std::get<Map>(value_); }

  // Of a structure; a member that is absent is the null value.
  const Value& operator[](std::string_view member) const;
  Value take(std::string_view member);  // Leaves null behind.
  // The text of a member, nothing if it is absent.
  std::optional<std::string_view> text_of(std::string_view member) const;
  std::optional<std::int64_t> integer_of(std::string_view member) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::string, WallTime, List, Structure, Map> value_;
};

// Writes an answer in the encoding that its client speaks, straight into the body. Owned by one thread.
class Writer {
 public:
  explicit Writer(Encoding encoding) : encoding_(encoding) {}
  Writer& begin_structure();
  Writer& end_structure();
  Writer& member(std::string_view name);
  Writer& begin_list();
  Writer& end_list();
  Writer& text(std::string_view value);
  Writer& integer(std::int64_t value);
  Writer& decimal(double value);
  Writer& boolean(bool value);
  Writer& blob(std::string_view bytes);  // JSON: base64. CBOR: a byte string.
  Writer& time(
      WallTime value);  // JSON: seconds with three decimals, never in exponent form. CBOR: tag 1, whole milliseconds.
  Encoding encoding() const { return encoding_; }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  std::string take() && { return std::move(out_); }

 private:
  void separate();
  Encoding encoding_;
  bool first_ = true;  // JSON: nothing was written yet in the innermost structure or list.
  std::string out_;
};

// One event of SubscribeToShard. Pulled by the protocol layer, which frames it.
class EventSource {
 public:
  // An event (the JSON of a SubscribeToShardEvent), a fault that ends the stream, or nothing at its end.
  using Event = std::expected<std::optional<std::string>, Fault>;
  virtual ~EventSource() = default;  // The client left, or the end was told.
  // As http::BodyStream::next: called on the network loop, one at a time; `take` from any thread.
  virtual void next(std::move_only_function<void(Event)> take) = 0;
};

// What an operation answers: a body (none where the operation has no output), or a stream of events.
struct Answer {
  std::string body;
  std::unique_ptr<EventSource> events;
};
using AnswerDone = std::move_only_function<void(std::expected<Answer, Fault>)>;  // Called once, from any thread.

// A call whose input passed all checks of its shape, and whose signature was accepted.
struct Call {
  std::string_view operation;  // "PutRecords": the name in the shape tables, which lives for ever.
  Value input;
  Encoding encoding = Encoding::kJson;  // Of the answer.
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::shared_ptr<const access::Caller> caller;
};

// Does what calls ask. Called on the network loop: must not block.
class Operations {
 public:
  virtual ~Operations() = default;
  virtual void run(Call call, AnswerDone done) = 0;
};

}  // namespace pinflow::doors::kinesis
