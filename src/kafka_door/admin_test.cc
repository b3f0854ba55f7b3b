#include <algorithm>

#include <gmock/gmock.h>

#include "kafka_door/door_fixture.h"
#include "kafka_wire/messages/configs.h"
#include "kafka_wire/messages/topics.h"

namespace pinflow::kafka_door {
namespace {

using kafka_wire::ConfigOperation;
using kafka_wire::ConfigResourceType;
using kafka_wire::ConfigSource;
using kafka_wire::CreatePartitionsRequest;
using kafka_wire::CreateTopicsRequest;
using kafka_wire::DeleteRecordsRequest;
using kafka_wire::DeleteTopicsRequest;
using kafka_wire::DescribeConfigsRequest;
using kafka_wire::IncrementalAlterConfigsRequest;
using kafka_wire::KafkaError;

class KafkaDoorAdmin : public DoorFixture {
 protected:
  KafkaDoorAdmin() {
    open();
    client_.emplace(port());
  }
  KafkaError make(CreateTopicsRequest::Topic topic, bool validate_only = false, std::int16_t version = 7) {
    CreateTopicsRequest request;
    request.topics.push_back(std::move(topic));
    request.validate_only = validate_only;
    return client_->call(request, version).topics.at(0).error_code;
  }
  DescribeConfigsRequest::Response::Resource describe(ConfigResourceType type, const std::string& name,
                                                      std::int16_t version = 4) {
    DescribeConfigsRequest request;
    request.resources.push_back({type, name, std::nullopt});
    request.include_synonyms = true;
    request.include_documentation = true;
    return client_->call(request, version).resources.at(0);
  }
  KafkaError alter(std::vector<IncrementalAlterConfigsRequest::Config> changes, bool validate_only = false) {
    IncrementalAlterConfigsRequest request;
    request.resources.push_back({ConfigResourceType::kTopic, "t", std::move(changes)});
    request.validate_only = validate_only;
    return client_->call(request, 1).resources.at(0).error_code;
  }
  std::string setting(const std::string& name) {
    for (const auto& config : describe(ConfigResourceType::kTopic, "t").configs) {
      if (config.name == name) return config.value.value_or("null");
    }
    return "missing";
  }

