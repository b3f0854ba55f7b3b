#include "sink/object_line.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "sink/internal/json_text.h"
#include "sink/object_name.h"

namespace pinflow::sink {
namespace {

using namespace std::string_literals;

std::string line_of(std::optional<std::string_view> value) {
  std::string out = "before\n";
  append_object_line(out, value);
  EXPECT_TRUE(out.starts_with("before\n"));
  std::string line = out.substr(7);
  EXPECT_TRUE(line.ends_with('\n'));
  line.pop_back();
  EXPECT_EQ(line.find('\n'), line.npos);
  return line;
}

TEST(ObjectLine, KeepsJsonOnOneLineByteForByte) {
  for (const std::string text : {R"({"a": 1,"b" :[ ]})", R"({})", R"([])", R"("x")", "-0.5e+10", "null", " true ",
                                 R"({"t":"a\nb\u00e9\"","u":"é€😀","n":{"m":[1,[2,{"k":false}]]}})"}) {
    EXPECT_EQ(line_of(text), text);
  }
}

TEST(ObjectLine, TakesBlanksOutOfJsonWithRawNewlines) {
  EXPECT_EQ(line_of("{\n  \"a\": \"x  \\\" y\\\\\",\r\n\t\"b\": [1, 2]\n}\n"), R"({"a":"x  \" y\\","b":[1,2]})");
}

TEST(ObjectLine, GivesBackWhatIsNotJson) {
  const std::string values[] = {
      "",
      " ",
      "\n",
      "not json",
      "{\"a\":\"\xff\"}",
      "\0"s,
      "{\"a\":\"raw \n newline\"}",
      R"({"pinflow.raw":"QQ=="})",
      "{\n\"pinflow.raw\": null}",
  };
  for (const std::string& value : values) {
    const std::string line = line_of(value);
    ASSERT_TRUE(is_escaped(line)) << value;
    const auto back = unescape(line);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_TRUE(back->has_value());
    EXPECT_EQ(**back, value);
  }
}

TEST(ObjectLine, TellsNullFromEmpty) {
  EXPECT_EQ(line_of(std::nullopt), R"({"pinflow.raw":null})");
  const auto back = unescape(R"({"pinflow.raw":null})");
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->has_value());
  EXPECT_EQ(line_of(""), R"({"pinflow.raw":""})");
}

TEST(ObjectLine, RefusesDamagedEscapes) {
  for (const std::string_view line : {R"({"pinflow.raw":"QQ==")", R"({"pinflow.raw":"Q"})", R"({"pinflow.raw":"})",
                                      R"({"pinflow.raw":7})", R"({"a":1})"}) {
    const auto back = unescape(line);
    ASSERT_FALSE(back) << line;
    EXPECT_EQ(back.error().code, ErrorCode::kCorrupt);
  }
}

TEST(JsonText, RefusesWhatTheGrammarRefuses) {
  for (const std::string& text : {"{"s,
                                  "}"s,
                                  "[1,]"s,
                                  "{\"a\"}"s,
                                  "{\"a\":}"s,
                                  "{,}"s,
                                  "{\"a\":1,}"s,
                                  "01"s,
                                  "1."s,
                                  ".5"s,
                                  "+1"s,
                                  "1e"s,
                                  "--1"s,
                                  "nul"s,
                                  "tru e"s,
                                  "\"a"s,
                                  "\"\\x\""s,
                                  "\"\\u12g4\""s,
                                  "\"\\u12"s,
                                  "\"\\"s,
                                  "'a'"s,
                                  "1 2"s,
                                  "{}{}"s,
                                  "[}"s,
                                  "\xEF\xBB\xBF{}"s,
                                  "\"\xC0\xAF\""s,
                                  "\"\xE0\x80\x80\""s,
                                  "\"\xED\xA0\x80\""s,
                                  "\"\xF4\x90\x80\x80\""s,
                                  "\"\xF0\x80\x80\x80\""s,
                                  "\"\xE2\x82\""s,
                                  "\"\x80\""s,
                                  "\"\t\""s,
                                  "{\"a\":1 \"b\":2}"s,
                                  "[1 2]"s,
                                  "NaN"s,
                                  "\"\xE2"s}) {
    EXPECT_EQ(internal::inspect_json(text), internal::JsonText::kNotJson) << text;
  }
}

TEST(JsonText, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(internal::inspect_json(nested(512)), internal::JsonText::kOneLine);
  EXPECT_EQ(internal::inspect_json(nested(100'000)), internal::JsonText::kNotJson);
}

TEST(ObjectName, ReadsWhatItWrites) {
  const log::TopicPartition partition{"a+b.pin", log::PartitionId(12)};
  const std::string name = object_name(partition, log::Offset(345));
  EXPECT_EQ(name, "topics/a+b.pin/partition=12/a+b.pin+12+0000000345.json");
  const auto parsed = parse_object_name(name);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->partition, partition);
  EXPECT_EQ(parsed->first, log::Offset(345));
}

TEST(ObjectName, RefusesOtherNames) {
  for (const std::string_view name :
       {"", "+", "a", "topics/t/partition=0/", "topics/t/partition=0/t+0+1.json",
        "topics/t/partition=0/t+1+0000000001.json", "topics/t/partition=0/t+0+000000000x.json",
        "topics/t/partition=0/t+0+0000000001.json.bz2", "topics/t/t+0+0000000001.json",
        "topics/t/partition=1/t+0+0000000001.json", "topics/u/partition=0/t+0+0000000001.json",
        "topics/t/partition=0/t+0+-000000001.json", "a+b/c.json"}) {
    EXPECT_FALSE(parse_object_name(name)) << name;
  }
}

TEST(TopicPattern, MatchesNamesAndStars) {
  EXPECT_TRUE(matches("pinterest.pin", "pinterest.pin"));
  EXPECT_FALSE(matches("pinterest.pin", "pinterest.pins"));
  EXPECT_TRUE(matches("pinterest.*", "pinterest.pin"));
  EXPECT_TRUE(matches("*", "anything"));
  EXPECT_TRUE(matches("*.p*n", "a.b.pan.pin"));
  EXPECT_FALSE(matches("*.p*n", "a.b.pan.pix"));
  EXPECT_FALSE(matches("*", "__consumer_offsets"));
  EXPECT_TRUE(matches("__*", "__consumer_offsets"));
}

}  // namespace
}  // namespace pinflow::sink
