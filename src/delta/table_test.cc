#include "delta/table.h"

#include "delta/fingerprint.h"
#include "delta/table_fixture.h"

namespace pinflow::delta {
namespace {

TEST_F(DeltaTable, CommitsAreTheseBytes) {
  TableSpec wanted = spec();
  wanted.description = "Pins, cleaned";
  wanted.append_only = true;
  auto table = open(wanted);
  const auto files = write(*table, rows(1, 4));
  ASSERT_EQ(files.size(), 1U);
  ASSERT_EQ(table->append(files, {{"lane:pins:0", 17}}).value(), Version(1));
  EXPECT_EQ(
      get(log_file(0)),
      R"({"commitInfo":{"timestamp":1700000000000,"operation":"CREATE TABLE","operationParameters":{"partitionBy":"[]"},)"
      R"("isBlindAppend":true,"engineInfo":"pinflow/)" PINFLOW_VERSION
      R"(","txnId":"14452a08-5697-4892-a7a3-66c27b1c2e64"}})"
      "\n"
      R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})"
      "\n"
      R"({"metaData":{"id":"c510c70f-6daf-42b3-aa4c-364796553b85","name":"pins","description":"Pins, cleaned",)"
      R"("format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[)"
      R"({\"name\":\"ind\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},)"
      R"({\"name\":\"said\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},)"
      R"({\"name\":\"spot\",\"type\":{\"type\":\"array\",\"elementType\":\"double\",\"containsNull\":true},\"nullable\":true,\"metadata\":{}},)"
      R"({\"name\":\"at\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}}]}",)"
      R"("partitionColumns":[],"configuration":{"delta.appendOnly":"true"},"createdTime":1700000000000}})"
      "\n");
  EXPECT_EQ(
      get(log_file(1)),
      R"({"commitInfo":{"timestamp":1700000000000,"operation":"STREAMING UPDATE","operationParameters":{"outputMode":"Append"},)"
      R"("isBlindAppend":true,"engineInfo":"pinflow/)" PINFLOW_VERSION
      R"(","txnId":"e610f58d-ef04-4012-9de8-b147cc4d9561"}})"
      "\n"
      R"({"txn":{"appId":"lane:pins:0","version":17,"lastUpdated":1700000000000}})"
      "\n"
      R"({"add":{"path":")" +
          files[0].path + R"(","partitionValues":{},"size":)" + std::to_string(files[0].size) +
          R"(,"modificationTime":1700000000000,"dataChange":true,"stats":"{\"numRecords\":3,)"
          R"(\"minValues\":{\"ind\":1,\"said\":\"said 1\",\"at\":\"2023-11-14T22:13:21.000Z\"},)"
          R"(\"maxValues\":{\"ind\":3,\"said\":\"said 2\",\"at\":\"2023-11-14T22:13:23.001Z\"},)"
          R"(\"nullCount\":{\"ind\":0,\"said\":1,\"at\":0}}"}})"
          "\n");
  EXPECT_EQ(fs::file_size(folder_ / "tables" / "pins" / files[0].path), files[0].size);
}

TEST_F(DeltaTable, RowsAndPositionsSurviveReopening) {
  {
    auto table = open();
    EXPECT_EQ(table->snapshot().version, Version(0));
    append(*table, 0, 3000, {{"app:0", 2999}});
    append(*table, 3000, 3500, {{"app:0", 3499}, {"app:1", 7}});
  }
  auto table = open();
  EXPECT_EQ(table->snapshot().version, Version(2));
  EXPECT_EQ(table->snapshot().transactions, (std::map<std::string, std::int64_t>{{"app:0", 3499}, {"app:1", 7}}));
  EXPECT_EQ(table->snapshot().files.size(), 2U);
  EXPECT_EQ(table->snapshot().schema, spec().schema);
  expect_rows(0, 3500);
}

TEST_F(DeltaTable, AnEmptyTableGivesItsColumnsAndNoRows) {
  auto table = open();
  const auto result = ask(all_rows());
  EXPECT_EQ(result.columns, (std::vector<std::string>{"ind", "said", "spot", "at"}));
  EXPECT_EQ(result.types, (std::vector<std::string>{"BIGINT", "VARCHAR", "DOUBLE[]", "TIMESTAMP WITH TIME ZONE"}));
  EXPECT_TRUE(result.rows.empty());
}

