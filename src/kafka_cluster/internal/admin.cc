#include "kafka_cluster/internal/admin.h"

#include <algorithm>
#include <charconv>

#include "log/topic_settings.h"

namespace pinflow::kafka_cluster {
namespace {

using MetadataHandle = std::unique_ptr<const struct rd_kafka_metadata, DestroyBy<rd_kafka_metadata_destroy>>;
using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, DestroyBy<rd_kafka_NewTopic_destroy>>;
using DeleteTopicHandle = std::unique_ptr<rd_kafka_DeleteTopic_t, DestroyBy<rd_kafka_DeleteTopic_destroy>>;
using NewPartitionsHandle = std::unique_ptr<rd_kafka_NewPartitions_t, DestroyBy<rd_kafka_NewPartitions_destroy>>;
using ResourceHandle = std::unique_ptr<rd_kafka_ConfigResource_t, DestroyBy<rd_kafka_ConfigResource_destroy>>;
using DeleteRecordsHandle = std::unique_ptr<rd_kafka_DeleteRecords_t, DestroyBy<rd_kafka_DeleteRecords_destroy>>;
using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, DestroyBy<rd_kafka_AdminOptions_destroy>>;

constexpr int kKnownMs = 50;  // For what the last answer of the brokers has told already.

PartitionListHandle one_partition(const log::TopicPartition& partition, std::int64_t offset) {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition.value())->offset = offset;
  return list;
}

std::string name_of(const log::TopicPartition& partition) {
  return fmt::format("partition {} of topic {}", partition.partition, partition.topic);
}

Result<void> check_configs(const TopicConfigs& configs) {
  for (const auto& [name, value] : configs) {
    if (log::is_own_setting(name))
      return fail(
          ErrorCode::kInvalid,
          fmt::format("the setting {} is a note that only the embedded log keeps; a Kafka cluster has no place for it",
                      name));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::open(const Cluster& cluster) {
  std::unique_ptr<Admin> admin(new Admin(cluster));
  TRY_ASSIGN(admin->client_, Client::open(RD_KAFKA_CONSUMER, {{"isolation.level", "read_committed"}}, {}, cluster));
  admin->client_->serve();
  return admin;
}

Error Admin::failed(rd_kafka_resp_err_t error, std::string_view context, const char* reason) const {
  return cluster_.health.explain(error_of(error, context, reason));
}

Result<void> Admin::reach() {
  constexpr int kAttemptMs = 1'000;
  const SteadyTime deadline = cluster_.clock.steady_now() + cluster_.options.call_timeout;
  for (;;) {
    const struct rd_kafka_metadata* raw = nullptr;
    const auto error = rd_kafka_metadata(client_->handle(), 0, nullptr, &raw, kAttemptMs);
    const MetadataHandle metadata(raw);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (cluster_.health.refused()) {
      if (const auto refusal = cluster_.health.error()) return fail(*refusal);
    }
    if (cluster_.clock.steady_now() >= deadline) return fail(failed(error, "asking the Kafka cluster for its topics"));
  }
}

Result<std::vector<TopicShape>> Admin::list_topics() {
  const struct rd_kafka_metadata* raw = nullptr;
  const auto error = rd_kafka_metadata(client_->handle(), 1, nullptr, &raw, timeout_ms());
  const MetadataHandle metadata(raw);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(failed(error, "asking the Kafka cluster for its topics"));
  cluster_.health.succeeded();
  std::vector<TopicShape> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    const std::string_view name(topic.topic);
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR && topic.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) continue;
    if (name.starts_with("__")) continue;
    TopicShape& shape = topics.emplace_back(std::string(name), topic.partition_cnt);
    for (int p = 0; p < topic.partition_cnt; ++p) shape.has_leaders &= topic.partitions[p].leader >= 0;
  }
  std::ranges::sort(topics, {}, &TopicShape::name);
  return topics;
}

std::string Admin::cluster_id() {
  char* const id = rd_kafka_clusterid(client_->handle(), kKnownMs);
  if (id == nullptr) return {};
  std::string text(id);
  rd_kafka_mem_free(client_->handle(), id);
  return text;
}

Result<EventHandle> Admin::call(rd_kafka_admin_op_t operation, std::string_view context, const Submit& submit) {
  const QueueHandle answers(rd_kafka_queue_new(client_->handle()));
  const OptionsHandle options(rd_kafka_AdminOptions_new(client_->handle(), operation));
  char text[256] = {};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms(), text, sizeof text);
  if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_DELETETOPICS ||
      operation == RD_KAFKA_ADMIN_OP_CREATEPARTITIONS || operation == RD_KAFKA_ADMIN_OP_DELETERECORDS)
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), timeout_ms(), text, sizeof text);
  submit(options.get(), answers.get());
  // The client's own timeout answers; a second more means that it is stuck.
  EventHandle event(rd_kafka_queue_poll(answers.get(), timeout_ms() + 1'000));
  if (event == nullptr) return fail(failed(RD_KAFKA_RESP_ERR__TIMED_OUT, context));
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(failed(error, context, rd_kafka_event_error_string(event.get())));
  return event;
}

namespace {

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// Of calls that answer for each topic.
Result<void> first_error(const rd_kafka_topic_result_t** topics, std::size_t count, std::string_view context) {
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto error = rd_kafka_topic_result_error(topics[i]); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(error_of(error, context, rd_kafka_topic_result_error_string(topics[i])));
  }
  return {};
}

}  // namespace

