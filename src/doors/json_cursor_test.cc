#include "doors/json_cursor.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/random.h"

namespace pinflow::doors {
namespace {

Result<std::string> whole(std::string_view text) {
  JsonCursor cursor(text);
  TRY_ASSIGN(const auto slice, cursor.value());
  TRY(cursor.end());
  return std::string(slice);
}

TEST(JsonCursor, HandsOutExactSlices) {
  for (const std::string_view text :
       {R"({ "a" : [1.50, -0e+10,{"b":"\u00e9\n"}] ,"a":null})", "[]", "{}", "[ ]", "{ }", "\"\"", "true", "-0", "1e5",
        "123456789012345678901234567890.5", "[[[{}]],[],{\"\":{}}]",
        "\"\xf0\x9f\x98\x80 \x7f eight plain bytes and more\"", R"("\ud800")"}) {
    const auto slice = whole(" \n" + std::string(text) + "\t");
    ASSERT_TRUE(slice) << text << ": " << slice.error().message;
    EXPECT_EQ(*slice, text);
  }
}

TEST(JsonCursor, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "a JSON value is expected at line 1, column 1, where the text ends"},
      {"{\"a\":1,\n \"b\" 2}", "':' is expected after the member name at line 2, column 6"},
      {"{\"a\":nope}", "a JSON value is expected at line 1, column 6"},
      {"{\"a\":1,}", "a member name in quotes is expected at line 1, column 8"},
      {"[1,]", "a JSON value is expected at line 1, column 4"},
      {"[1 2]", "',' or ']' is expected at line 1, column 4"},
      {"{\"a\":1 \"b\":2}", "',' or '}' is expected at line 1, column 8"},
      {"[1}", "',' or ']' is expected at line 1, column 3"},
      {"\"abc", "the string has no closing quote at line 1, column 5, where the text ends"},
      {"\"a\nb\"", "a string has a control character that is not escaped at line 1, column 3"},
      {"\"\\x\"", "a string has an escape that JSON does not know at line 1, column 2"},
      {"\"\\u12g4\"", "a string has a \\u that four hexadecimal digits do not follow at line 1, column 2"},
      {"\"\xc3(\"", "a string has bytes that are not UTF-8 at line 1, column 2"},
      {"\"\xed\xa0\x80\"", "a string has bytes that are not UTF-8 at line 1, column 2"},
      {"01", "a number begins with 0 at line 1, column 2"},
      {"1.", "a digit is expected after the decimal point at line 1, column 3, where the text ends"},
      {"-", "a digit is expected at line 1, column 2, where the text ends"},
      {"1e", "a digit is expected in the exponent at line 1, column 3, where the text ends"},
      {"1 2", "the end is expected, as the value is whole at line 1, column 3"},
      {"NaN", "a JSON value is expected at line 1, column 1"},
      {"\xef\xbb\xbf{}", "a JSON value is expected at line 1, column 1"},
  };
  for (const auto& [text, message] : cases) {
    const auto slice = whole(text);
    ASSERT_FALSE(slice) << text;
    EXPECT_EQ(slice.error().message, message) << text;
  }
}

TEST(JsonCursor, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(whole(nested(512)));
  EXPECT_FALSE(whole(nested(513)));
  EXPECT_FALSE(whole(std::string(1'000'000, '[')));
  JsonCursor inside("[" + nested(512) + "]");
}

TEST(JsonCursor, DecodesStrings) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("a\"\\\/\b\f\n\r\tz")", "a\"\\/\b\f\n\r\tz"},
      {R"("\u0041\u00e9\u20ac\ud83d\ude00")", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
      {R"("\ud83d\ud83dx\ude00")", "\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd"},
  };
  for (const auto& [slice, text] : cases) {
    ASSERT_TRUE(whole(slice));
    EXPECT_EQ(JsonCursor::decode_string(slice), text);
  }
}

TEST(JsonCursor, WalksMembersAndElements) {
  JsonCursor cursor(R"( { "a b" : [ 1 , {"x":2} ] , "\u0063":3 } )");
  ASSERT_TRUE(cursor.begin_object());
  EXPECT_EQ(**cursor.next_member(), "a b");
  ASSERT_TRUE(cursor.begin_array());
  EXPECT_TRUE(*cursor.next_element());
  EXPECT_EQ(*cursor.value(), "1");
  EXPECT_TRUE(*cursor.next_element());
  EXPECT_EQ(*cursor.peek(), JsonKind::kObject);
  EXPECT_EQ(*cursor.value(), "{\"x\":2}");
  EXPECT_FALSE(*cursor.next_element());
  EXPECT_EQ(**cursor.next_member(), "c");
  EXPECT_EQ(*cursor.value(), "3");
  EXPECT_FALSE(*cursor.next_member());
  EXPECT_TRUE(cursor.end());
}

// Damages a document in every place; ours and another parser must agree on what is JSON.
TEST(JsonCursor, AgreesWithAnotherParserOnDamagedText) {
  const std::string good =
      R"({"records":[{"key":null,"value":{"index":7528,"t":"\u00e9 \"x\" é","n":[-1.5e3,0,true,false]}}],"z":{}})";
  Random random(7);
  simdjson::dom::parser parser;
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (std::uint64_t edits = 1 + random.below(2); edits > 0; --edits) {
      const auto at = random.below(text.size());
      static constexpr std::string_view kBytes = "{}[],:\"\\ue0123.-+ntf \n\x01\xc3\xff";
      const char byte = kBytes[random.below(kBytes.size())];
      const auto kind = random.below(3);
      if (kind == 0) text[at] = byte;
      if (kind == 1) text.insert(at, 1, byte);
      if (kind == 2) text.erase(at, 1);
    }
    const bool ours = whole(text).has_value();
    const auto error = parser.parse(text).error();
    if (error == simdjson::NUMBER_ERROR && ours) continue;  // Numbers past 64 bits and doubles pass here.
    if (error == simdjson::STRING_ERROR && ours && text.contains("\\u")) continue;  // So do half surrogates.
    ASSERT_EQ(ours, error == simdjson::SUCCESS) << text << " " << error;
    accepted += ours ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace pinflow::doors
