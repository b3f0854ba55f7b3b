#include "records/raw_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "records/kind.h"

namespace pinflow::records {
namespace {

using namespace std::string_view_literals;

// One batch, and what became of the last record given to it.
class RawBatchTest : public testing::Test {
 protected:
  static Source source() { return {.topic = "pinterest.pin", .partition = 2, .offset = 41}; }

  // Gives the record to the batch of its kind and returns the reason of its refusal, "" where it became a
  // row.
  std::string refusal(Kind kind, std::string_view json) {
    RawBatch& batch = kind == Kind::kPin ? pins : kind == Kind::kGeo ? geos : users;
    const std::size_t before = batch.batch().rows();
    const auto added = batch.add(json, source());
    EXPECT_EQ(batch.batch().rows(), before + (added ? 1 : 0)) << json;
    return added ? "" : added.error().message;
  }

  // The text of a cell of the last row, "null" for null.
  static std::string cell(const RawBatch& batch, std::string_view name) {
    const std::size_t row = batch.batch().rows() - 1;
    for (const Column& column : batch.batch().columns()) {
      if (column.name() != name) continue;
      if (column.is_null(row)) return "null";
      if (column.type() == ColumnType::kText) return std::string(column.text_at(row));
      if (column.type() == ColumnType::kDouble) return fmt::format("{}", column.double_at(row));
      return fmt::format("{}", column.integer_at(row));
    }
    return "no such column";
  }

  RawBatch pins{Kind::kPin};
  RawBatch geos{Kind::kGeo};
  RawBatch users{Kind::kUser};
};

constexpr std::string_view kPin =
    R"({"index":7,"unique_id":"u-7","title":"A \"quoted\" title","description":"d\u00e9j\u00e0","poster_name":"P",)"
    R"("follower_count":"12k","tag_list":"a,b","is_image_or_video":"image","image_src":"s","downloaded":1,)"
    R"("save_location":"Local save in /data/art","category":"art"})";

TEST(Names, AreMadeFromOnePrefix) {
  const Names names{.prefix = "acme"};
  EXPECT_EQ(names.topic(Kind::kPin), "acme.pin");
  EXPECT_EQ(names.stream(Kind::kGeo), "streaming-acme-geo");
  EXPECT_EQ(names.table(Kind::kUser), "acme_user_table");
}

TEST(Names, TellTheKindByTheirLastPart) {
  EXPECT_EQ(kind_of("pinterest.pin"), Kind::kPin);
  EXPECT_EQ(kind_of("streaming-pinterest-geo"), Kind::kGeo);
  EXPECT_EQ(kind_of("a.b-c.user"), Kind::kUser);
  for (const auto* other : {"", "pin", "pinterest.", "pinterest.pins", "pinterest.pin.raw", "pinterest_pin"}) {
    EXPECT_EQ(kind_of(other), std::nullopt) << other;
  }
}

TEST_F(RawBatchTest, ReadsAWholePin) {
  ASSERT_EQ(refusal(Kind::kPin, kPin), "");
  EXPECT_EQ(cell(pins, "index"), "7");
  EXPECT_EQ(cell(pins, "title"), "A \"quoted\" title");
  EXPECT_EQ(cell(pins, "description"), "d\xc3\xa9j\xc3\xa0");
  EXPECT_EQ(cell(pins, "follower_count"), "12k");
  EXPECT_EQ(cell(pins, "downloaded"), "1");
  EXPECT_EQ(cell(pins, "category"), "art");
  EXPECT_EQ(cell(pins, "source_topic"), "pinterest.pin");
  EXPECT_EQ(cell(pins, "source_partition"), "2");
  EXPECT_EQ(cell(pins, "source_offset"), "41");
  EXPECT_EQ(cell(pins, "arrived_at"), "null");
}

TEST_F(RawBatchTest, KeepsTheTimeOfArrivalInMicroseconds) {
  Source source = RawBatchTest::source();
  source.arrived = WallTime(std::chrono::milliseconds(1500));
  ASSERT_TRUE(users.add(R"({"ind":1})", source));
  EXPECT_EQ(cell(users, "arrived_at"), "1500000");
}

TEST_F(RawBatchTest, TakesMembersInAnyOrderAndIgnoresUnknownOnes) {
  ASSERT_EQ(refusal(Kind::kGeo, R"( { "country" : "Reunion" , "extra":[1,{"a":"\ud83d\ude00"},[]],
      "longitude": -1.5e2, "latitude": 8, "ind" : 3 } )"),
            "");
  EXPECT_EQ(cell(geos, "ind"), "3");
  EXPECT_EQ(cell(geos, "country"), "Reunion");
  EXPECT_EQ(cell(geos, "longitude"), "-150");
  EXPECT_EQ(cell(geos, "latitude"), "8");
  EXPECT_EQ(cell(geos, "timestamp"), "null");
}