Result<void> Admin::create_topic(const log::TopicSpec& spec) {
  TRY(check_configs(spec.configs));
  char text[512] = {};
  const NewTopicHandle topic(
      rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, cluster_.options.replication, text, sizeof text));
  const std::string context = fmt::format("making topic {}", spec.name);
  if (topic == nullptr) return fail(ErrorCode::kInvalid, fmt::format("{}: {}", context, text));
  for (const auto& [name, value] : spec.configs) {
    if (const auto error = rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
        error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(error_of(error, fmt::format("{}: setting {}", context, name)));
  }
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  TRY_ASSIGN(const EventHandle event, call(RD_KAFKA_ADMIN_OP_CREATETOPICS, context, [&](auto* options, auto* answers) {
               rd_kafka_CreateTopics(client_->handle(), topics, 1, options, answers);
             }));
  std::size_t count = 0;
  const auto** const results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  return first_error(results, count, context);
}

Result<void> Admin::delete_topic(const std::string& name) {
  const std::string context = fmt::format("deleting topic {}", name);
  const DeleteTopicHandle topic(rd_kafka_DeleteTopic_new(name.c_str()));
  rd_kafka_DeleteTopic_t* topics[] = {topic.get()};
  TRY_ASSIGN(const EventHandle event, call(RD_KAFKA_ADMIN_OP_DELETETOPICS, context, [&](auto* options, auto* answers) {
               rd_kafka_DeleteTopics(client_->handle(), topics, 1, options, answers);
             }));
  std::size_t count = 0;
  const auto** const results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  return first_error(results, count, context);
}

Result<void> Admin::add_partitions(const std::string& topic, std::int32_t total) {
  const std::string context = fmt::format("adding partitions to topic {}", topic);
  char text[512] = {};
  const NewPartitionsHandle partitions(
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(std::max(total, 0)), text, sizeof text));
  if (partitions == nullptr) return fail(ErrorCode::kInvalid, fmt::format("{}: {}", context, text));
  rd_kafka_NewPartitions_t* all[] = {partitions.get()};
  TRY_ASSIGN(const EventHandle event,
             call(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, context, [&](auto* options, auto* answers) {
               rd_kafka_CreatePartitions(client_->handle(), all, 1, options, answers);
             }));
  std::size_t count = 0;
  const auto** const results =
      rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event.get()), &count);
  return first_error(results, count, context);
}

