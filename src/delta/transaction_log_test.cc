#include "delta/internal/transaction_log.h"

#include <gtest/gtest.h>

#include "delta/internal/schema.h"
#include "delta/internal/statistics.h"
#include "delta/internal/table_state.h"

namespace pinflow::delta::internal {
namespace {

TEST(DeltaLogNames, AreTwentyDigits) {
  EXPECT_EQ(commit_name(Version(7)), "_delta_log/00000000000000000007.json");
  EXPECT_EQ(checkpoint_name(Version(100)), "_delta_log/00000000000000000100.checkpoint.parquet");
}

TEST(DeltaLogNames, AreReadStrictly) {
  const auto commit = parse_log_name("00000000000000000007.json");
  ASSERT_TRUE(commit);
  EXPECT_EQ(commit->kind, LogName::Kind::kCommit);
  EXPECT_EQ(commit->version, Version(7));
  EXPECT_EQ(parse_log_name("00000000000000000010.checkpoint.parquet")->kind, LogName::Kind::kCheckpoint);
  const auto part = parse_log_name("00000000000000000010.checkpoint.0000000002.0000000003.parquet");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->kind, LogName::Kind::kCheckpointPart);
  EXPECT_EQ(part->part, 2);
  EXPECT_EQ(part->parts, 3);
  EXPECT_EQ(parse_log_name("00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json")->kind,
            LogName::Kind::kCheckpointV2);
  for (const char* other : {"_last_checkpoint", "00000000000000000007.crc", "7.json", "00000000000000000007.json.tmp",
                            "0000000000000000000x.json", "-0000000000000000007.json", "",
                            "00000000000000000001.00000000000000000009.compacted.json",
                            ".00000000000000000007.json.crc", "00000000000000000007.checkpoint."}) {
    EXPECT_FALSE(parse_log_name(other)) << other;
  }
}

TEST(DeltaLog, ReadsWhatItWrites) {
  DataFile file;
  file.path = "part-1.parquet";
  file.size = 10;
  file.rows = 3;
  file.modified = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  file.statistics = R"({"numRecords":3,"minValues":{"said":"a\"b"},"maxValues":{},"nullCount":{}})";
  Metadata metadata;
  metadata.id = "ee1b6f8d-7a4b-4e36-8b5c-1f2e3d4c5b6a";
  metadata.name = "t";
  metadata.description = "ż \"quoted\"";
  metadata.schema = format_schema({{"ind", "long"}}).value();
  metadata.configuration = {{"delta.appendOnly", "true"}};
  metadata.created_ms = 5;
  CommitInfo info;
  info.operation = "WRITE";
  info.transaction_id = "mine";
  info.parameters = {{"mode", "Append"}};
  const Commit commit{
      info, Protocol{}, metadata, Txn{"app", 42, 7}, Remove{"old.parquet", 9, true, 8}, Add{.file = file}};
  const std::string bytes = format_commit(commit);
  const Commit read = parse_commit(bytes).value();
  EXPECT_EQ(format_commit(read), bytes);
  ASSERT_EQ(read.size(), 6U);
  EXPECT_EQ(std::get<Metadata>(read[2]), metadata);
  EXPECT_EQ(std::get<Txn>(read[3]), (Txn{"app", 42, 7}));
  EXPECT_EQ(std::get<Remove>(read[4]), (Remove{"old.parquet", 9, true, 8}));
  EXPECT_EQ(std::get<Add>(read[5]).file.statistics, file.statistics);
  EXPECT_EQ(std::get<Add>(read[5]).file.rows, 3);
  EXPECT_TRUE(is_commit_of(read, "mine"));
  EXPECT_FALSE(is_commit_of(read, "other"));
}

TEST(DeltaLog, PassesOverWhatItDoesNotKnow) {
  const Commit commit = parse_commit(
                            "{\"domainMetadata\":{\"domain\":\"x\"}}\r\n\n"
                            "{\"cdc\":{\"path\":\"x\"}}\n{\"something\":7}\n"
                            "{\"txn\":{\"appId\":\"a\",\"version\":1,\"new\":[{}]}}")
                            .value();
  ASSERT_EQ(commit.size(), 1U);
  EXPECT_EQ(std::get<Txn>(commit[0]).app_id, "a");
}

