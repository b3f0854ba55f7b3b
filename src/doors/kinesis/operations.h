#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "doors/kinesis/alarms.h"
#include "doors/kinesis/job_pool.h"
#include "doors/kinesis/protocol.h"
#include "doors/kinesis/shard_map.h"
#include "doors/kinesis/stream_book.h"
#include "doors/kinesis/subscriptions.h"
#include "doors/kinesis/throttle.h"
#include "log/log.h"

namespace pinflow::doors::kinesis {

struct KinesisOptions {
  std::int32_t shard_limit = 500;  // Open shards of all streams made through Kinesis.
  // How long a stream is CREATING, UPDATING, DELETING, as clients expect to see.
  std::chrono::milliseconds change_delay{500};
  bool enforce_limits = false;      // AWS's throughput of shards and rates of calls (throttle.h).
  std::size_t read_threads = 4;     // A slow disk holds up so many readers.
  std::size_t waiting_calls = 256;  // Of each kind (reads, changes); past it calls are answered 503.
  std::size_t subscriptions = 1'000;
};

// An input member that no client can send (it is not in the shape tables): the change is made, and durable, before the answer.
inline constexpr std::string_view kAtOnce = "pinflow.AtOnce";

// The operations of Kinesis over a log: a stream is a topic, a shard is the partition of its index, and what Kinesis knows beyond
// is in the topic's setting `pinflow.kinesis`. Records are put straight from the network loop; reads and changes of streams run on its
// own threads. A success of PutRecord(s) means what the log's does; that of a change, that the change is promised durably: it is
// made after `change_delay`, or at the next start.
//
// run() is called on network loops, one or more. `log` and `clock` must outlive it. It must outlive the server, with whose end the event
// sources go; answers in flight do not need it.
class KinesisOperations final : public Operations {
 public:
  KinesisOperations(log::Log& log, const Clock& clock, Random random, KinesisOptions options);
  ~KinesisOperations() override;

  void run(Call call, AnswerDone done) override;
  // Why a call's caller may not make it, or that there is no such operation; nothing if they may. GetRecords is left to who knows of which
  // stream its iterator is.
  static std::optional<Fault> refusal(const Call& call);
  // Makes the changes and ends the waits that are due, on the caller's thread; for tests whose clock stands still.
  void run_due() { alarms_.run_due(); }

 private:
  using Outcome = std::expected<Answer, Fault>;
  using StreamOutcome = std::expected<StreamPtr, Fault>;
  enum class Place { kLoop, kControl, kRead };
  enum class Needs { kNothing, kProduce, kConsume, kAdmin, kMetadata };
  // One operation: who may call it, how often a second on AWS, where it runs.
  struct Operation {
    std::string_view name;
    Needs needs = Needs::kNothing;
    std::int64_t per_second = 0;  // 0: no limit.
    Place place = Place::kLoop;
    Outcome (KinesisOperations::*answer)(const Call&) = nullptr;
    void (KinesisOperations::*start)(Call, AnswerDone) = nullptr;  // Instead, for what answers when it is done.
  };
  static std::span<const Operation> table();
  static const Operation* entry_of(std::string_view operation);  // Null: there is none.

  // ---- what operations share (operations.cc)
  static std::optional<Fault> check_right(const Call& call, Needs needs, const std::string& stream);
  std::optional<Fault> check_rate(const Call& call, const Operation& operation, const std::string& stream);
  static std::string stream_of(const Call& call);
  static std::string arn(const Call& call, std::string_view stream);
  StreamOutcome find(const Call& call);         // The stream that the call names.
  StreamOutcome find_active(const Call& call);  // kNotActive fault while it is CREATING, UPDATING or DELETING.
  Outcome changed(const Call& call, const StreamPtr& stream, const StreamBook::Change& change,
                  const std::vector<std::pair<std::string, std::string>>& settings = {});
  // Writes the promise of a change, and has it made when it is due (or at once).
  Outcome promise(
      const Call& call, const StreamPtr& stream, PendingChange pending,
      const StreamBook::Change& besides = [](StreamState&) {});
  void schedule(const std::string& stream, std::chrono::milliseconds delay);
  Result<void> make_pending(const std::string& stream);
  std::uint64_t next_nonce() { return nonce_.fetch_add(0x9e3779b97f4a7c15); }

  // ---- streams (stream_operations.cc)
  Outcome create_stream(const Call& call);
  Outcome delete_stream(const Call& call);
  Outcome describe_stream(const Call& call);
  Outcome describe_stream_summary(const Call& call);
  Outcome list_streams(const Call& call);
  Outcome change_retention(const Call& call);
  Outcome update_stream_mode(const Call& call);
  Outcome update_max_record_size(const Call& call);
  Outcome update_warm_throughput(const Call& call);
  Outcome change_encryption(const Call& call);
  Outcome change_monitoring(const Call& call);
  void write_description(Writer& out, const Call& call, const Stream& stream) const;

  // ---- the account (account_operations.cc)
  Outcome describe_limits(const Call& call);
  Outcome describe_account_settings(const Call& call);
  Outcome update_account_settings(const Call& call);
  std::int32_t own_open_shards();
  std::optional<Fault> check_quota(const Call& call, std::int32_t more);

  // ---- shards (shard_operations.cc)
  Outcome list_shards(const Call& call);
  Outcome split_shard_of(const Call& call);
  Outcome merge_shards_of(const Call& call);
  Outcome update_shard_count(const Call& call);
  std::expected<std::int32_t, Fault> changeable_shard(const Call& call, std::string_view member);

  // ---- records (record_operations.cc, read_operations.cc)
  void put_record(Call call, AnswerDone done);
  void put_records(Call call, AnswerDone done);
  void get_shard_iterator(Call call, AnswerDone done);
  Outcome make_shard_iterator(const Call& call);
  Outcome get_records(const Call& call);

  // ---- tags and policies (tag_operations.cc)
  Outcome add_tags(const Call& call);
  Outcome remove_tags(const Call& call);
  Outcome list_tags(const Call& call);
  Outcome tag_resource(const Call& call);
  Outcome untag_resource(const Call& call);
  Outcome list_tags_of_resource(const Call& call);
  Outcome put_policy(const Call& call);
  Outcome get_policy(const Call& call);
  Outcome delete_policy(const Call& call);

  // ---- consumers (consumer_operations.cc)
  Outcome register_consumer(const Call& call);
  Outcome deregister_consumer(const Call& call);
  Outcome describe_consumer(const Call& call);
  Outcome list_consumers(const Call& call);
  Outcome subscribe(const Call& call);

  log::Log& log_;
  const Clock& clock_;
  const KinesisOptions options_;
  StreamBook book_;
  Throttle throttle_;
  std::atomic<std::uint64_t> nonce_;
  std::atomic<bool> minimum_throughput_billing_{false};
  Alarms alarms_;  // Used by jobs, so it is there until they have ended; stopped before, since it gives them jobs.
  const std::shared_ptr<Subscriptions> subscriptions_;  // Shared with the event sources, which may end later.
  JobPool control_;                                     // One thread.
  JobPool readers_;
};

}  // namespace pinflow::doors::kinesis
