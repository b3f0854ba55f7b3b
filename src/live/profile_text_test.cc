#include "live/profile_text.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.h"
#include "records/kind.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::live {
namespace {

using Case = std::pair<std::string, std::optional<std::int64_t>>;

const std::vector<Case>& follower_counts() {
  static const std::vector<Case> cases = {
      {"0", 0},
      {"998", 998},
      {"007", 7},
      {"124k", 124'000},
      {"991K", 991'000},
      {"2M", 2'000'000},
      {"15m", 15'000'000},
      {"1.5k", 1'500},
      {"5.4M", 5'400'000},
      {"1.25k", 1'250},
      {"2.0", 2},
      {"1B", 1'000'000'000},
      {"3 k", 3'000},
      {" 12k ", 12'000},
      {"\n467\t", 467},
      {"12,345", 12'345},
      {"1,234,567", 1'234'567},
      {"1,234.5k", 1'234'500},
      {"999999999999", 999'999'999'999},
      {"999999999B", 999'999'999'000'000'000},
      {"999999999.999999999b", 999'999'999'999'999'999},
      {"User Info Error", {}},
      {"", {}},
      {" ", {}},
      {"k", {}},
      {"-5", {}},
      {"+5", {}},
      {"1.5", {}},
      {"1.2345k", {}},
      {"1k2", {}},
      {"1kk", {}},
      {"1  k", {}},
      {"1..5k", {}},
      {".5k", {}},
      {"1.k", {}},
      {",123", {}},
      {"1,", {}},
      {"1234,567", {}},
      {"1,23", {}},
      {"12,3456", {}},
      {"1,234,567,890", {}},
      {"0x10", {}},
      {"1e3", {}},
      {"1\v", {}},
      {"1234567890k", {}},
      {" 1234567890", {}},
      {"1234567890123", {}},
      {"1.1234567890k", {}},
      {"many", {}},
      {"\xd9\xa1\xd9\xa2", {}},  // Arabic digits.
  };
  return cases;
}

TEST(ProfileText, ReadsEveryFormOfAFollowerCountAndNothingElse) {
  for (const auto& [text, expected] : follower_counts()) {
    EXPECT_EQ(parse_follower_count(text), expected) << '"' << text << '"';
  }
}

const std::vector<std::pair<std::string, bool>>& poster_names() {
  static const std::vector<std::pair<std::string, bool>> cases = {
      {"User Info Error", false},
      {"", false},
      {"  ", false},
      {"\t\n\v\f\r ", false},
      {"\xc2\x85\xc2\xa0", false},                      // Next line, no-break space.
      {"\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x8b", false},  // Ogham space, en quad, zero-width space.
      {"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf", false},
      {"\xe2\x81\x9f\xe3\x80\x80\xef\xbb\xbf", false},
      {"\xe2\x80\x8c", true},  // Zero-width non-joiner is none of them.
      {"\xc2\xae", true},
      {" a ", true},
      {"user info error", true},
      {"\xf0\x9f\x92\x83", true},
      {"\xc2\xa0\xd7\x90", true},
      {"967", true},
  };
  return cases;
}

TEST(ProfileText, KnowsWhichNamesAreProfiles) {
  for (const auto& [text, expected] : poster_names()) EXPECT_EQ(names_profile(text), expected) << '"' << text << '"';
}

// One raw_pin row of each text, in one of its columns.
ColumnBatch raw_pins(std::string_view column, const std::vector<std::string>& texts) {
  std::vector<Column> columns = records::raw_columns(records::Kind::kPin);
  std::ranges::copy(records::source_columns(), std::back_inserter(columns));
  std::int64_t row = 0;
  for (const std::string& text : texts) {
    for (Column& each : columns) {
      if (each.name() == "index") {
        each.append_integer(row++);
      } else if (each.name() == column) {
        each.append_text(text);
      } else {
        each.append_null();
      }
    }
  }
  return ColumnBatch(std::move(columns));
}

// What the cleaning SQL makes of that column, in order of the rows.
std::vector<sql::Value> cleaned_by_sql(std::string_view column, const std::vector<std::string>& texts) {
  const auto engine = sql::open_engine({});
  const auto statements = sql::Statements::load(std::nullopt);
  CHECK(engine && statements, "the engine and the statements are there");
  const auto session = (*engine)->connect();
  CHECK(session && (*session)->run(statements->prelude()), "the prelude runs");
  CHECK((*session)->load("raw_pin", raw_pins(column, texts)), "the rows load");
  const auto clean = statements->find("clean/pin");
  CHECK(clean.has_value(), "pins are cleaned by clean/pin");
  const auto answer = (*session)->query(fmt::format("SELECT {} FROM ({}) ORDER BY ind", column, clean->text));
  CHECK(answer.has_value(), "the cleaning runs");
  std::vector<sql::Value> values;
  for (const auto& row : answer->rows) values.push_back(row.at(0));
  return values;
}

TEST(ProfileText, AgreesWithTheCleaningSqlOnFollowerCounts) {
  std::vector<std::string> texts;
  for (const auto& [text, expected] : follower_counts()) texts.push_back(text);
  // All texts of up to four characters that matter, beside the known forms.
  const std::string_view letters = "09,. kM-";
  for (std::size_t i = 0; i < letters.size() * letters.size() * letters.size() * letters.size(); ++i) {
    std::string text;
    for (std::size_t rest = i; rest > 0; rest /= letters.size()) text += letters[rest % letters.size()];
    texts.push_back(text);
    texts.push_back("1" + text + "000k");
  }
  const auto cleaned = cleaned_by_sql("follower_count", texts);
  ASSERT_EQ(cleaned.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto own = parse_follower_count(texts[i]);
    const sql::Value expected = own ? sql::Value{*own} : sql::Value{};
    ASSERT_EQ(expected, cleaned[i]) << '"' << texts[i] << "\": SQL makes it " << cleaned[i].to_text();
  }
}

TEST(ProfileText, AgreesWithTheCleaningSqlOnNames) {
  std::vector<std::string> texts;
  for (const auto& [text, expected] : poster_names()) texts.push_back(text);
  const auto cleaned = cleaned_by_sql("poster_name", texts);
  ASSERT_EQ(cleaned.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(names_profile(texts[i]), !cleaned[i].is_null()) << '"' << texts[i] << '"';
    if (!cleaned[i].is_null()) {
      EXPECT_EQ(cleaned[i].to_text(), texts[i]);
    }
  }
}

TEST(ProfileText, ReadsBrokenUtf8WithoutHarm) {
  for (const std::string_view text : {"\xff", "\xe2", "\xe2\x80", "\xc2", "\xf0\x9f"}) {
    static_cast<void>(names_profile(text));
    EXPECT_EQ(parse_follower_count(text), std::nullopt);
  }
}

}  // namespace
}  // namespace pinflow::live
