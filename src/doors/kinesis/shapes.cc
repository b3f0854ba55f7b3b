#include "doors/kinesis/shapes.h"

#include <algorithm>

namespace pinflow::doors::kinesis {

namespace {

// Facts of AWS's public model of Kinesis, version 2013-12-02, members in its order. Two departures, both as AWS answers: a stream may be
// named by its ARN instead of its name, so that the name is required where there is no ARN; StreamId is taken and ignored.

constexpr std::int64_t kNoMax = std::numeric_limits<std::int64_t>::max();

constexpr Shape text(std::int64_t min, std::int64_t max, Pattern pattern = Pattern::kNone) {
  return {.type = Type::kString, .pattern = pattern, .min = min, .max = max};
}
constexpr Shape pattern(Pattern pattern) {
  return {.type = Type::kString, .pattern = pattern};
}
constexpr Shape integer(std::int64_t min, std::int64_t max = kNoMax) {
  return {.type = Type::kInteger, .min = min, .max = max};
}
constexpr Shape one_of(std::span<const std::string_view> values) {
  return {.type = Type::kString, .values = values};
}
constexpr Shape structure(std::span<const Member> members, std::string_view printed = "") {
  return {.type = Type::kStructure, .members = members, .printed = printed};
}

constexpr Shape kString{.type = Type::kString};
constexpr Shape kBoolean{.type = Type::kBoolean};
constexpr Shape kTimestamp{.type = Type::kTimestamp};
constexpr Shape kAnyInteger{.type = Type::kInteger};
constexpr Shape kName = text(1, 128, Pattern::kName);  // Of streams, shards and consumers.
constexpr Shape kStreamArn = text(1, 2048, Pattern::kStreamArn);
constexpr Shape kConsumerArn = text(1, 2048, Pattern::kConsumerArn);
constexpr Shape kResourceArn = text(1, 2048, Pattern::kResourceArn);
constexpr Shape kSequenceNumber = pattern(Pattern::kSequenceNumber);
constexpr Shape kHashKey = pattern(Pattern::kHashKey);
constexpr Shape kPartitionKey = text(1, 256);
constexpr Shape kToken = text(1, 1'048'576);
constexpr Shape kKeyId = text(1, 2048);
constexpr Shape kLimit = integer(1, 10'000);
constexpr Shape kTagLimit = integer(1, 50);
constexpr Shape kPositive = integer(1);
constexpr Shape kNatural = integer(0);
constexpr Shape kRecordSize = integer(1024, 10'240);
constexpr Shape kIterator = text(1, 512);
constexpr Shape kData{.type = Type::kBlob, .min = 0, .max = 10'485'760, .usual_max = 1'048'576};

constexpr Shape kTagKey = text(1, 128);
constexpr Shape kTagValue = text(0, 256);
constexpr Shape kTags{.type = Type::kMap, .min = 1, .max = 200, .key = &kTagKey, .element = &kTagValue};
constexpr Shape kTagKeys{.type = Type::kList, .min = 1, .max = 50, .element = &kTagKey};

constexpr std::string_view kIteratorTypes[] = {"AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER",
                                               "TRIM_HORIZON"};
constexpr std::string_view kFilterTypes[] = {"AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON",
                                             "AT_LATEST",      "AT_TIMESTAMP",    "FROM_TIMESTAMP"};
constexpr std::string_view kModes[] = {"PROVISIONED", "ON_DEMAND"};
constexpr std::string_view kEncryptionTypes[] = {"NONE", "KMS"};
constexpr std::string_view kScalingTypes[] = {"UNIFORM_SCALING"};
constexpr std::string_view kSwitches[] = {"ENABLED", "DISABLED"};
constexpr std::string_view kMetrics[] = {"IncomingBytes",
                                         "IncomingRecords",
                                         "OutgoingBytes",
                                         "OutgoingRecords",
                                         "WriteProvisionedThroughputExceeded",
                                         "ReadProvisionedThroughputExceeded",
                                         "IteratorAgeMilliseconds",
                                         "ALL"};
constexpr Shape kIteratorType = one_of(kIteratorTypes);
constexpr Shape kFilterType = one_of(kFilterTypes);
constexpr Shape kMode = one_of(kModes);
constexpr Shape kEncryptionType = one_of(kEncryptionTypes);
constexpr Shape kScalingType = one_of(kScalingTypes);
constexpr Shape kSwitch = one_of(kSwitches);
constexpr Shape kMetric = one_of(kMetrics);
constexpr Shape kMetricList{.type = Type::kList, .min = 1, .max = 7, .element = &kMetric};

constexpr Member kModeMembers[] = {{"StreamMode", &kMode, Need::kRequired}};
constexpr Shape kModeDetails = structure(kModeMembers);
constexpr Member kFilterMembers[] = {
    {"Type", &kFilterType, Need::kRequired}, {"ShardId", &kName}, {"Timestamp", &kTimestamp}};
constexpr Shape kShardFilter = structure(kFilterMembers);
constexpr Member kPositionMembers[] = {
    {"Type", &kIteratorType, Need::kRequired}, {"SequenceNumber", &kSequenceNumber}, {"Timestamp", &kTimestamp}};
constexpr Shape kPosition = structure(kPositionMembers);
constexpr Member kCommitmentMembers[] = {{"Status", &kSwitch, Need::kRequired}};
constexpr Shape kCommitment = structure(kCommitmentMembers);
constexpr Member kEntryMembers[] = {{"PartitionKey", &kPartitionKey, Need::kRequired},
                                    {"ExplicitHashKey", &kHashKey},
                                    {"Data", &kData, Need::kRequired}};
constexpr Shape kEntry = structure(kEntryMembers, "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310");
constexpr Shape kEntries{.type = Type::kList, .min = 1, .max = 500, .element = &kEntry};

constexpr Member kStreamName{"StreamName", &kName, Need::kRequiredWithoutArn};
constexpr Member kArn{"StreamARN", &kStreamArn};
constexpr Member kArnRequired{"StreamARN", &kStreamArn, Need::kRequired};
constexpr Member kId{"StreamId", &kString};
constexpr Member kResource{"ResourceARN", &kResourceArn, Need::kRequired};
constexpr Member kDryRun{"DryRun", &kBoolean};

constexpr Member kAddTagsToStream[] = {{"Tags", &kTags, Need::kRequired}, kStreamName, kArn, kId};
constexpr Member kCreateStream[] = {{"StreamName", &kName, Need::kRequired}, {"ShardCount", &kPositive},
                                    {"StreamModeDetails", &kModeDetails},    {"Tags", &kTags},
                                    {"WarmThroughputMiBps", &kNatural},      {"MaxRecordSizeInKiB", &kRecordSize}};
constexpr Member kRetentionPeriod[] = {{"RetentionPeriodHours", &kAnyInteger, Need::kRequired}, kStreamName, kArn, kId};
constexpr Member kResourceOnly[] = {kResource, kId};
constexpr Member kDeleteStream[] = {kStreamName, {"EnforceConsumerDeletion", &kBoolean}, kArn, kId};
constexpr Member kOneConsumer[] = {kArn, {"ConsumerName", &kName}, {"ConsumerARN", &kConsumerArn}, kId};
constexpr Member kDescribeStream[] = {{"Limit", &kLimit}, {"ExclusiveStartShardId", &kName}, kStreamName, kArn, kId};
constexpr Member kStreamOnly[] = {kStreamName, kArn, kId};
constexpr Member kMonitoring[] = {{"ShardLevelMetrics", &kMetricList, Need::kRequired}, kStreamName, kArn, kId};
constexpr Member kGetRecords[] = {
    {"Limit", &kLimit}, {"ShardIterator", &kIterator, Need::kRequired}, kArn, kId, kDryRun};
constexpr Member kGetShardIterator[] = {{"ShardId", &kName, Need::kRequired},
                                        {"ShardIteratorType", &kIteratorType, Need::kRequired},
                                        {"StartingSequenceNumber", &kSequenceNumber},
                                        {"Timestamp", &kTimestamp},
                                        kStreamName,
                                        kArn,
                                        kId,
                                        kDryRun};
constexpr Member kListShards[] = {{"MaxResults", &kLimit},
                                  {"ExclusiveStartShardId", &kName},
                                  {"StreamName", &kName},
                                  {"NextToken", &kToken},
                                  {"StreamCreationTimestamp", &kTimestamp},
                                  {"ShardFilter", &kShardFilter},
                                  kArn,
                                  kId};
constexpr Member kListStreamConsumers[] = {
    kArnRequired, {"NextToken", &kToken}, {"MaxResults", &kLimit}, {"StreamCreationTimestamp", &kTimestamp}, kId};
constexpr Member kListStreams[] = {{"Limit", &kLimit}, {"ExclusiveStartStreamName", &kName}, {"NextToken", &kToken}};
constexpr Member kListTagsForStream[] = {
    {"Limit", &kTagLimit}, {"ExclusiveStartTagKey", &kTagKey}, kStreamName, kArn, kId};
constexpr Member kMergeShards[] = {{"ShardToMerge", &kName, Need::kRequired},
                                   {"AdjacentShardToMerge", &kName, Need::kRequired},
                                   kStreamName,
                                   kArn,
                                   kId};
constexpr Member kPutRecord[] = {{"SequenceNumberForOrdering", &kSequenceNumber},
                                 {"PartitionKey", &kPartitionKey, Need::kRequired},
                                 {"ExplicitHashKey", &kHashKey},
                                 {"Data", &kData, Need::kRequired},
                                 kStreamName,
                                 kArn,
                                 kId,
                                 kDryRun};
constexpr Member kPutRecords[] = {{"Records", &kEntries, Need::kRequired}, kStreamName, kArn, kId, kDryRun};
constexpr Member kPutResourcePolicy[] = {kResource, {"Policy", &kString, Need::kRequired}, kId};
constexpr Member kRegisterStreamConsumer[] = {
    kArnRequired, {"ConsumerName", &kName, Need::kRequired}, {"Tags", &kTags}, kId};
constexpr Member kRemoveTagsFromStream[] = {{"TagKeys", &kTagKeys, Need::kRequired}, kStreamName, kArn, kId};
constexpr Member kSplitShard[] = {{"ShardToSplit", &kName, Need::kRequired},
                                  {"NewStartingHashKey", &kHashKey, Need::kRequired},
                                  kStreamName,
                                  kArn,
                                  kId};
constexpr Member kStreamEncryption[] = {
    {"EncryptionType", &kEncryptionType, Need::kRequired}, {"KeyId", &kKeyId, Need::kRequired}, kStreamName, kArn, kId};
constexpr Member kSubscribeToShard[] = {{"ConsumerARN", &kConsumerArn, Need::kRequired},
                                        {"ShardId", &kName, Need::kRequired},
                                        {"StartingPosition", &kPosition, Need::kRequired},
                                        kId,
                                        kDryRun};
constexpr Member kTagResource[] = {{"Tags", &kTags, Need::kRequired}, kResource, kId};
constexpr Member kUntagResource[] = {{"TagKeys", &kTagKeys, Need::kRequired}, kResource, kId};
constexpr Member kUpdateAccountSettings[] = {{"MinimumThroughputBillingCommitment", &kCommitment, Need::kRequired}};
constexpr Member kUpdateMaxRecordSize[] = {{"MaxRecordSizeInKiB", &kRecordSize, Need::kRequired}, kArn, kId};
constexpr Member kUpdateShardCount[] = {{"TargetShardCount", &kPositive, Need::kRequired},
                                        {"ScalingType", &kScalingType, Need::kRequired},
                                        kStreamName,
                                        kArn,
                                        kId};
constexpr Member kUpdateStreamMode[] = {
    kArnRequired, {"StreamModeDetails", &kModeDetails, Need::kRequired}, {"WarmThroughputMiBps", &kNatural}, kId};
constexpr Member kUpdateWarmThroughput[] = {
    {"WarmThroughputMiBps", &kNatural, Need::kRequired}, kStreamName, kArn, kId};

constexpr Operation kOperations[] = {
    {"AddTagsToStream", structure(kAddTagsToStream)},
    {"CreateStream", structure(kCreateStream)},
    {"DecreaseStreamRetentionPeriod", structure(kRetentionPeriod)},
    {"DeleteResourcePolicy", structure(kResourceOnly)},
    {"DeleteStream", structure(kDeleteStream)},
    {"DeregisterStreamConsumer", structure(kOneConsumer)},
    {"DescribeAccountSettings", structure({})},
    {"DescribeLimits", structure({})},
    {"DescribeStream", structure(kDescribeStream)},
    {"DescribeStreamConsumer", structure(kOneConsumer)},
    {"DescribeStreamSummary", structure(kStreamOnly)},
    {"DisableEnhancedMonitoring", structure(kMonitoring)},
    {"EnableEnhancedMonitoring", structure(kMonitoring)},
    {"GetRecords", structure(kGetRecords)},
    {"GetResourcePolicy", structure(kResourceOnly)},
    {"GetShardIterator", structure(kGetShardIterator)},
    {"IncreaseStreamRetentionPeriod", structure(kRetentionPeriod)},
    {"ListShards", structure(kListShards)},
    {"ListStreamConsumers", structure(kListStreamConsumers)},
    {"ListStreams", structure(kListStreams)},
    {"ListTagsForResource", structure(kResourceOnly)},
    {"ListTagsForStream", structure(kListTagsForStream)},
    {"MergeShards", structure(kMergeShards)},
    {"PutRecord", structure(kPutRecord)},
    {"PutRecords", structure(kPutRecords)},
    {"PutResourcePolicy", structure(kPutResourcePolicy)},
    {"RegisterStreamConsumer", structure(kRegisterStreamConsumer)},
    {"RemoveTagsFromStream", structure(kRemoveTagsFromStream)},
    {"SplitShard", structure(kSplitShard)},
    {"StartStreamEncryption", structure(kStreamEncryption)},
    {"StopStreamEncryption", structure(kStreamEncryption)},
    {"SubscribeToShard", structure(kSubscribeToShard)},
    {"TagResource", structure(kTagResource)},
    {"UntagResource", structure(kUntagResource)},
    {"UpdateAccountSettings", structure(kUpdateAccountSettings)},
    {"UpdateMaxRecordSize", structure(kUpdateMaxRecordSize)},
    {"UpdateShardCount", structure(kUpdateShardCount)},
    {"UpdateStreamMode", structure(kUpdateStreamMode)},
    {"UpdateStreamWarmThroughput", structure(kUpdateWarmThroughput)},
};
static_assert(std::ranges::is_sorted(kOperations, {}, &Operation::name));

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

const Operation* find_operation(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kOperations, name, {}, &Operation::name);
  return found != std::end(kOperations) && found->name == name ? found : nullptr;
}

}  // namespace pinflow::doors::kinesis
