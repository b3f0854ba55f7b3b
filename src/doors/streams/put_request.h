#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace pinflow::doors::streams {

// An error in the form of Kinesis behind an API gateway: {"__type": type, "message": message} and x-amzn-ErrorType. Without a type
// it is the gateway's own: {"message": message}.
struct Fault {
  int status = 400;
  std::string type;
  std::string message;
};
http::Response answer(const Fault& fault);

// Collects what is wrong with a request in the words of Kinesis; at most ten clauses are told.
class Validation {
 public:
  void require(bool good, std::string_view path, std::string_view constraint, std::string_view shown_value);
  void require_present(bool present, std::string_view path);
  // 1 to 128 of [a-zA-Z0-9_.-].
  void require_stream_name(std::string_view name);
  bool passed() const { return clauses_.empty(); }
  Fault fault() const;

 private:
  std::vector<std::string> clauses_;
};

struct PutEntry {
  std::string data;
  std::string partition_key;
};

// Reads the body of PUT /streams/{name}/record: {"StreamName","Data","PartitionKey"}. Data is kept as the exact bytes of its JSON value, a
// string with its quotes. StreamName is ignored: the path names the stream. A partition key that is a number or boolean is taken by its text.
std::expected<PutEntry, Fault> parse_put_record(std::string_view stream, std::string_view body);

// Reads the body of PUT /streams/{name}/records: {"records":[{"data","partition-key"}]}, also with Data, PartitionKey, partitionKey and
// Records. A data string is kept as its raw characters without quotes, anything else as the exact bytes of its JSON.
std::expected<std::vector<PutEntry>, Fault> parse_put_records(std::string_view stream, std::string_view body);

// Reads the body of POST /streams/{name}: {"ShardCount": n}; empty, {} or null is the gateway's default of 5.
std::expected<std::int32_t, Fault> parse_create_stream(std::string_view stream, std::string_view body);

}  // namespace pinflow::doors::streams