TEST(DeltaLog, NamesTheDamagedLine) {
  for (const char* bytes : {"{\"txn\":{\"appId\":\"a\",\"version\":1}}\n{\"add\":{\"pa", "\n[]",
                            "{\"commitInfo\":{}}\n{\"add\":{\"size\":1}}", "\n{\"txn\":{\"appId\":\"a\"}}",
                            "\n{\"protocol\":{\"readerVersion\":1}}"}) {
    const auto commit = parse_commit(bytes);
    ASSERT_FALSE(commit) << bytes;
    EXPECT_EQ(commit.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(commit.error().message.find("line 2"), std::string::npos) << commit.error().message;
  }
}

TEST(DeltaLog, HintHoldsTheVersion) {
  EXPECT_EQ(format_hint({Version(7), 12, 3456, 9}), R"({"version":7,"size":12,"sizeInBytes":3456,"numOfAddFiles":9})");
  EXPECT_EQ(parse_hint(R"({"version":7,"size":12})").value().version, Version(7));
  for (const char* bad : {"", "{", "{}", R"({"version":"7"})", R"({"version":-1})"})
    EXPECT_FALSE(parse_hint(bad)) << bad;
}

TEST(DeltaSchema, IsWrittenAndReadBack) {
  const std::vector<Field> fields{{"ind", "long"},     {"n", "integer"},   {"ratio", "double"},
                                  {"flag", "boolean"}, {"said", "string"}, {"raw", "binary"},
                                  {"at", "timestamp"}, {"day", "date"},    {"spot", "array<double>"}};
  const std::string schema = format_schema(fields).value();
  EXPECT_TRUE(
      schema.starts_with(R"({"type":"struct","fields":[{"name":"ind","type":"long","nullable":true,"metadata":{}},)"));
  EXPECT_TRUE(schema.ends_with(
      R"({"name":"spot","type":{"type":"array","elementType":"double","containsNull":true},"nullable":true,"metadata":{}}]})"));
  bool has_invariants = false;
  EXPECT_EQ(parse_schema(schema, has_invariants).value(), fields);
  EXPECT_FALSE(has_invariants);
  for (const Field& bad : {Field{"a b", "long"}, Field{"", "long"}, Field{"a", "timestamp_ntz"},
                           Field{"a", "map<string,long>"}, Field{"a", "int"}}) {
    EXPECT_FALSE(format_schema({bad})) << bad.name << bad.type;
  }
}

TEST(DeltaSchema, ReadsNestedTypesOfOthers) {
  const std::string schema =
      R"json({"type":"struct","fields":[{"name":"s","type":{"type":"struct","fields":[)json"
      R"json({"name":"a","type":"decimal(10,2)","nullable":false,"metadata":{"delta.invariants":"x"}},)json"
      R"json({"name":"m","type":{"type":"map","keyType":"string","valueType":{"type":"array","elementType":"long",)json"
      R"json("containsNull":true},"valueContainsNull":true},"nullable":true}]},"nullable":true}]})json";
  bool has_invariants = false;
  const auto fields = parse_schema(schema, has_invariants).value();
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].type, "struct<a:decimal(10,2),m:map<string,array<long>>>");
  EXPECT_TRUE(has_invariants);
  EXPECT_EQ(engine_type(fields[0].type).value(), R"(STRUCT("a" DECIMAL(10,2), "m" MAP(VARCHAR, BIGINT[])))");
  EXPECT_FALSE(engine_type("void"));
}

TEST(DeltaProtocol, RefusalsNameTheFeature) {
  Metadata metadata;
  metadata.schema = format_schema({{"a", "long"}}).value();
  const auto refusal = [&](const Result<void>& checked) {
    return checked ? std::string("allowed") : checked.error().message;
  };
  EXPECT_EQ(refusal(check_writable(Protocol{1, 2, {}, {}}, metadata)), "allowed");
  EXPECT_EQ(refusal(check_readable(Protocol{2, 5, {}, {}}, metadata)), "allowed");
  EXPECT_EQ(refusal(check_readable(Protocol{3, 7, {"timestampNtz"}, {"timestampNtz"}}, metadata)), "allowed");
  EXPECT_NE(refusal(check_readable(Protocol{3, 7, {"deletionVectors"}, {"deletionVectors"}}, metadata))
                .find("deletionVectors"),
            std::string::npos);
  EXPECT_NE(refusal(check_readable(Protocol{4, 7, {}, {}}, metadata)).find("reader version 4"), std::string::npos);
  EXPECT_NE(refusal(check_writable(Protocol{1, 4, {}, {}}, metadata)).find("generated columns"), std::string::npos);
  EXPECT_NE(refusal(check_writable(Protocol{1, 7, {}, {"rowTracking"}}, metadata)).find("rowTracking"),
            std::string::npos);
  Metadata mapped = metadata;
  mapped.configuration["delta.columnMapping.mode"] = "name";
  EXPECT_NE(refusal(check_readable(Protocol{2, 5, {}, {}}, mapped)).find("columnMapping"), std::string::npos);
  Metadata partitioned = metadata;
  partitioned.partition_columns = {"a"};
  EXPECT_EQ(refusal(check_readable(Protocol{}, partitioned)), "allowed");
  EXPECT_NE(refusal(check_writable(Protocol{}, partitioned)).find("all columns are partition columns"),
            std::string::npos);
}