  std::optional<TestClient> client_;
};

TEST_F(KafkaDoorAdmin, MakesTopicsInEveryVersion) {
  for (std::int16_t version = 0; version <= 7; ++version) {
    CreateTopicsRequest request;
    const std::string name = "t" + std::to_string(version);
    request.topics.push_back({name, 3, 1, {}, {{"retention.ms", "1000"}}});
    const auto answer = client_->call(request, version).topics.at(0);
    EXPECT_EQ(answer.error_code, KafkaError::kNone) << answer.error_message.value_or("");
    const auto made = log_->topic(name);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->partitions, 3);
    if (version >= 7) EXPECT_EQ(answer.topic_id, made->id);
    if (version < 5) continue;
    EXPECT_EQ(answer.num_partitions, 3);
    const auto config = std::ranges::find(*answer.configs, "retention.ms", [](const auto& c) { return c.name; });
    ASSERT_NE(config, answer.configs->end());
    EXPECT_EQ(config->value, "1000");
    EXPECT_EQ(config->config_source, ConfigSource::kDynamicTopicConfig);
  }
}

TEST_F(KafkaDoorAdmin, RefusesTopicsWithKafkasErrors) {
  EXPECT_EQ(make({"t", 1, 1, {}, {}}), KafkaError::kNone);
  EXPECT_EQ(make({"t", 1, 1, {}, {}}), KafkaError::kTopicAlreadyExists);
  EXPECT_EQ(make({"no name", 1, 1, {}, {}}), KafkaError::kInvalidTopicException);
  EXPECT_EQ(make({"u", 0, 1, {}, {}}), KafkaError::kInvalidPartitions);
  EXPECT_EQ(make({"u", 1, 3, {}, {}}), KafkaError::kInvalidReplicationFactor);
  EXPECT_EQ(make({"u", -1, -1, {{0, {1}}, {2, {1}}}, {}}), KafkaError::kInvalidReplicaAssignment);
  EXPECT_EQ(make({"u", -1, -1, {{0, {7}}}, {}}), KafkaError::kInvalidReplicaAssignment);
  EXPECT_EQ(make({"u", 1, 1, {{0, {1}}}, {}}), KafkaError::kInvalidRequest);
  EXPECT_EQ(make({"u", 1, 1, {}, {{"no.such.setting", "1"}}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(make({"u", 1, 1, {}, {{"retention.ms", "soon"}}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(make({"u", 1, 1, {}, {{"retention.ms", std::nullopt}}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(make({"u", 5, 1, {}, {}}, true), KafkaError::kNone);
  EXPECT_FALSE(log_->topic("u")) << "only asked";
  EXPECT_EQ(make({"u", -1, -1, {{1, {1}}, {0, {1}}}, {}}), KafkaError::kNone);
  EXPECT_EQ(log_->topic("u")->partitions, 2);
  EXPECT_EQ(make({"v", -1, -1, {}, {}}), KafkaError::kNone);
}

TEST_F(KafkaDoorAdmin, DeletesTopicsByNameAndById) {
  create("a");
  create("b");
  const Uuid id = log_->topic("b")->id;
  DeleteTopicsRequest by_name;
  by_name.topic_names = {"a", "missing"};
  const auto answer = client_->call(by_name, 1);
  EXPECT_EQ(answer.topics.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(answer.topics.at(1).error_code, KafkaError::kUnknownTopicOrPartition);
  DeleteTopicsRequest by_id;
  by_id.topics = {{std::nullopt, id}, {std::nullopt, Uuid{{9}}}};
  const auto second = client_->call(by_id, 6);
  EXPECT_EQ(second.topics.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(second.topics.at(0).name, "b");
  EXPECT_EQ(second.topics.at(1).error_code, KafkaError::kUnknownTopicId);
  EXPECT_TRUE(log_->topics().empty());
}

TEST_F(KafkaDoorAdmin, AddsPartitions) {
  create("t", 2);
  const auto grow = [&](std::int32_t count, bool validate_only) {
    CreatePartitionsRequest request;
    request.topics.push_back({"t", count, std::nullopt});
    request.validate_only = validate_only;
    return client_->call(request, 3).topics.at(0).error_code;
  };
  EXPECT_EQ(grow(2, false), KafkaError::kInvalidPartitions);
  EXPECT_EQ(grow(1, false), KafkaError::kInvalidPartitions);
  EXPECT_EQ(grow(4, true), KafkaError::kNone);
  EXPECT_EQ(log_->topic("t")->partitions, 2);
  EXPECT_EQ(grow(4, false), KafkaError::kNone);
  EXPECT_EQ(log_->topic("t")->partitions, 4);
}

TEST_F(KafkaDoorAdmin, DescribesSettingsWithTheirSources) {
  ASSERT_EQ(make({"t", 1, 1, {}, {{"cleanup.policy", "compact"}}}), KafkaError::kNone);
  for (std::int16_t version = 0; version <= 4; ++version) {
    const auto answer = describe(ConfigResourceType::kTopic, "t", version);
    EXPECT_EQ(answer.error_code, KafkaError::kNone);
    const auto policy = std::ranges::find(answer.configs, "cleanup.policy", [](const auto& c) { return c.name; });
    ASSERT_NE(policy, answer.configs.end());
    EXPECT_EQ(policy->value, "compact");
    if (version == 0) {
      EXPECT_FALSE(policy->is_default);
      continue;
    }
    EXPECT_EQ(policy->config_source, ConfigSource::kDynamicTopicConfig);
    EXPECT_EQ(policy->synonyms.size(), 2u);
    EXPECT_EQ(policy->synonyms.at(1).name, "log.cleanup.policy");
    if (version >= 3) EXPECT_FALSE(policy->documentation.value_or("").empty());
  }
  EXPECT_EQ(describe(ConfigResourceType::kTopic, "missing").error_code, KafkaError::kUnknownTopicOrPartition);
  EXPECT_GT(describe(ConfigResourceType::kBroker, "1").configs.size(), 20u);
  EXPECT_EQ(describe(ConfigResourceType::kBroker, "2").error_code, KafkaError::kInvalidRequest);
  DescribeConfigsRequest request;
  request.resources.push_back({ConfigResourceType::kTopic, "t", std::vector<std::string>{"segment.bytes"}});
  EXPECT_EQ(client_->call(request, 1).resources.at(0).configs.size(), 1u);
}

TEST_F(KafkaDoorAdmin, ChangesSettingsOneByOne) {
  ASSERT_EQ(make({"t", 1, 1, {}, {{"retention.ms", "1000"}}}), KafkaError::kNone);
  EXPECT_EQ(alter({{"cleanup.policy", ConfigOperation::kAppend, "compact"}}), KafkaError::kNone);
  EXPECT_EQ(setting("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter({{"cleanup.policy", ConfigOperation::kSubtract, "delete"},
                   {"segment.bytes", ConfigOperation::kSet, "1048576"}}),
            KafkaError::kNone);
  EXPECT_EQ(setting("cleanup.policy"), "compact");
  EXPECT_EQ(setting("segment.bytes"), "1048576");
  EXPECT_EQ(setting("retention.ms"), "1000");
  EXPECT_EQ(alter({{"retention.ms", ConfigOperation::kDelete, std::nullopt}}), KafkaError::kNone);
  EXPECT_NE(setting("retention.ms"), "1000");
  EXPECT_EQ(alter({{"segment.bytes", ConfigOperation::kSet, "2097152"}}, true), KafkaError::kNone);
  EXPECT_EQ(setting("segment.bytes"), "1048576") << "only asked";
  EXPECT_EQ(alter({{"segment.bytes", ConfigOperation::kSet, "many"}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(alter({{"segment.bytes", ConfigOperation::kAppend, "1"}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(alter({{"no.such", ConfigOperation::kSet, "1"}}), KafkaError::kInvalidConfig);
  EXPECT_EQ(alter({{"segment.bytes", ConfigOperation::kSet, "1048576"},
                   {"segment.bytes", ConfigOperation::kDelete, std::nullopt}}),
            KafkaError::kInvalidRequest);
}

TEST_F(KafkaDoorAdmin, ReplacesAllSettings) {
  ASSERT_EQ(make({"t", 1, 1, {}, {{"retention.ms", "1000"}}}), KafkaError::kNone);
  kafka_wire::AlterConfigsRequest request;
  request.resources.push_back({ConfigResourceType::kTopic, "t", {{"segment.bytes", "1048576"}}});
  EXPECT_EQ(client_->call(request, 2).resources.at(0).error_code, KafkaError::kNone);
  EXPECT_EQ(setting("segment.bytes"), "1048576");
  EXPECT_NE(setting("retention.ms"), "1000");
  request.resources[0].resource_type = ConfigResourceType::kBroker;
  request.resources[0].resource_name = "1";
  EXPECT_EQ(client_->call(request, 2).resources.at(0).error_code, KafkaError::kInvalidRequest);
}

TEST_F(KafkaDoorAdmin, TrimsPartitions) {
  create("t");
  for (int i = 0; i < 5; ++i) write("t", "x");
  const auto trim = [&](std::int64_t offset) {
    DeleteRecordsRequest request;
    request.topics.push_back({"t", {{0, offset}}});
    const auto answer = client_->call(request, 2).topics.at(0).partitions.at(0);
    return std::pair(answer.error_code, answer.low_watermark);
  };
  EXPECT_EQ(trim(2), std::pair(KafkaError::kNone, std::int64_t{2}));
  EXPECT_EQ(trim(1), std::pair(KafkaError::kNone, std::int64_t{2}));
  EXPECT_EQ(trim(6).first, KafkaError::kOffsetOutOfRange);
  EXPECT_EQ(trim(-1), std::pair(KafkaError::kNone, std::int64_t{5}));
  EXPECT_EQ(log_->offsets({"t", log::PartitionId(0)})->begin, log::Offset(5));
}

TEST_F(KafkaDoorAdmin, DescribesTheCluster) {
  const auto answer = client_->call(kafka_wire::DescribeClusterRequest{}, 1);
  EXPECT_EQ(answer.cluster_id, "AAAAAAAAAAAAAAAAAAAAAA");
  ASSERT_EQ(answer.brokers.size(), 1u);
  EXPECT_EQ(answer.brokers[0].host, "127.0.0.1");
  EXPECT_EQ(answer.controller_id, answer.brokers[0].broker_id);
}

}  // namespace
}  // namespace pinflow::kafka_door
