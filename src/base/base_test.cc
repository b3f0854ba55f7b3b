#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/columns.h"
#include "base/json.h"
#include "base/names.h"
#include "base/queue.h"
#include "base/random.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "base/uuid.h"

namespace pinflow {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorCode::kInvalid, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  TRY_ASSIGN(const int once, half(n));
  return half(once);
}

TEST(ResultMacros, PassValuesOnAndErrorsUp) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(Base64, MatchesRfc4648Vectors) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text).value(), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Z===", "Zh==", "Zm9v\n", "Zm 9", "=Zg="}) EXPECT_FALSE(base64_decode(text)) << text;
}

// Every length up to several wide blocks, so that the wide code, the narrow code and the padding meet at each place.
TEST(Base64, GivesBackBytesOfEveryLength) {
  Random random(3);
  std::string bytes;
  for (std::size_t size = 0; size < 200; ++size) {
    std::string text;
    append_base64(text, bytes);
    ASSERT_EQ(text.size(), (size + 2) / 3 * 4);
    ASSERT_EQ(base64_decode(text).value(), bytes);
    bytes += static_cast<char>(random() & 0xff);
  }
}

TEST(Base64, FindsEachWrongCharacterAtEachPlace) {
  const std::string good = base64_encode(std::string(150, '\xa7'));
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t place = 0; place < good.size(); place += 7) {
    for (int c = 0; c < 256; ++c) {
      std::string text = good;
      text[place] = static_cast<char>(c);
      const auto decoded = base64_decode(text);
      ASSERT_EQ(decoded.has_value(), kAllowed.contains(static_cast<char>(c))) << place << " " << c;
      if (decoded) {
        ASSERT_EQ(base64_encode(*decoded), text);
      } else {
        ASSERT_EQ(decoded.error().message, "not a base64 character at position " + std::to_string(place));
      }
    }
  }
}

TEST(Json, EscapesWhatJsonForbidsAndMendsBrokenUtf8) {
  std::string out;
  append_json_string(out, "a\"b\\c\n\x01 \xc3\xa9 \xff \xed\xa0\x80");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001 \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(Json, WriterPlacesCommas) {
  JsonWriter json;
  json.begin_object().key("a").integer(1).key("b").begin_array().string("x").null().end_array().end_object();
  EXPECT_EQ(std::move(json).take(), R"({"a":1,"b":["x",null]})");
}

TEST(RandomNumbers, RepeatForASeed) {
  Random first(7), second(7), other(8);
  EXPECT_EQ(first(), second());
  EXPECT_NE(first(), other());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(first.below(3), 3U);
}

TEST(UuidText, ReadsWhatItWrites) {
  Random random(1);
  const Uuid uuid = Uuid::random(random);
  EXPECT_EQ(Uuid::parse(uuid.to_string()).value(), uuid);
  EXPECT_EQ(uuid.to_string()[14], '4');
  EXPECT_FALSE(Uuid::parse("79dbcedb-4f96-4fcc-bcb2-70dc82f646e"));
}

TEST(Timestamps, AreUtcWithMilliseconds) {
  EXPECT_EQ(format_iso8601(WallTime(std::chrono::milliseconds(1'700'000'000'123))), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(format_iso8601(WallTime(std::chrono::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Timestamps, AreReadWithTheirZone) {
  const auto ms = [](std::string_view text) { return parse_iso8601(text)->time_since_epoch().count(); };
  EXPECT_EQ(ms("2023-11-14T22:13:20Z"), 1'700'000'000'000);
  EXPECT_EQ(ms("2023-11-14T22:13:20.1239Z"), 1'700'000'000'123);
  EXPECT_EQ(ms("2023-11-14T23:13:20.1+01:00"), 1'700'000'000'100);
  EXPECT_EQ(ms("2023-11-14T17:43-0430"), 1'699'999'980'000);
  EXPECT_EQ(ms("1969-12-31T23:59:59.999+00"), -1);
  for (const auto* const text :
       {"", "2023-11-14", "2023-11-14T22:13:20", "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z",
        "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Zx", "2023-11-14 22:13:20Z", "2023-11-14T22:60:20Z",
        "2023-11-14T22:13:20+1", "+023-11-14T22:13:20Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

TEST(Names, FollowKafkasRule) {
  EXPECT_TRUE(check_name("topic", "0a1b.pin"));
  for (const char* name : {"", ".", "..", "a/b", "a b", "\xc3\xa9"}) EXPECT_FALSE(check_name("topic", name)) << name;
  EXPECT_FALSE(check_name("topic", std::string(250, 'a')));
}

TEST(Names, NearestHelpsOnlyWhenNear) {
  const std::vector<std::string> keys = {"http.port", "log.dir"};
  EXPECT_EQ(nearest("http.prot", keys), "http.port");
  EXPECT_EQ(nearest("zebra", keys), std::nullopt);
}

TEST(Columns, KeepNullsAndTextsApart) {
  Column column("title", ColumnType::kText);
  column.append_text("one");
  column.append_null();
  column.append_text("");
  EXPECT_EQ(column.text_at(0), "one");
  EXPECT_TRUE(column.is_null(1));
  EXPECT_FALSE(column.is_null(2));
  EXPECT_EQ(column.text_at(2), "");
}

TEST(BoundedQueues, RefuseWhenFullAndDrainAfterClose) {
  BoundedQueue<int> queue(1);
  int value = 1;
  EXPECT_TRUE(queue.try_push(value));
  EXPECT_FALSE(queue.try_push(value));
  queue.close();
  EXPECT_EQ(queue.pop({}), 1);
  EXPECT_EQ(queue.pop({}), std::nullopt);
}

}  // namespace
}  // namespace pinflow