TEST(DeltaState, ReplaysAddsRemovesAndPositions) {
  TableState state;
  Metadata metadata;
  metadata.id = "id";
  metadata.schema = format_schema({{"a", "long"}}).value();
  ASSERT_TRUE(state.apply(Version(0), {Protocol{}, metadata}));
  ASSERT_TRUE(state.apply(
      Version(1),
      {Txn{"app", 5, 1}, Add{.file = {.path = "a", .size = 1, .rows = 2, .modified = {}, .statistics = {}}}}));
  ASSERT_TRUE(
      state.apply(Version(2), {Txn{"app", 9, 1}, Remove{"a", 77, true, 1},
                               Add{.file = {.path = "b", .size = 4, .rows = 3, .modified = {}, .statistics = {}}}}));
  EXPECT_EQ(state.snapshot.version, Version(2));
  EXPECT_EQ(state.snapshot.rows(), 3);
  EXPECT_EQ(state.snapshot.bytes(), 4U);
  EXPECT_EQ(state.snapshot.transactions.at("app"), 9);
  EXPECT_TRUE(state.tombstones.contains("a"));
  state.expire_tombstones(WallTime(std::chrono::milliseconds(77)));
  EXPECT_TRUE(state.tombstones.contains("a"));
  state.expire_tombstones(WallTime(std::chrono::milliseconds(78)));
  EXPECT_FALSE(state.tombstones.contains("a"));
}

TEST(DeltaState, ARefusedCommitChangesNothing) {
  TableState state;
  Metadata metadata;
  metadata.schema = format_schema({{"a", "long"}}).value();
  ASSERT_TRUE(state.apply(Version(0), {Protocol{}, metadata}));
  const auto refused = state.apply(Version(1), {Txn{"app", 1, 1}, Protocol{3, 7, {"deletionVectors"}, {}}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("deletionVectors"), std::string::npos);
  EXPECT_EQ(state.snapshot.version, Version(0));
  EXPECT_TRUE(state.snapshot.transactions.empty());
}

TEST(DeltaState, FileUrlsAndPathsAreOneFile) {
  TableState state;
  ASSERT_TRUE(state.apply(Version(0), parse_commit("{\"add\":{\"path\":\"/a/b\",\"size\":1}}\n").value()));
  ASSERT_TRUE(state.apply(Version(1), parse_commit("{\"remove\":{\"path\":\"file:///a/b\"}}\n").value()));
  EXPECT_TRUE(state.snapshot.files.empty());
}

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(DeltaStatistics, LongTextsAreCutButStillBound) {
  EXPECT_EQ(truncate_minimum(repeat("ż", 40)), repeat("ż", 32));
  EXPECT_EQ(truncate_maximum(repeat("a", 32)), repeat("a", 32));
  EXPECT_EQ(truncate_maximum(repeat("a", 33)), repeat("a", 32) + "\x7f");
  EXPECT_EQ(truncate_maximum(repeat("a", 32) + "ż"), repeat("a", 32) + "\xf4\x8f\xbf\xbf");
  EXPECT_EQ(truncate_maximum(repeat("a", 32) + "\x7f"), repeat("a", 32) + "\xf4\x8f\xbf\xbf");
  EXPECT_EQ(truncate_maximum(repeat("a", 32) + "\xf4\x8f\xbf\xbf"), std::nullopt);
  EXPECT_EQ(truncate_maximum(""), "");
}

TEST(DeltaStatistics, AreSpelledAsReadersExpect) {
  sql::ParquetFile file;
  file.rows = 3;
  const auto column = [&](const char* name, sql::Value low, sql::Value high) {
    file.columns[name] = {.minimum = std::move(low), .maximum = std::move(high), .null_count = 1};
  };
  column("ind", {std::int64_t{-1}}, {std::int64_t{7}});
  column("zero", {0.0}, {-0.0});
  column("at", {sql::Timestamp{1'700'000'000'000'001}}, {sql::Timestamp{1'700'000'000'000'001}});
  column("before", {sql::Timestamp{-1}}, {sql::Timestamp{-1}});
  column("far", {sql::Timestamp{-99'999'999'999'999'999}}, {sql::Timestamp{999'999'999'999'999'999}});
  column("day", {std::string("2026-11-22")}, {std::string("12026-11-22")});
  column("flag", {false}, {true});
  file.columns["empty"] = {.minimum = {}, .maximum = {}, .null_count = 3};
  const std::vector<Field> schema{{"ind", "long"},         {"zero", "double"},   {"at", "timestamp"},
                                  {"before", "timestamp"}, {"far", "timestamp"}, {"day", "date"},
                                  {"flag", "boolean"},     {"empty", "string"},  {"spot", "array<double>"}};
  EXPECT_EQ(
      format_statistics(schema, file),
      R"({"numRecords":3,"minValues":{"ind":-1,"zero":-0.0,"at":"2023-11-14T22:13:20.000Z","before":"1969-12-31T23:59:59.999Z",)"
      R"("day":"2026-11-22"},"maxValues":{"ind":7,"zero":0.0,"at":"2023-11-14T22:13:20.001Z","before":"1970-01-01T00:00:00.000Z"},)"
      R"("nullCount":{"ind":1,"zero":1,"at":1,"before":1,"far":1,"day":1,"flag":1,"empty":3}})");
}

}  // namespace
}  // namespace pinflow::delta::internal
