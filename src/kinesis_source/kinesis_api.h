#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/hash_key.h"
#include "aws/service_client.h"
#include "base/clock.h"
#include "base/result.h"

namespace pinflow::kinesis_source {

struct Shard {
  std::string id;
  std::vector<std::string> parents;  // Of a shard that came of a split (one) or a merge (two).
  std::string first = {};            // No record of it has a lower sequence number.
  bool open = true;                  // Takes records still.
  aws::HashKey first_hash = 0;       // Its part of the ring of keys.
  aws::HashKey last_hash = aws::kLastHashKey;
};

struct Record {
  std::string sequence;  // A decimal number of up to 128 bits.
  std::string key;
  std::string data;
  WallTime arrived;
};

struct GotRecords {
  std::vector<Record> records;
  std::optional<std::string> next;      // The iterator to go on with; none: the shard is closed and read to its end.
  std::chrono::milliseconds behind{0};  // How old the next record is, about.
};

// What a reader asks of Kinesis (https://docs.aws.amazon.com/kinesis/latest/APIReference). Calls block. Errors: kNotFound no such stream or shard;
// kOverloaded throttled, try later; kConflict the iterator expired, get another; kInvalid refused (also for credentials); kUnavailable no answer.
class KinesisApi {
 public:
  virtual ~KinesisApi() = default;
  virtual Result<std::vector<Shard>> list_shards(const std::string& stream) = 0;
  // At the record behind a sequence number, or at the oldest one that is there.
  virtual Result<std::string> iterator(const std::string& stream, const std::string& shard,
                                       const std::optional<std::string>& after) = 0;
  virtual Result<GotRecords> get_records(const std::string& iterator) = 0;
  // How long records are kept.
  virtual Result<std::chrono::hours> retention(const std::string& stream) = 0;
};

// Over a service that speaks Kinesis; `client` outlives it.
std::unique_ptr<KinesisApi> make_kinesis_api(aws::ServiceClient& client);

}  // namespace pinflow::kinesis_source