Result<void> Admin::alter_topic(const std::string& topic, const TopicConfigs& configs) {
  TRY(check_configs(configs));
  const std::string context = fmt::format("setting topic {}", topic);
  const ResourceHandle resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  for (const auto& [name, value] : configs) {
    if (const auto error = rd_kafka_ConfigResource_set_config(resource.get(), name.c_str(), value.c_str());
        error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(error_of(error, fmt::format("{}: {}", context, name)));
  }
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  TRY_ASSIGN(const EventHandle event, call(RD_KAFKA_ADMIN_OP_ALTERCONFIGS, context, [&](auto* options, auto* answers) {
               rd_kafka_AlterConfigs(client_->handle(), resources, 1, options, answers);
             }));
  std::size_t count = 0;
  const auto** const results =
      rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto error = rd_kafka_ConfigResource_error(results[i]); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(error_of(error, context, rd_kafka_ConfigResource_error_string(results[i])));
  }
  return {};
}

Result<std::vector<std::optional<TopicSettings>>> Admin::topic_settings(const std::vector<std::string>& topics) {
  std::vector<std::optional<TopicSettings>> all(topics.size());
  if (topics.empty()) return all;
  std::vector<ResourceHandle> owned;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const std::string& topic : topics)
    resources.push_back(owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())).get());
  TRY_ASSIGN(
      const EventHandle event,
      call(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "asking for the settings of topics", [&](auto* options, auto* answers) {
        rd_kafka_DescribeConfigs(client_->handle(), resources.data(), resources.size(), options, answers);
      }));
  std::size_t count = 0;
  const auto** const results =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_ConfigResource_error(results[i]);
    const auto at = std::ranges::find(topics, std::string_view(rd_kafka_ConfigResource_name(results[i])));
    if (at == topics.end() || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    TopicSettings& settings = all[static_cast<std::size_t>(at - topics.begin())].emplace();
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    std::size_t entries = 0;
    const auto** const list = rd_kafka_ConfigResource_configs(results[i], &entries);
    for (std::size_t e = 0; e < entries; ++e) {
      const char* const value = rd_kafka_ConfigEntry_value(list[e]);
      if (value == nullptr) continue;
      const std::string_view name(rd_kafka_ConfigEntry_name(list[e]));
      if (rd_kafka_ConfigEntry_source(list[e]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG)
        settings.own.emplace_back(name, value);
      if (name == "max.message.bytes") settings.max_message_bytes = number_of(value);
    }
    std::ranges::sort(settings.own);
  }
  return all;
}

Result<log::Offset> Admin::delete_records(const log::TopicPartition& partition, log::Offset before) {
  const std::string context = fmt::format("deleting records of {}", name_of(partition));
  const PartitionListHandle list = one_partition(partition, before.value());
  const DeleteRecordsHandle records(rd_kafka_DeleteRecords_new(list.get()));
  rd_kafka_DeleteRecords_t* all[] = {records.get()};
  TRY_ASSIGN(const EventHandle event, call(RD_KAFKA_ADMIN_OP_DELETERECORDS, context, [&](auto* options, auto* answers) {
               rd_kafka_DeleteRecords(client_->handle(), all, 1, options, answers);
             }));
  const auto* const results = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  if (results->cnt != 1) return fail(ErrorCode::kUnavailable, fmt::format("{}: no answer for it", context));
  if (results->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(error_of(results->elems[0].err, context));
  return log::Offset(results->elems[0].offset);
}

Result<log::OffsetRange> Admin::offsets(const log::TopicPartition& partition) {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  const auto error = rd_kafka_query_watermark_offsets(client_->handle(), partition.topic.c_str(),
                                                      partition.partition.value(), &begin, &end, timeout_ms());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(failed(error, fmt::format("asking for the offsets of {}", name_of(partition))));
  return log::OffsetRange{log::Offset(begin), log::Offset(end)};
}

Result<std::optional<log::Offset>> Admin::find_time(const log::TopicPartition& partition, WallTime time) {
  const PartitionListHandle list = one_partition(partition, std::max<std::int64_t>(0, time.time_since_epoch().count()));
  auto error = rd_kafka_offsets_for_times(client_->handle(), list.get(), timeout_ms());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = list->elems[0].err;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(failed(error, fmt::format("looking for a time in {}", name_of(partition))));
  if (list->elems[0].offset < 0) return std::nullopt;
  return log::Offset(list->elems[0].offset);
}

}  // namespace pinflow::kafka_cluster
