#pragma once

#include <string>
#include <vector>

#include "doors/streams/put_request.h"
#include "log/log.h"

namespace pinflow::doors::streams {

// The stream of an answer and the words that its errors need. A value, so that answers in flight outlive the door.
struct StreamContext {
  log::Topic stream;
  std::string account;
  WallTime arrived;  // The time that the records of the call carry.
};

Fault not_found(std::string_view stream, std::string_view account);
// What an error of the log about one shard means to a client of Kinesis.
Fault fault_of(const Error& error, const StreamContext& context, log::PartitionId shard);

// The answer to PutRecord.
http::Response put_record_answer(const StreamContext& context, log::PartitionId shard,
                                 const Result<log::Appended>& result);

// The answer to PutRecords, whose records went to `shards` and fared as `results`. At least one is stored: 200 with an entry for
// each, as Kinesis does. None is: the error of the gravest, never 200.
http::Response put_records_answer(const StreamContext& context, const std::vector<log::PartitionId>& shards,
                                  const std::vector<Result<log::Appended>>& results);

}  // namespace pinflow::doors::streams
