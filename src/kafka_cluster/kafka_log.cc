#include "kafka_cluster/kafka_log.h"

#include <algorithm>
#include <cstdlib>

#include "aws/curl_http.h"
#include "base/check.h"
#include "disk/real_disk.h"
#include "kafka_cluster/internal/fetcher.h"
#include "kafka_cluster/internal/group_share.h"
#include "kafka_cluster/internal/keyless_turns.h"
#include "kafka_cluster/internal/request_window.h"
#include "kafka_cluster/internal/sender.h"
#include "kafka_cluster/internal/watcher.h"
#include "kafka_cluster/msk_iam.h"
#include "log/partitioner.h"
#include "log/topic_settings.h"

namespace pinflow::kafka_cluster {
namespace {

constexpr std::size_t kBatchRoom = 512;  // What a batch adds to its records, within max.message.bytes.

class KafkaLog final : public log::Log {
 public:
  KafkaLog(KafkaLogOptions options, const Clock& clock, Logger& logger)
      : options_(std::move(options)),
        cluster_{options_, clock, logger, health_},
        window_(options_, clock),
        keyless_(clock) {}
  Result<void> open();

  Result<log::Topic> create_topic(const log::TopicSpec& spec) override;
  Result<void> delete_topic(const std::string& name) override;
  Result<log::Topic> add_partitions(const std::string& topic, std::int32_t total) override;
  Result<log::Topic> alter_topic(const std::string& topic, TopicConfigs configs) override;
  Result<log::Offset> delete_records(const log::TopicPartition& partition, log::Offset before) override;
  Result<log::Topic> topic(const std::string& name) override { return topics_->topic(name); }
  std::vector<log::Topic> topics() override { return topics_->topics(); }
  void produce(const std::string& topic, log::PartitionId partition, std::vector<log::Record> records,
               log::ProduceDone done) override;
  void produce_once(const std::string& topic, log::RequestMark mark, std::vector<log::Record> records,
                    std::vector<log::PartitionId> partitions, log::ProduceDone done) override;
  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token stop) override {
    return fetcher_->fetch(request, std::move(stop));
  }
  Result<log::OffsetRange> offsets(const log::TopicPartition& partition) override;
  Result<std::optional<log::TimedOffset>> find_time(const log::TopicPartition& partition, WallTime time) override;
  std::unique_ptr<log::Watch> watch(std::span<const log::FetchPosition> positions,
                                    std::move_only_function<void()> ready) override {
    return watcher_->watch(positions, std::move(ready));
  }
  Result<void> commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets) override;
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string& group) override {
    return admin_->committed_offsets(group, topics_->topics());
  }
  Result<std::unique_ptr<log::Share>> join(const std::string& group, const std::vector<std::string>& topics) override;

 private:
  class Member;
  std::size_t most_bytes(const log::Topic& topic) const;
  void place(const log::Topic& topic, const std::vector<log::Record>& records,
             std::vector<log::PartitionId>& partitions);

  Result<void> use_msk_iam();

  KafkaLogOptions options_;                   // Fixed once it is open.
  std::unique_ptr<aws::HttpTransport> http_;  // These three: of msk_iam only.
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<aws::CredentialSource> credentials_;
  ClusterHealth health_;
  const Cluster cluster_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<TopicCache> topics_;
  RequestWindow window_;
  KeylessTurns keyless_;
  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<Sender> sender_;
  std::mutex members_mutex_;
  std::multimap<std::string, GroupShare*>
      members_;  // Of groups that this process is in; positions are committed through them.
};