TEST_F(DeltaTable, StatisticsSayNothingThatANumberThatIsNoneWouldMakeWrong) {
  TableSpec wanted = spec();
  wanted.schema = {{"nan", "double"}, {"endless", "double"}, {"said", "string"}, {"nothing", "long"}};
  auto table = open(wanted);
  const auto files = write(*table,
                           "SELECT * FROM (VALUES ('nan'::DOUBLE, 'inf'::DOUBLE, repeat('z', 40), NULL::BIGINT), "
                           "(1.0, 2.0, 'a', NULL)) r(nan, endless, said, nothing)");
  ASSERT_EQ(files.size(), 1U);
  const std::string& statistics = files[0].statistics;
  EXPECT_EQ(statistics.find(R"("nan":1)"), statistics.npos) << statistics;
  EXPECT_EQ(statistics.find("inf"), statistics.npos) << statistics;
  EXPECT_EQ(statistics.find("null,"), statistics.npos) << statistics;
  EXPECT_NE(statistics.find(R"("nothing":2)"), statistics.npos) << statistics;
  EXPECT_NE(statistics.find(std::string(32, 'z') + "\x7f"), statistics.npos) << statistics;
  ASSERT_TRUE(table->append(files, {}).has_value());
}

TEST_F(DeltaTable, NoRowsMakeNoFile) {
  auto table = open();
  EXPECT_TRUE(write(*table, rows(5, 5)).empty());
  EXPECT_EQ(data_files(), 0U);
  // Positions move without rows: what was read may all have been rejected.
  EXPECT_EQ(table->append({}, {{"app:0", 4}}).value(), Version(1));
  EXPECT_EQ(table->append({}, {}).value(), Version(1));
  EXPECT_EQ(read().transactions.at("app:0"), 4);
}

TEST_F(DeltaTable, AnotherSchemaIsRefusedByName) {
  open();
  TableSpec other = spec();
  other.schema[1].type = "long";
  const auto refused = open_table(context(), other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message.find("column 2 is said string, expected said long"), std::string::npos)
      << refused.error().message;
}

TEST_F(DeltaTable, AFileOfOtherColumnsIsRefusedByName) {
  auto table = open();
  for (const auto& [select, words] : std::vector<std::pair<std::string, std::string>>{
           {"SELECT 1::INTEGER AS ind, 'x' AS said, NULL::DOUBLE[] AS spot, NULL::TIMESTAMPTZ AS at",
            "column 1 is to be ind BIGINT, the SELECT gives ind INTEGER"},
           {"SELECT 1::BIGINT AS ind, 'x' AS text, NULL::DOUBLE[] AS spot, NULL::TIMESTAMPTZ AS at",
            "column 2 is to be said VARCHAR, the SELECT gives text VARCHAR"},
           {"SELECT 1::BIGINT AS ind", "column 2 is to be said VARCHAR, the SELECT gives nothing"},
           {"SELECT 1::BIGINT AS ind, 'x' AS said, NULL::DOUBLE[] AS spot, NULL::TIMESTAMP AS at",
            "column 4 is to be at TIMESTAMP WITH TIME ZONE, the SELECT gives at TIMESTAMP"}}) {
    const auto refused = table->write_files(*session_, select);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << refused.error().message;
  }
  EXPECT_EQ(data_files(), 0U);
}

TEST_F(DeltaTable, AFileIsNotInTheTableBeforeItsCommit) {
  auto table = open();
  append(*table, 0, 10, {{"app:0", 9}});
  const auto lost = write(*table, rows(10, 20));  // And the process dies here.
  table = open();
  EXPECT_EQ(table->snapshot().transactions.at("app:0"), 9);
  expect_rows(0, 10);
  EXPECT_EQ(data_files(), 2U);
  table->discard(lost[0]);
  EXPECT_EQ(data_files(), 1U);
  table->discard(lost[0]);  // Again is no error.
}