struct Accepted {
  std::string_view name;
  Kind kind;
  std::string_view json;
  std::string_view column;
  std::string_view value;
};

TEST_F(RawBatchTest, UnderstandsWhatProducersMakeOfARecord) {
  const Accepted table[] = {
      {"number as string", Kind::kUser, R"({"ind":"7528"})", "ind", "7528"},
      {"number as string with blanks", Kind::kUser, R"({"ind":" 7528\n"})", "ind", "7528"},
      {"whole float", Kind::kUser, R"({"ind":28.0})", "ind", "28"},
      {"whole float with exponent", Kind::kUser, R"({"ind":2.8e1})", "ind", "28"},
      {"whole float as string", Kind::kUser, R"({"ind":1,"age":"41.0"})", "age", "41"},
      {"largest id", Kind::kUser, R"({"ind":9223372036854775807})", "ind", "9223372036854775807"},
      {"blank for a number", Kind::kUser, R"({"ind":1,"age":""})", "age", "null"},
      {"null for a number", Kind::kUser, R"({"ind":1,"age":null})", "age", "null"},
      {"coordinate as string", Kind::kGeo, R"({"ind":1,"latitude":"-89.9787"})", "latitude", "-89.9787"},
      {"follower count as number", Kind::kPin, R"({"index":1,"follower_count":5400})", "follower_count", "5400"},
      {"number for text keeps its spelling", Kind::kPin, R"({"index":1,"title":1.50 })", "title", "1.50"},
      {"empty text", Kind::kPin, R"({"index":1,"title":""})", "title", ""},
      {"null text", Kind::kPin, R"({"index":1,"title":null})", "title", "null"},
      {"a text that says null", Kind::kPin, R"({"index":1,"title":"null"})", "title", "null"},
      {"ind for index", Kind::kPin, R"({"ind":5})", "index", "5"},
      {"index for ind", Kind::kGeo, R"({"index":5})", "ind", "5"},
      {"twice the same member", Kind::kGeo, R"({"ind":1,"country":"a","country":"b"})", "country", "a"},
      {"twice the id by two names", Kind::kGeo, R"({"index":1,"ind":2})", "ind", "1"},
      {"escaped key", Kind::kGeo, R"({"i\u006ed":9})", "ind", "9"},
      {"escapes", Kind::kPin, R"({"index":1,"title":"\ud83d\ude00\n\t\\\/\u00a0"})", "title",
       "\xf0\x9f\x98\x80\n\t\\/\xc2\xa0"},
      {"korean", Kind::kPin, "{\"index\":1,\"title\":\"\xed\x95\x9c\\n\xea\xb8\x80\"}", "title",
       "\xed\x95\x9c\n\xea\xb8\x80"},
      {"record as a string", Kind::kUser, R"("{\"ind\": 7, \"first_name\": \"A \\\"B\\\"\"}")", "first_name",
       "A \"B\""},
      {"record as a string twice", Kind::kUser, R"("\"{\\\"ind\\\": 7}\"")", "ind", "7"},
      {"envelope", Kind::kUser, R"({"records":[{"value":{"ind":8,"age":30}}]})", "age", "30"},
      {"envelope with more in it", Kind::kUser,
       R"({"key_schema":null,"records":[{"key":"k","partition":0,"value":{"ind":8}}],"x":1})", "ind", "8"},
      {"envelope as a string", Kind::kPin, R"("{\"records\": [{\"value\": {\"index\": 2863}}]}")", "index", "2863"},
      {"string in an envelope", Kind::kPin, R"({"records":[{"value":"{\"index\": 2863}"}]})", "index", "2863"},
      {"a member called records beside the id", Kind::kPin, R"({"records":[],"index":4})", "index", "4"},
  };
  for (const Accepted& c : table) {
    EXPECT_EQ(refusal(c.kind, c.json), "") << c.name;
    const RawBatch& batch = c.kind == Kind::kPin ? pins : c.kind == Kind::kGeo ? geos : users;
    if (batch.batch().rows() > 0) EXPECT_EQ(cell(batch, c.column), c.value) << c.name;
  }
}