// A share that takes itself from the list when it ends.
class KafkaLog::Member final : public log::Share {
 public:
  Member(KafkaLog& log, const std::string& group, std::unique_ptr<GroupShare> share)
      : log_(log), share_(std::move(share)) {
    const std::scoped_lock lock(log_.members_mutex_);
    at_ = log_.members_.emplace(group, share_.get());
  }
  ~Member() override {
    const std::scoped_lock lock(log_.members_mutex_);
    log_.members_.erase(at_);
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  log::Assignment assignment() const override { return share_->assignment(); }
  log::Assignment wait(std::uint64_t known, std::stop_token stop) override {
    return share_->wait(known, std::move(stop));
  }
  Result<void> subscribe(const std::vector<std::string>& topics) override { return share_->subscribe(topics); }
  void settled(std::uint64_t version) override { share_->settled(version); }

 private:
  KafkaLog& log_;
  std::unique_ptr<GroupShare> share_;
  std::multimap<std::string, GroupShare*>::iterator at_;
};

Result<void> KafkaLog::open() {
  TRY(check_properties(options_.properties));
  if (options_.msk_iam) TRY(use_msk_iam());
  TRY_ASSIGN(admin_, Admin::open(cluster_));
  TRY(admin_->reach());
  topics_ = std::make_unique<TopicCache>(*admin_, cluster_);
  TRY(topics_->refresh());
  fetcher_ = std::make_unique<Fetcher>(*admin_, *topics_, cluster_);
  watcher_ = std::make_unique<Watcher>(*topics_, cluster_);
  auto doubted = [this](const std::string& topic) { topics_->doubt_settings(topic); };
  TRY_ASSIGN(sender_, Sender::open(cluster_, std::move(doubted)));
  return {};
}

Result<void> KafkaLog::use_msk_iam() {
  if (options_.region.empty())
    return fail(ErrorCode::kInvalid, "AWS_MSK_IAM needs the region of the cluster, such as eu-west-1");
  http_ = aws::make_curl_http();
  disk_ = disk::make_real_disk();
  const auto environment = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  credentials_ = std::make_unique<aws::CredentialSource>(aws::CredentialOptions{}, environment, *http_, *disk_,
                                                         cluster_.clock, cluster_.logger);
  options_.token = msk_iam_tokens(*credentials_, options_.region, cluster_.clock);
  options_.properties.emplace_back("security.protocol", "SASL_SSL");
  options_.properties.emplace_back("sasl.mechanisms", "OAUTHBEARER");
  return {};
}

Result<log::Topic> KafkaLog::create_topic(const log::TopicSpec& spec) {
  TRY(admin_->create_topic(spec));
  return topics_->wait_for(spec.name, spec.partitions);
}

Result<void> KafkaLog::delete_topic(const std::string& name) {
  TRY(admin_->delete_topic(name));
  return topics_->wait_until_gone(name);
}

Result<log::Topic> KafkaLog::add_partitions(const std::string& topic, std::int32_t total) {
  TRY(admin_->add_partitions(topic, total));
  auto grown = topics_->wait_for(topic, total);
  sender_->learn(topic);
  return grown;
}

Result<log::Topic> KafkaLog::alter_topic(const std::string& topic, TopicConfigs configs) {
  TRY_ASSIGN(const log::Topic known, topics_->topic(topic));
  TRY(admin_->alter_topic(topic, configs));
  topics_->forget_settings(topic);
  return topics_->wait_for(topic, known.partitions);
}

Result<log::Offset> KafkaLog::delete_records(const log::TopicPartition& partition, log::Offset before) {
  TRY(topics_->check(partition));
  return admin_->delete_records(partition, before);
}

std::size_t KafkaLog::most_bytes(const log::Topic& topic) const {
  const bool is_own = log::find_setting(topic.configs, "max.message.bytes") != nullptr;
  const std::size_t ours = options_.max_record_size.count();
  std::size_t bytes = topics_->max_message_bytes(topic.name).value_or(ours);
  if (!is_own) bytes = std::min(bytes, ours);
  return bytes - std::min(bytes, kBatchRoom);
}

// By key; records without one of a call share a partition.
void KafkaLog::place(const log::Topic& topic, const std::vector<log::Record>& records,
                     std::vector<log::PartitionId>& partitions) {
  std::size_t keyless_bytes = 0;  // An empty record counts too.
  for (const log::Record& record : records) keyless_bytes += record.key ? 0 : payload_of(record) + 1;
  const auto keyless =
      keyless_bytes > 0 ? keyless_.place(topic.name, topic.partitions, keyless_bytes) : log::kAnyPartition;
  for (std::size_t i = 0; i < records.size(); ++i)
    partitions[i] = records[i].key ? log::partition_of_key(*records[i].key, topic.partitions) : keyless;
}

void KafkaLog::produce(const std::string& topic, log::PartitionId partition, std::vector<log::Record> records,
                       log::ProduceDone done) {
  const std::size_t count = records.size();
  if (count == 0) return done({});
  const auto known = topics_->topic(topic);
  auto good = known ? Result<void>() : Result<void>(fail(known.error()));
  if (good && partition != log::kAnyPartition) good = topics_->check({topic, partition});
  if (!good) return done(std::vector<Result<log::Appended>>(count, fail(good.error())));
  std::vector<log::PartitionId> partitions(count, partition);
  if (partition == log::kAnyPartition) place(*known, records, partitions);
  sender_->produce(topic, std::move(partitions), std::move(records), most_bytes(*known), std::move(done));
}

void KafkaLog::produce_once(const std::string& topic, log::RequestMark mark, std::vector<log::Record> records,
                            std::vector<log::PartitionId> partitions, log::ProduceDone done) {
  const std::size_t count = records.size();
  if (count == 0) return done({});
  CHECK(partitions.empty() || partitions.size() == count, "each record of a request has its partition");
  const auto known = topics_->topic(topic);
  if (!known) return done(std::vector<Result<log::Appended>>(count, fail(known.error())));
  const auto begun = window_.begin(mark, count, known->partitions);
  if (!begun) return done(std::vector<Result<log::Appended>>(count, fail(begun.error())));
  std::vector<Result<log::Appended>> results(count);
  std::vector<std::size_t> open;  // What is to be stored now.
  std::vector<log::Record> rest;
  std::vector<log::PartitionId> places;
  for (std::size_t i = 0; i < count; ++i) {
    log::PartitionId place = partitions.empty() ? log::kAnyPartition : partitions[i];
    if (place == log::kAnyPartition)
      place = records[i].key ? log::partition_of_key(*records[i].key, begun->placed_among)
                             : log::PartitionId(static_cast<std::int32_t>(
                                   mark.request % static_cast<std::uint64_t>(begun->placed_among)));
    if (begun->stored[i]) {
      results[i] = *begun->stored[i];
    } else if (place < log::PartitionId(0) || place.value() >= known->partitions) {
      results[i] = fail(ErrorCode::kNotFound, fmt::format("topic {} has no partition {}", topic, place));
    } else {
      open.push_back(i);
      rest.push_back(std::move(records[i]));
      places.push_back(place);
    }
  }
  auto end = [this, mark, results = std::move(results), open,
              done = std::move(done)](std::vector<Result<log::Appended>> stored) mutable {
    for (std::size_t i = 0; i < open.size(); ++i) results[open[i]] = std::move(stored[i]);
    window_.end(mark, results);
    done(std::move(results));
  };
  if (open.empty()) return end({});
  sender_->produce(topic, std::move(places), std::move(rest), most_bytes(*known), std::move(end));
}

Result<log::OffsetRange> KafkaLog::offsets(const log::TopicPartition& partition) {
  TRY(topics_->check(partition));
  return admin_->offsets(partition);
}

Result<std::optional<log::TimedOffset>> KafkaLog::find_time(const log::TopicPartition& partition, WallTime time) {
  TRY(topics_->check(partition));
  TRY_ASSIGN(const auto offset, admin_->find_time(partition, time));
  if (!offset) return std::nullopt;
  // The brokers tell the offset; its record knows its time.
  log::FetchRequest request;
  request.positions = {{partition, *offset}};
  request.max_records = 1;
  TRY_ASSIGN(const auto fetched, fetch(request, {}));
  if (fetched.empty() || fetched[0].records.empty()) return std::nullopt;
  return log::TimedOffset{fetched[0].records[0].offset, fetched[0].records[0].timestamp, -1};
}

Result<void> KafkaLog::commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets) {
  if (offsets.empty()) return {};
  {
    const std::scoped_lock lock(members_mutex_);
    if (const auto member = members_.find(group); member != members_.end()) return member->second->commit(offsets);
  }
  return admin_->commit_offsets(group, offsets);
}

Result<std::unique_ptr<log::Share>> KafkaLog::join(const std::string& group, const std::vector<std::string>& topics) {
  TRY_ASSIGN(auto share, GroupShare::join(group, topics, cluster_));
  return std::make_unique<Member>(*this, group, std::move(share));
}

}  // namespace

Result<std::unique_ptr<log::Log>> open_kafka_log(KafkaLogOptions options, const Clock& clock, Logger& logger) {
  auto log = std::make_unique<KafkaLog>(std::move(options), clock, logger);
  TRY(log->open());
  return log;
}

}  // namespace pinflow::kafka_cluster