TEST_F(DeltaTable, FilesThatNobodyTakesAreDeleted) {
  auto table = open();
  {
    PendingFiles files = table->begin_files(*session_, rows(0, 10)).value();
    files.add(table->begin_files(*session_, rows(10, 15)).value());
    EXPECT_EQ(files.rows(), 15);
  }
  EXPECT_EQ(data_files(), 0U);
}

TEST_F(DeltaTable, WhatTheStoreRefusesComesOutWhereTheFilesAreTaken) {
  auto table = open();
  PendingFiles files = table->begin_files(*session_, rows(0, 10)).value();
  EXPECT_EQ(files.take().value().size(), 1U);
  EXPECT_TRUE(files.empty());
  store_->refused_file = ".parquet";
  files = table->begin_files(*session_, rows(10, 20)).value();
  EXPECT_EQ(files.take().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(data_files(), 1U);
}

TEST_F(DeltaTable, TheLateTwinConflictsAndMayGoOnAfterwards) {
  auto first = open();
  auto second = open();
  append(*first, 0, 10, {{"app:0", 9}});
  const auto late = second->append(write(*second, rows(0, 7)), {{"app:0", 6}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  EXPECT_NE(late.error().message.find("app:0 up to 9"), std::string::npos) << late.error().message;
  // The snapshot shows what to do next.
  EXPECT_EQ(second->snapshot().transactions.at("app:0"), 9);
  append(*second, 10, 20, {{"app:0", 19}});
  expect_rows(0, 20);
}

TEST_F(DeltaTable, ATwinThatMovedNoPositionOfOursIsNoConflict) {
  auto first = open();
  auto second = open();
  append(*first, 0, 10, {{"app:0", 9}});
  append(*first, 10, 20, {{"app:0", 19}});
  EXPECT_EQ(append(*second, 20, 30, {{"app:1", 5}}), Version(3));
  EXPECT_EQ(append(*first, 30, 40, {{"app:0", 39}}), Version(4));
  expect_rows(0, 40);
}

TEST_F(DeltaTable, AllWinnersAreReadNotOnlyTheNext) {
  auto first = open();
  auto second = open();
  append(*first, 0, 10, {{"other", 1}});
  append(*first, 10, 20, {{"app:0", 19}});  // The conflict lies behind a harmless commit.
  const auto late = second->append(write(*second, rows(0, 7)), {{"app:0", 6}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  EXPECT_EQ(second->snapshot().version, Version(2));
}

TEST_F(DeltaTable, AWriterThatSlipsInBetweenIsSeen) {
  auto first = open();
  auto second = open();
  const auto files = write(*second, rows(0, 7));
  store_->before_put_new = [&] { append(*first, 0, 10, {{"app:0", 9}}); };
  const auto late = second->append(files, {{"app:0", 6}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  expect_rows(0, 10);
}

TEST_F(DeltaTable, APositionThatDoesNotMoveIsAConflict) {
  auto table = open();
  append(*table, 0, 10, {{"app:0", 9}});
  for (const std::int64_t version : {9, 3}) {
    const auto again = table->append(write(*table, rows(0, 10)), {{"app:0", version}});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  }
  EXPECT_EQ(table->append({}, {{"a", 1}, {"a", 2}}).error().code, ErrorCode::kInvalid);
  expect_rows(0, 10);
}

TEST_F(DeltaTable, ALostAnswerIsResolvedByLooking) {
  auto table = open();
  store_->answer = StageStore::Answer::kLostAfterPut;
  EXPECT_EQ(append(*table, 0, 10, {{"app:0", 9}}), Version(1));
  store_->answer = StageStore::Answer::kLostBeforePut;
  EXPECT_EQ(append(*table, 10, 20, {{"app:0", 19}}), Version(2));
  EXPECT_EQ(read().version, Version(2));
  expect_rows(0, 20);
}

TEST_F(DeltaTable, ALostAnswerBehindWhichOthersCommittedIsStillOurs) {
  auto table = open();
  auto other = open();
  // Ours arrives, its answer is lost, and before we look somebody else commits behind it.
  store_->answer = StageStore::Answer::kLostAfterPut;
  store_->after_put_new = [&] { append(*other, 10, 20, {{"app:1", 19}}); };
  ASSERT_TRUE(table->append(write(*table, rows(0, 10)), {{"app:0", 9}}));
  EXPECT_EQ(table->snapshot().version, Version(2));
  EXPECT_EQ(table->snapshot().transactions.at("app:1"), 19);
  expect_rows(0, 20);
}

TEST_F(DeltaTable, OfTwoMakersOneWinsAndBothWork) {
  store_->before_put_new = [&] { open(); };
  auto table = open();
  EXPECT_EQ(table->snapshot().version, Version(0));
  append(*table, 0, 10);
  expect_rows(0, 10);
}

TEST_F(DeltaTable, AStoreMayLieAtARelativePath) {
  auto store = objects::open_folder_store(*disk_, fs::relative(folder_ / "tables")).value();
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 1;
  auto table = open_table({*store, *engine_, clock_, random_, logger_}, wanted).value();
  append(*table, 0, 10);
  const Snapshot snapshot = read_snapshot(*store, *engine_, "pins").value();
  EXPECT_EQ(ask(select_all(*store, "pins", snapshot).value()).rows.size(), 10U);
  EXPECT_TRUE(real_store_->describe("pins/_delta_log/_last_checkpoint"));
}

TEST_F(DeltaTable, ReplaceSwapsAllRows) {
  auto table = open();
  append(*table, 0, 10);
  append(*table, 10, 20);
  EXPECT_EQ(table->replace(write(*table, rows(100, 103)), {{"day", 1}}).value(), Version(3));
  expect_rows(100, 103);
  EXPECT_EQ(table->snapshot().files.size(), 1U);
  EXPECT_EQ(table->replace({}, {{"day", 1}}).value(), Version(4));  // A day may be run again.
  EXPECT_EQ(read().rows(), 0);
  EXPECT_TRUE(ask(all_rows()).rows.empty());
}

TEST_F(DeltaTable, ReplaceConflictsWithAnyOtherCommit) {
  auto first = open();
  auto second = open();
  append(*first, 0, 10);
  const auto late = second->replace(write(*second, rows(5, 6)), {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  expect_rows(0, 10);
  ASSERT_TRUE(second->replace(write(*second, rows(5, 6)), {}));
  expect_rows(5, 6);
}

TEST_F(DeltaTable, AnAppendOnlyTableIsNotReplaced) {
  TableSpec wanted = spec();
  wanted.append_only = true;
  auto table = open(wanted);
  append(*table, 0, 10);
  EXPECT_EQ(table->replace({}, {}).error().code, ErrorCode::kInvalid);
  expect_rows(0, 10);
}

TEST_F(DeltaTable, RefreshTakesInWhatOthersCommitted) {
  auto first = open();
  auto second = open();
  append(*first, 0, 10);
  append(*first, 10, 20);
  EXPECT_EQ(second->snapshot().version, Version(0));
  const int lists = store_->lists;
  ASSERT_TRUE(second->refresh());
  EXPECT_EQ(second->snapshot().version, Version(2));
  EXPECT_EQ(store_->lists, lists);  // The log is not listed again.
}

TEST_F(DeltaTable, CheckpointsCarryTheWholeState) {
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 5;
  wanted.description = "it's described";
  {
    auto table = open(wanted);
    append(*table, 0, 100, {{"app:idle", 99}});
    ASSERT_TRUE(table->replace(write(*table, rows(0, 10)), {{"day", 1}}));
    for (int i = 1; i < 11; ++i) append(*table, 10 * i, 10 * i + 10, {{"app:0", 10 * i + 9}});
    EXPECT_EQ(table->snapshot().version, Version(12));
  }
  EXPECT_TRUE(real_store_->describe("pins/_delta_log/00000000000000000005.checkpoint.parquet"));
  const auto hint = get("pins/_delta_log/_last_checkpoint");
  // protocol, metaData, three positions, one removed file, nine live ones.
  EXPECT_TRUE(hint.starts_with(R"({"version":10,"size":15,"sizeInBytes":)")) << hint;
  EXPECT_TRUE(hint.ends_with(R"("numOfAddFiles":9})")) << hint;
  const Snapshot before = read();
  for (int i = 0; i <= 10; ++i) ASSERT_TRUE(real_store_->remove(log_file(i)));
  const Snapshot after = read();
  EXPECT_EQ(after.version, Version(12));
  EXPECT_EQ(after.table_id, before.table_id);
  EXPECT_EQ(after.transactions, (std::map<std::string, std::int64_t>{{"app:0", 109}, {"app:idle", 99}, {"day", 1}}));
  expect_rows(0, 110);
  // And it goes on from there.
  auto table = open(wanted);
  append(*table, 110, 120, {{"app:0", 119}});
  expect_rows(0, 120);
  const auto types =
      ask("DESCRIBE SELECT * FROM read_parquet(" +
          sql::quote_text(
              real_store_->local_copy("pins/_delta_log/00000000000000000010.checkpoint.parquet").value().string()) +
          ")");
  ASSERT_EQ(types.rows.size(), 5U);
  EXPECT_EQ(types.rows[0][1].to_text(), "STRUCT(appId VARCHAR, \"version\" BIGINT, lastUpdated BIGINT)");
}

TEST_F(DeltaTable, ExpiredTombstonesLeaveTheCheckpoint) {
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 3;
  auto table = open(wanted);
  append(*table, 0, 10);
  ASSERT_TRUE(table->replace(write(*table, rows(0, 5)), {}));
  clock_.advance(std::chrono::hours(24 * 8));
  append(*table, 5, 10);
  // protocol, metaData, two files; the tombstone is eight days old.
  EXPECT_TRUE(get("pins/_delta_log/_last_checkpoint").starts_with(R"({"version":3,"size":4,)"));
  expect_rows(0, 10);
}

TEST_F(DeltaTable, ADamagedHintOrCheckpointIsNoObstacle) {
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 4;
  {
    auto table = open(wanted);
    for (int i = 0; i < 10; ++i) append(*table, 10 * i, 10 * i + 10);
  }
  const std::string hint = "pins/_delta_log/_last_checkpoint";
  for (const char* bytes :
       {"", "{\"version\":", "nonsense", "{\"version\":400,\"size\":1}", "{\"version\":5,\"size\":1}"}) {
    ASSERT_TRUE(real_store_->put(hint, bytes));
    expect_rows(0, 100);
  }
  ASSERT_TRUE(real_store_->remove(hint));
  expect_rows(0, 100);
  ASSERT_TRUE(real_store_->put(hint, "{\"version\":8,\"size\":1}"));
  ASSERT_TRUE(real_store_->put("pins/_delta_log/00000000000000000008.checkpoint.parquet", "torn"));
  expect_rows(0, 100);
  ASSERT_TRUE(real_store_->put("pins/_delta_log/00000000000000000004.checkpoint.parquet", "torn"));
  expect_rows(0, 100);
  // With the commits gone as well there is nothing to stand on, and the error tells the cause.
  ASSERT_TRUE(real_store_->remove(log_file(0)));
  const auto lost = read_snapshot(*real_store_, *engine_, "pins");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(lost.error().message.find("checkpoint 8"), std::string::npos) << lost.error().message;
}

TEST_F(DeltaTable, AFailedCheckpointDoesNotFailItsCommit) {
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 2;
  auto table = open(wanted);
  append(*table, 0, 10);
  store_->refused_put = "pins/_delta_log/_last_checkpoint";
  EXPECT_EQ(append(*table, 10, 20), Version(2));
  expect_rows(0, 20);
}

TEST_F(DeltaTable, AHoleInTheLogIsCorruption) {
  auto table = open();
  for (int i = 0; i < 3; ++i) append(*table, 10 * i, 10 * i + 10);
  ASSERT_TRUE(real_store_->remove(log_file(2)));
  const auto holed = read_snapshot(*real_store_, *engine_, "pins");
  ASSERT_FALSE(holed);
  EXPECT_EQ(holed.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(holed.error().message.find("commit 2 is missing"), std::string::npos);
  ASSERT_TRUE(real_store_->put(log_file(2), "{\"add\":{\"pa"));
  EXPECT_EQ(read_snapshot(*real_store_, *engine_, "pins").error().code, ErrorCode::kCorrupt);
}

TEST_F(DeltaTable, OnlyFoldersWithALogAreTables) {
  EXPECT_TRUE(list_tables(*real_store_).value().empty());
  open();
  TableSpec other = spec();
  other.name = "batch_pin";
  open(other);
  ASSERT_TRUE(real_store_->put("plain/file.json", "{}"));
  ASSERT_TRUE(real_store_->put("top.json", "{}"));
  EXPECT_EQ(list_tables(*real_store_).value(), (std::vector<std::string>{"batch_pin", "pins"}));
  EXPECT_EQ(read_snapshot(*real_store_, *engine_, "missing").error().code, ErrorCode::kNotFound);
  other.name = "../out";
  EXPECT_FALSE(open_table(context(), other));
}

TEST_F(DeltaTable, StatisticsHoldForTheData) {
  auto table = open();
  const auto files =
      write(*table,
            "SELECT n::BIGINT AS ind, repeat(chr(97 + (n % 26)::INTEGER), 40) || n AS said, NULL::DOUBLE[] AS spot, "
            "make_timestamp(1700000000000000 + n * 7)::TIMESTAMPTZ AS at FROM range(5000) r(n)");
  ASSERT_EQ(files.size(), 1U);
  const auto truth =
      ask("SELECT (s->>'$.minValues.said') <= repeat('a', 40) || '0', (s->>'$.maxValues.said') >= repeat('z', 40) || "
          "'999', "
          "(s->>'$.minValues.at')::TIMESTAMPTZ <= make_timestamp(1700000000000000)::TIMESTAMPTZ, "
          "(s->>'$.maxValues.at')::TIMESTAMPTZ >= make_timestamp(1700000000000000 + 4999 * 7)::TIMESTAMPTZ, "
          "(s->>'$.numRecords')::BIGINT = 5000 FROM (SELECT " +
          sql::quote_text(files[0].statistics) + "::JSON AS s)");
  for (const sql::Value& holds : truth.rows.at(0)) EXPECT_EQ(holds, sql::Value{true}) << files[0].statistics;
}

TEST_F(DeltaTable, AFingerprintDependsOnRowsAndNotOnTheirOrder) {
  auto table = open();
  EXPECT_EQ(
      fingerprint(*store_, *engine_, "pins").value(),
      R"({"table":"pins","version":0,"rows":0,"columns":{"ind":{"nulls":0,"checksum":"0"},"said":{"nulls":0,"checksum":"0"},)"
      R"("spot":{"nulls":0,"checksum":"0"},"at":{"nulls":0,"checksum":"0"}}})");
  append(*table, 0, 10);
  append(*table, 10, 20);
  const auto of = [&](const std::string& select) {
    EXPECT_TRUE(table->replace(write(*table, select), {}));
    const std::string line = fingerprint(*store_, *engine_, "pins").value();
    return line.substr(line.find("\"rows\""));
  };
  const std::string whole = fingerprint(*store_, *engine_, "pins").value();
  EXPECT_TRUE(whole.starts_with(R"({"table":"pins","version":2,"rows":20,"columns":{"ind":{"nulls":0,"checksum":")"))
      << whole;
  EXPECT_EQ(of(rows(0, 20) + " ORDER BY n DESC"), whole.substr(whole.find("\"rows\"")));
  EXPECT_NE(of(rows(1, 21)), whole.substr(whole.find("\"rows\"")));
  // Null, empty and holding null are three things.
  const std::string rest = "::DOUBLE[] AS spot, NULL::TIMESTAMPTZ AS at";
  const std::string head = "SELECT 1::BIGINT AS ind, NULL::VARCHAR AS said, ";
  EXPECT_NE(of(head + "[]" + rest), of(head + "NULL" + rest));
  EXPECT_NE(of(head + "[]" + rest), of(head + "[NULL]" + rest));
}

}  // namespace
}  // namespace pinflow::delta