TEST_F(RawBatchTest, SaysWhyARecordCannotBeARow) {
  struct Refused {
    Kind kind;
    std::string_view json;
    std::string_view reason;
  };
  const std::string_view not_json = "the record is not JSON";
  const std::string_view bad_escape = "the record has an escape that is no character";
  const Refused table[] = {
      {Kind::kUser, "", "the record is empty"},
      {Kind::kUser, " \n ", "the record is empty"},
      {Kind::kUser, R"("")", "the record is empty"},
      {Kind::kUser, "ind", not_json},
      {Kind::kUser, R"({"ind":1)", not_json},
      {Kind::kUser, R"({"ind":1}})", not_json},
      {Kind::kUser, R"({"ind":1} {"ind":2})", not_json},
      {Kind::kUser, R"({"ind":1,})", not_json},
      {Kind::kUser, R"({"ind":1 "age":2})", not_json},
      {Kind::kUser, R"({"ind":01})", not_json},
      {Kind::kUser, R"({"ind":1,"x":tru})", not_json},
      {Kind::kUser, R"({"ind":1,"x":+1})", not_json},
      {Kind::kUser, R"({"ind":1,"x":[1,]})", not_json},
      {Kind::kUser, R"({"ind":1,"x":{"a"}})", not_json},
      {Kind::kUser, R"({"ind":1,"age":NaN})", not_json},
      {Kind::kUser, R"({"ind":1,"first_name":"a":1})", not_json},
      {Kind::kUser, "{\"ind\":1,\"first_name\":\"a\nb\"}", not_json},
      {Kind::kUser, "{'ind':1}", not_json},
      {Kind::kUser, R"("{\"ind\":1}" 1)", not_json},
      {Kind::kUser, R"({"ind":true,"x":tru})", not_json},
      {Kind::kUser, "{\"ind\":1,\"first_name\":\"\xff\"}", "the record is not UTF-8"},
      {Kind::kUser, "{\"ind\":1,\"first_name\":\"\xed\xa0\x80\"}", "the record is not UTF-8"},
      {Kind::kUser, R"({"ind":1,"first_name":"\ud800"})", "member 'first_name' has an escape that is no character"},
      {Kind::kUser, R"({"ind":1,"first_name":"\udc00 x"})", "member 'first_name' has an escape that is no character"},
      {Kind::kUser, R"({"ind":1,"first_name":"\x"})", "member 'first_name' has an escape that is no character"},
      {Kind::kUser, R"({"ind":1,"x":"\udc00"})", bad_escape},
      {Kind::kUser, R"({"ind":1,"\udfff":1})", bad_escape},
      {Kind::kUser, "null", "the record is not an object"},
      {Kind::kUser, "5", "the record is not an object"},
      {Kind::kUser, R"([{"ind":1}])", "the record is not an object"},
      {Kind::kUser, R"("just text")", not_json},
      {Kind::kUser, "nonsense", not_json},
      {Kind::kUser, "5 6", not_json},
      {Kind::kUser, R"("[]")", "the record is not an object"},
      {Kind::kUser, "{}", "member 'ind' is missing"},
      {Kind::kPin, R"({"title":"t"})", "member 'index' is missing"},
      {Kind::kUser, R"({"ind":null,"age":null})", "member 'ind' is missing"},
      {Kind::kUser, R"({"ind":""})", "member 'ind' is missing"},
      {Kind::kPin, R"({"index":["index"],"unique_id":["unique_id"]})", "member 'index' is not a whole number"},
      {Kind::kPin, R"({"index":"index","unique_id":"unique_id"})", "member 'index' is not a whole number"},
      {Kind::kUser, R"({"ind":1.5})", "member 'ind' is not a whole number"},
      {Kind::kUser, R"({"ind":true})", "member 'ind' is not a whole number"},
      {Kind::kUser, R"({"ind":{}})", "member 'ind' is not a whole number"},
      {Kind::kUser, R"({"ind":"0x10"})", "member 'ind' is not a whole number"},
      {Kind::kUser, R"({"ind":"7528 7529"})", "member 'ind' is not a whole number"},
      {Kind::kUser, R"({"ind":9223372036854775808})", "member 'ind' is out of range"},
      {Kind::kUser, R"({"ind":1e300})", "member 'ind' is out of range"},
      {Kind::kUser, R"({"ind":1e999})", "member 'ind' is out of range"},
      {Kind::kUser, R"({"ind":9007199254740994.0})", "member 'ind' is out of range"},
      {Kind::kUser, R"({"ind":1,"age":2147483648})", "member 'age' is out of range"},
      {Kind::kUser, R"({"ind":1,"age":"twenty"})", "member 'age' is not a whole number"},
      {Kind::kGeo, R"({"ind":1,"latitude":"NaN"})", "member 'latitude' is not a number"},
      {Kind::kGeo, R"({"ind":1,"latitude":[1.5]})", "member 'latitude' is not a number"},
      {Kind::kGeo, R"({"ind":1,"latitude":1e999})", "member 'latitude' is out of range"},
      {Kind::kPin, R"({"index":1,"title":true})", "member 'title' is not text"},
      {Kind::kPin, R"({"index":1,"title":{"a":1}})", "member 'title' is not text"},
      {Kind::kPin, R"({"index":1,"title":["a"],"tag_list":false})", "member 'title' is not text"},
      {Kind::kPin, R"({"records":[]})", "the envelope does not hold exactly one record"},
      {Kind::kPin, R"({"records":{}})", "the envelope does not hold exactly one record"},
      {Kind::kPin, R"({"records":[{}]})", "the envelope does not hold exactly one record"},
      {Kind::kPin, R"({"records":[{"value":null}]})", "the envelope does not hold exactly one record"},
      {Kind::kPin, R"({"records":[{"value":{"index":1}},{"value":{"index":2}}]})",
       "the envelope does not hold exactly one record"},
      {Kind::kPin, R"({"records":[{"value":{"title":"t"}}]})", "member 'index' is missing"},
      {Kind::kPin,
       R"({"records":[{"value":{"records":[{"value":{"records":[{"value":{"records":[{"value":{"index":1}}]}}]}}]}}]})",
       "the record is wrapped more than 3 times"},
  };
  for (const Refused& c : table) EXPECT_EQ(refusal(c.kind, c.json), c.reason) << c.json;
  EXPECT_EQ(pins.batch().rows() + geos.batch().rows() + users.batch().rows(), 0u);
}

TEST_F(RawBatchTest, ReadsOnAfterARefusal) {
  ASSERT_NE(refusal(Kind::kPin, R"({"index":1,"title":[[)"), "");
  ASSERT_EQ(refusal(Kind::kPin, kPin), "");
  EXPECT_EQ(cell(pins, "index"), "7");
}

TEST_F(RawBatchTest, HoldsItsLimitsOfSizeAndDepth) {
  std::string record = R"({"index":1,"title":")";
  record += std::string((1 << 20) - record.size() - 2, 'x') + "\"}";
  ASSERT_EQ(record.size(), std::size_t{1} << 20);
  EXPECT_EQ(refusal(Kind::kPin, record), "");
  EXPECT_EQ(refusal(Kind::kPin, record + " "), "the record is larger than 1 MiB");

  const auto nested = [](int levels) {
    return R"({"index":1,"x":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  EXPECT_EQ(refusal(Kind::kPin, nested(62)), "");
  EXPECT_EQ(refusal(Kind::kPin, nested(65)), "the record is nested deeper than 64 levels");
  EXPECT_EQ(refusal(Kind::kPin, nested(400'000)), "the record is nested deeper than 64 levels");
}

// Every place where a record can be cut or a byte of it changed: what becomes a row is JSON to a reader that
// checks it all.
TEST_F(RawBatchTest, MakesNoRowOfWhatIsNotJson) {
  simdjson::dom::parser whole;
  int rows = 0;
  const auto check = [&](const std::string& text) {
    if (!refusal(Kind::kPin, text).empty()) return;
    ++rows;
    EXPECT_EQ(whole.parse(text).error(), simdjson::SUCCESS) << text;
  };
  const std::string record = R"({"index":7,"a\n":[1,"x\u00e9",{"b":true}],"title":"t","downloaded":1.0,"n":null})";
  for (std::size_t at = 0; at < record.size(); ++at) {
    check(record.substr(0, at));
    check(record.substr(at));
    check(record.substr(0, at) + record.substr(at + 1));
    for (const char c : std::string_view("\"\\{}[]:,0-9.enux \n\x01\xff\xed")) {
      std::string changed = record;
      changed[at] = c;
      check(changed);
      check(record.substr(0, at) + c + record.substr(at));
    }
  }
  EXPECT_GT(rows, 50);
}

TEST_F(RawBatchTest, WritesARowAsTheRecordItWas) {
  ASSERT_EQ(refusal(Kind::kPin, kPin), "");
  std::string json;
  append_json_record(json, pins.batch(), 0);
  EXPECT_EQ(json,
            "{\"index\":7,\"unique_id\":\"u-7\",\"title\":\"A \\\"quoted\\\" "
            "title\",\"description\":\"d\xc3\xa9j\xc3\xa0\","
            "\"poster_name\":\"P\",\"follower_count\":\"12k\",\"tag_list\":\"a,b\",\"is_image_or_video\":\"image\","
            "\"image_src\":\"s\",\"downloaded\":1,\"save_location\":\"Local save in "
            "/data/art\",\"category\":\"art\"}");

  ASSERT_EQ(refusal(Kind::kGeo, R"({"ind":2,"latitude":-0.1,"longitude":5})"), "");
  json.clear();
  append_json_record(json, geos.batch(), 0);
  EXPECT_EQ(json, R"({"ind":2,"timestamp":null,"latitude":-0.1,"longitude":5.0,"country":null})");
}

TEST_F(RawBatchTest, CountsMembersWithoutColumnInRowsAlone) {
  ASSERT_EQ(refusal(Kind::kGeo, R"({"ind":1,"region":"x","continent":null})"), "");
  ASSERT_EQ(refusal(Kind::kGeo, R"({"region":2,"index":2,"country":"a","country":"b"})"), "");
  ASSERT_EQ(refusal(Kind::kGeo, R"({"records":[{"value":{"ind":3,"r\u0065gion":{}}}],"schema":1})"), "");
  ASSERT_NE(refusal(Kind::kGeo, R"({"region":2,"ind":"x"})"), "");
  const auto members = geos.unknown_members().by_name();
  ASSERT_EQ(members.size(), 2u) << "neither the envelope's own nor a member that came twice";
  EXPECT_EQ(members[0].name, "continent");
  EXPECT_EQ(members[1].name, "region");
  EXPECT_EQ(members[1].times, 3u);
  EXPECT_EQ(members[1].topic, "pinterest.pin");
  EXPECT_EQ(members[1].partition, 2);
  EXPECT_EQ(members[1].offset, 41);
  EXPECT_EQ(geos.kept_members().rows(), 0u);
  geos.clear();
  EXPECT_TRUE(geos.unknown_members().empty());
}

TEST_F(RawBatchTest, KeepsMembersWithoutColumnAsTheyWereSent) {
  RawBatch batch(Kind::kUser, RawBatch::Unknown::kKeep);
  const auto kept = [&](std::string_view json) -> std::string {
    const std::size_t before = batch.kept_members().rows();
    EXPECT_TRUE(batch.add(json, source())) << json;
    if (batch.kept_members().rows() == before) return "nothing";
    EXPECT_EQ(batch.kept_members().columns()[0].integer_at(before), 2);
    EXPECT_EQ(batch.kept_members().columns()[1].integer_at(before), 41);
    return std::string(batch.kept_members().columns()[2].text_at(before));
  };
  EXPECT_EQ(kept(R"({"ind":1,"age":3})"), "nothing");
  EXPECT_EQ(kept(R"({"ind":1,"a":[1, {"b":[]}] , "age":3,"c":{}})"), R"({"a":[1, {"b":[]}],"c":{}})");
  EXPECT_EQ(kept(R"({"t" : "x\"}," , "n":-1.50e3 ,"ind":1,"z":null })"), R"({"t" : "x\"},","n":-1.50e3,"z":null})");
  EXPECT_EQ(kept(R"({"ind":1,"b\"c":true})"), R"({"b\"c":true})");
  EXPECT_EQ(kept(R"("{\"ind\":1,\"deep\":{\"er\":[0]}}")"), R"({"deep":{"er":[0]}})");
  for (std::size_t row = 0; row < batch.kept_members().rows(); ++row) {
    simdjson::dom::parser whole;
    EXPECT_FALSE(whole.parse(std::string(batch.kept_members().columns()[2].text_at(row))).error()) << row;
  }
  batch.release();
  EXPECT_EQ(batch.kept_members().rows(), 0u);
  EXPECT_EQ(batch.batch().rows(), 0u);
  EXPECT_EQ(kept(R"({"ind":1,"a":1})"), R"({"a":1})") << "and is used again";
}

TEST(DeadLettersTest, KeepAllThatIsNeededToTryAgain) {
  DeadLetters letters;
  letters.add({.topic = "t.pin", .partition = 1, .offset = 9, .arrived = WallTime(std::chrono::milliseconds(2))},
              Kind::kPin, "the record is not JSON", "\xff\0x"sv);
  letters.add({.topic = "other"}, std::nullopt, "no kind", std::nullopt);
  const auto& columns = letters.batch().columns();
  ASSERT_EQ(letters.batch().rows(), 2u);
  ASSERT_EQ(columns.size(), 7u);
  EXPECT_EQ(columns[4].name(), "kind");
  EXPECT_EQ(columns[4].text_at(0), "pin");
  EXPECT_TRUE(columns[4].is_null(1));
  EXPECT_EQ(columns[5].text_at(0), "the record is not JSON");
  EXPECT_EQ(columns[6].type(), ColumnType::kBytes);
  EXPECT_EQ(columns[6].text_at(0), "\xff\0x"sv);
  EXPECT_TRUE(columns[6].is_null(1));
  EXPECT_EQ(columns[3].integer_at(0), 2000);
}

}  // namespace
}  // namespace pinflow::records
