#include "records/synthetic.h"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "records/raw_batch.h"

namespace pinflow::records {
namespace {

enum Pin {
  kIndex,
  kUniqueId,
  kTitle,
  kDescription,
  kPoster,
  kFollowers,
  kTags,
  kType,
  kImage,
  kDownloaded,
  kSave,
  kCategory
};
using Slice = std::map<Kind, ColumnBatch>;

Slice make(const SyntheticOptions& options) {
  return SyntheticPosts(options).next(SIZE_MAX);
}

// The default set, made once for all tests.
const Slice& default_set() {
  static const Slice set = make({});
  return set;
}
std::string_view text(Kind kind, std::size_t column, std::size_t row) {
  return default_set().at(kind).columns()[column].text_at(row);
}
std::size_t rows() {
  return default_set().at(Kind::kPin).rows();
}

std::string as_json(const Slice& slice) {
  std::string all;
  for (const auto& [kind, batch] : slice) {
    for (std::size_t row = 0; row < batch.rows(); ++row) append_json_record(all, batch, row);
  }
  return all;
}

// The share of rows, in per cent, for which `holds`.
double share(const std::function<bool(std::size_t)>& holds) {
  std::size_t count = 0;
  for (std::size_t row = 0; row < rows(); ++row) count += holds(row) ? 1 : 0;
  return 100.0 * static_cast<double>(count) / static_cast<double>(rows());
}
double pin_share(Pin column, std::string_view value) {
  return share([&](std::size_t row) { return text(Kind::kPin, column, row) == value; });
}

std::string person(std::size_t row) {
  const auto& user = default_set().at(Kind::kUser).columns();
  return fmt::format("{}|{}|{}|{}", user[1].text_at(row), user[2].text_at(row), user[3].integer_at(row),
                     user[4].text_at(row));
}
std::string place(std::size_t row) {
  const auto& geo = default_set().at(Kind::kGeo).columns();
  return fmt::format("{}|{}|{}", geo[2].double_at(row), geo[3].double_at(row), geo[4].text_at(row));
}

bool has(std::string_view whole, std::string_view part) {
  return whole.find(part) != std::string_view::npos;
}
bool has_astral(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c & '\xf8') == '\xf0'; });
}
bool has_non_ascii(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c & '\x80') != 0; });
}

TEST(Synthetic, IsTheSameForTheSameSeedOnly) {
  const std::string once = as_json(make({.seed = 5, .posts = 700}));
  EXPECT_EQ(once, as_json(make({.seed = 5, .posts = 700})));
  EXPECT_NE(once, as_json(make({.seed = 6, .posts = 700})));
}

TEST(Synthetic, DoesNotDependOnTheSizeOfSlices) {
  const SyntheticOptions options{.seed = 9, .posts = 1'000};
  std::map<Kind, std::string> whole;
  for (const auto& [kind, batch] : make(options)) {
    for (std::size_t row = 0; row < batch.rows(); ++row) append_json_record(whole[kind], batch, row);
  }
  std::map<Kind, std::string> pieces;
  SyntheticPosts posts(options);
  for (std::size_t size = 1;; size = size * 2 + 1) {
    const Slice slice = posts.next(size);
    if (slice.at(Kind::kPin).rows() == 0) break;
    EXPECT_LE(slice.at(Kind::kGeo).rows(), size);
    for (const auto& [kind, batch] : slice) {
      for (std::size_t row = 0; row < batch.rows(); ++row) append_json_record(pieces[kind], batch, row);
    }
  }
  EXPECT_EQ(whole, pieces);
}

TEST(Synthetic, MakesSetsOfAnySize) {
  for (const std::int64_t posts : {0, 1, 2, 3, 5, 10, 13, 57, 100, 999}) {
    const Slice set = make({.seed = 3, .posts = posts});
    for (const Kind kind : kKinds) EXPECT_EQ(set.at(kind).rows(), static_cast<std::size_t>(posts));
  }
}

TEST(Synthetic, HasOneRowAnIndexWithoutGaps) {
  ASSERT_EQ(rows(), 11'154u);
  std::set<std::string_view> ids;
  for (std::size_t row = 0; row < rows(); ++row) {
    for (const auto& [kind, batch] : default_set()) {
      ASSERT_EQ(batch.columns()[0].integer_at(row), static_cast<std::int64_t>(row));
    }
    const std::string_view id = text(Kind::kPin, kUniqueId, row);
    ASSERT_EQ(id.size(), 36u);
    ASSERT_EQ(id[14], '4') << "the version of a UUID";
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), rows());
}

TEST(Synthetic, ReadsBackAsRecords) {
  for (const auto& [kind, batch] : default_set()) {
    RawBatch read(kind);
    std::string json;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      json.clear();
      append_json_record(json, batch, row);
      const auto added = read.add(json, {.topic = "t"});
      ASSERT_TRUE(added) << json << added.error().message;
      for (std::size_t i = 0; i < batch.columns().size(); ++i) {
        ASSERT_FALSE(batch.columns()[i].is_null(row));
        if (batch.columns()[i].type() == ColumnType::kText) {
          ASSERT_EQ(read.batch().columns()[i].text_at(row), batch.columns()[i].text_at(row));
        }
      }
    }
  }
}

TEST(Synthetic, KeepsCategoriesInBlocks) {
  std::vector<std::string> blocks;
  for (std::size_t row = 0; row < rows(); ++row) {
    const std::string category(text(Kind::kPin, kCategory, row));
    if (blocks.empty() || blocks.back() != category) blocks.push_back(category);
    ASSERT_EQ(text(Kind::kPin, kSave, row), "Local save in /data/" + category);
  }
  EXPECT_THAT(blocks,
              testing::ElementsAre("art", "beauty", "christmas", "diy-and-crafts", "education", "event-planning",
                                   "finance", "home-decor", "mens-fashion", "quotes", "tattoos", "travel", "vehicles"));
}

TEST(Synthetic, TiesPersonPosterAndPlaceOneToOne) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Slice set = make({.seed = seed, .posts = 11'154});
    const auto& pin = set.at(Kind::kPin).columns();
    const auto& geo = set.at(Kind::kGeo).columns();
    const auto& user = set.at(Kind::kUser).columns();
    std::set<std::string> people, posters, places, triples, coordinates;
    for (std::size_t row = 0; row < set.at(Kind::kPin).rows(); ++row) {
      const auto who = fmt::format("{}|{}|{}|{}", user[1].text_at(row), user[2].text_at(row), user[3].integer_at(row),
                                   user[4].text_at(row));
      const auto where = fmt::format("{}|{}|{}", geo[2].double_at(row), geo[3].double_at(row), geo[4].text_at(row));
      people.insert(who);
      posters.insert(std::string(pin[kPoster].text_at(row)));
      places.insert(where);
      triples.insert(fmt::format("{}~{}~{}", who, where, pin[kPoster].text_at(row)));
    }
    EXPECT_EQ(people.size(), 5'307u);
    EXPECT_EQ(posters.size(), 5'307u);
    EXPECT_EQ(places.size(), 5'307u);
    EXPECT_EQ(triples.size(), 5'307u);
  }
}

TEST(Synthetic, GivesPeopleAHeavyTailOfPosts) {
  std::map<std::string, int> posts;
  std::map<std::string, int> names;
  for (std::size_t row = 0; row < rows(); ++row) {
    if (posts[person(row)]++ == 0) ++names[person(row).substr(0, person(row).find_last_of('|') - 3)];
  }
  int single = 0, largest = 0;
  for (const auto& [who, count] : posts) {
    single += count == 1 ? 1 : 0;
    largest = std::max(largest, count);
  }
  EXPECT_EQ(posts.size(), 5'307u);
  EXPECT_NEAR(single, 3'869, 20);
  EXPECT_EQ(largest, 244);
  EXPECT_GT(posts.size() - names.size(), 50u) << "several people share a name";
}

TEST(Synthetic, RelatesAgeJoiningCountryAndNameToPosting) {
  const auto& age = default_set().at(Kind::kUser).columns()[3];
  const auto aged = [&](int low, int high) {
    return share([&](std::size_t row) { return age.integer_at(row) >= low && age.integer_at(row) <= high; });
  };
  EXPECT_NEAR(aged(18, 24), 44.1, 4);
  EXPECT_NEAR(aged(25, 35), 26.9, 3);
  EXPECT_NEAR(aged(36, 50), 19.9, 3);
  EXPECT_NEAR(aged(51, 60), 9.0, 2);
  EXPECT_EQ(aged(20, 60), 100);

  std::map<std::string, std::set<std::string>> people_by_year;
  for (std::size_t row = 0; row < rows(); ++row) {
    people_by_year[std::string(text(Kind::kUser, 4, row).substr(0, 4))].insert(person(row));
  }
  const auto joined = [&](std::string_view year) {
    return share([&](std::size_t row) { return text(Kind::kUser, 4, row).starts_with(year); });
  };
  EXPECT_NEAR(joined("2015"), 40.4, 4);
  EXPECT_NEAR(joined("2016"), 43.0, 4);
  EXPECT_NEAR(joined("2017"), 16.6, 3);
  EXPECT_EQ(people_by_year.size(), 3u);
  EXPECT_NEAR(static_cast<double>(people_by_year["2015"].size()), 841, 120);
  EXPECT_NEAR(static_cast<double>(people_by_year["2016"].size()), 2'760, 200);
  EXPECT_NEAR(static_cast<double>(people_by_year["2017"].size()), 1'706, 200);

  EXPECT_NEAR(share([](std::size_t row) { return text(Kind::kUser, 1, row).starts_with("A"); }), 40, 8);
  std::map<std::string_view, int> countries;
  for (std::size_t row = 0; row < rows(); ++row) ++countries[text(Kind::kGeo, 4, row)];
  EXPECT_EQ(countries.size(), 243u);
  const auto largest = std::ranges::max_element(countries, {}, [](const auto& entry) { return entry.second; });
  EXPECT_TRUE(largest->first.starts_with("A")) << largest->first;
  EXPECT_NEAR(largest->second, 700, 400);
}

TEST(Synthetic, SpreadsPostsOverFiveYearsAfterTheJoining) {
  std::map<std::string_view, int> years;
  for (std::size_t row = 0; row < rows(); ++row) {
    const std::string_view time = text(Kind::kGeo, 1, row);
    ASSERT_EQ(time.size(), 19u);
    ASSERT_GE(time, text(Kind::kUser, 4, row)) << "a post before its author joined";
    ASSERT_GE(time, "2017-10-19 15:13:42");
    ASSERT_LE(time, "2022-10-19 17:54:26");
    ASSERT_GE(text(Kind::kUser, 4, row), "2015-10-21 03:17:47");
    ++years[time.substr(0, 4)];
  }
  EXPECT_NEAR(years["2017"], 432, 90);
  EXPECT_NEAR(years["2018"], 2'250, 180);
  EXPECT_NEAR(years["2021"], 2'250, 180);
  EXPECT_NEAR(years["2022"], 1'834, 180);
}

TEST(Synthetic, WritesFollowersInTheirFourForms) {
  const auto last = [](std::size_t row) { return text(Kind::kPin, kFollowers, row).back(); };
  const auto is_digits = [&](std::size_t row) { return last(row) >= '0' && last(row) <= '9'; };
  EXPECT_NEAR(share(is_digits), 17.3, 4);
  EXPECT_NEAR(share([&](std::size_t row) { return last(row) == 'k'; }), 73.9, 6);
  EXPECT_NEAR(share([&](std::size_t row) { return last(row) == 'M'; }), 8.1, 5);
  EXPECT_NEAR(pin_share(kFollowers, "User Info Error"), 0.79, 0.01);
  EXPECT_NEAR(pin_share(kFollowers, "0"), 0.5, 0.4);
  std::map<std::string_view, std::set<std::string_view>> counts;
  for (std::size_t row = 0; row < rows(); ++row) {
    const std::string_view count = text(Kind::kPin, kFollowers, row);
    counts[text(Kind::kPin, kPoster, row)].insert(count);
    if (is_digits(row)) ASSERT_LE(count.size(), 3u);
  }
  const auto several = std::ranges::count_if(counts, [](const auto& entry) { return entry.second.size() > 1; });
  EXPECT_GT(several, 2);
  EXPECT_LT(several, 60);
}

TEST(Synthetic, LetsSentinelsOccurTogetherAsTheyDo) {
  const auto look = [](std::size_t row) {
    const auto is = [&](Pin column, std::string_view value) { return text(Kind::kPin, column, row) == value; };
    return fmt::format("{} d{} t{} i{}", text(Kind::kPin, kType, row).substr(0, 5),
                       is(kDescription, "No description available Story format") ? "S"
                       : is(kDescription, "No description available")            ? "s"
                                                                                 : "+",
                       is(kTags, "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e") ? "-" : "+",
                       is(kImage, "Image src error.") ? "-" : "+");
  };
  std::map<std::string, double> seen;
  for (std::size_t row = 0; row < rows(); ++row) seen[look(row)] += 100.0 / static_cast<double>(rows());
  const std::map<std::string, double> expected = {
      {"image d+ t+ i+", 87.3}, {"video d+ t+ i+", 2.83}, {"multi dS t+ i+", 5.02}, {"multi dS t+ i-", 1.71},
      {"image ds t+ i+", 1.55}, {"multi dS t- i-", 0.79}, {"image d+ t- i+", 0.58}, {"video d+ t- i+", 0.07},
      {"multi dS t- i+", 0.11}, {"video ds t+ i+", 0.09}};
  for (const auto& [what, percent] : seen) {
    ASSERT_TRUE(expected.contains(what)) << what;
    EXPECT_NEAR(percent, expected.at(what), percent > 50 ? 1.5 : 0.6 + percent / 10) << what;
  }
  EXPECT_EQ(seen.size(), expected.size()) << "a combination is missing";
}

TEST(Synthetic, HasOnePersonBehindAllUnknownPosters) {
  std::set<std::string> people;
  int posts = 0;
  for (std::size_t row = 0; row < rows(); ++row) {
    const bool unknown = text(Kind::kPin, kPoster, row) == "User Info Error";
    EXPECT_EQ(unknown, text(Kind::kPin, kFollowers, row) == "User Info Error");
    EXPECT_EQ(unknown, text(Kind::kPin, kTitle, row) == "No Title Data Available");
    if (!unknown) continue;
    people.insert(person(row) + place(row));
    ++posts;
  }
  EXPECT_EQ(people.size(), 1u);
  EXPECT_EQ(posts, 88);
}

TEST(Synthetic, CountsAsDownloadedWhatHasAnImage) {
  const auto& downloaded = default_set().at(Kind::kPin).columns()[kDownloaded];
  for (std::size_t row = 0; row < rows(); ++row) {
    ASSERT_EQ(downloaded.integer_at(row), text(Kind::kPin, kImage, row) == "Image src error." ? 0 : 1);
  }
}

TEST(Synthetic, HasEveryFormOfOddTextAtItsShare) {
  struct Form {
    std::string_view name;
    Pin column;
    std::function<bool(std::string_view)> holds;
    double percent, tolerance;  // Of all posts. The tolerance of a rarity is its own size: once is enough.
  };
  const auto contains = [](std::string_view part) { return [part](std::string_view t) { return has(t, part); }; };
  const auto tags = [](std::ptrdiff_t n) {
    return [n](std::string_view t) { return !t.starts_with("N,o") && std::ranges::count(t, ',') == n - 1; };
  };
  const Form forms[] = {
      {"empty title", kTitle, [](std::string_view t) { return t.empty(); }, 0.045, 0.04},
      {"untitled", kTitle, [](std::string_view t) { return t == "Untitled"; }, 0.03, 0.028},
      {"untitled photo", kTitle, [](std::string_view t) { return t == "Untitled: Photo"; }, 0.03, 0.028},
      {"blank at the end", kTitle, [](std::string_view t) { return t.ends_with(' '); }, 0.2, 0.1},
      {"blank at the start", kTitle, [](std::string_view t) { return t.starts_with(' '); }, 0.1, 0.09},
      {"newline", kTitle, contains("\n"), 0.18, 0.09},
      {"many newlines", kTitle, contains("\n\n\n"), 0.09, 0.085},
      {"no-break space", kTitle, contains("\u00a0"), 0.3, 0.15},
      {"control sign", kTitle, contains("\u0099"), 0.03, 0.028},
      {"backslash", kTitle, contains("\\"), 0.03, 0.028},
      {"replacement sign", kTitle, contains("\ufffd"), 0.03, 0.028},
      {"double quotes", kTitle, contains("\""), 1.0, 0.5},
      {"apostrophe", kTitle, contains("'"), 6.7, 2},
      {"not ASCII", kTitle, has_non_ascii, 10.3, 2},
      {"astral", kTitle, has_astral, 1.15, 0.6},
      {"right to left", kTitle, contains("\u05d2"), 0.045, 0.04},
      {"zero width", kTitle, contains("\u200b"), 0.045, 0.04},
      {"combining", kTitle, contains("e\u0301"), 0.045, 0.04},
      {"long", kTitle, [](std::string_view t) { return t.size() > 150; }, 0.03, 0.028},
      {"description untitled", kDescription, [](std::string_view t) { return t == "Untitled"; }, 0.03, 0.028},
      {"cut off", kDescription, [](std::string_view t) { return t.ends_with("\u2026\u00a0"); }, 35.8, 3},
      {"cut off without blank", kDescription, [](std::string_view t) { return t.ends_with("\u2026"); }, 0.8, 0.3},
      {"description not ASCII", kDescription, has_non_ascii, 43.1, 4},
      {"description quotes", kDescription, contains("\""), 2.4, 1},
      {"description backslash", kDescription, contains("\\\""), 0.045, 0.04},
      {"entity", kDescription, contains("&amp;"), 0.03, 0.028},
      {"address", kDescription, contains("https://"), 0.225, 0.15},
      {"description replacement", kDescription, contains("\ufffd"), 0.03, 0.028},
      {"begins with NaN", kDescription, [](std::string_view t) { return t.starts_with("NaN"); }, 0.03, 0.028},
      {"poster blank at an end", kPoster, [](std::string_view t) { return t.starts_with(' ') || t.ends_with(' '); },
       1.8, 1.2},
      {"poster not ASCII", kPoster, has_non_ascii, 2.3, 1.8},
      {"poster astral", kPoster, has_astral, 0.2, 0.19},
      {"poster quotes", kPoster, contains("\""), 0.04, 0.038},
      {"poster of digits", kPoster, [](std::string_view t) { return std::ranges::all_of(t, isdigit); }, 0.1, 0.098},
      {"poster of one sign", kPoster, [](std::string_view t) { return t == "\u00ae"; }, 0.01, 0.008},
      {"poster with an address", kPoster, [](std::string_view t) { return has(t, ".example") || has(t, "@"); }, 3.2, 2},
      {"poster that repeats itself", kPoster, contains("Edit settings"), 0.03, 0.028},
      {"poster beginning with Nan", kPoster, [](std::string_view t) { return t.starts_with("Nan"); }, 0.15, 0.145},
      {"poster with a pipe", kPoster, contains("|"), 8, 7},
      {"poster with a comma", kPoster, contains(","), 8, 7},
      {"poster with an ampersand", kPoster, contains("&"), 8, 7},
      {"nine tags", kTags, tags(9), 98.3, 1},
      {"eight tags", kTags, tags(8), 0.135, 0.1},
      {"seven tags", kTags, tags(7), 0.03, 0.028},
      {"three tags", kTags, tags(3), 0.03, 0.028},
      {"blanks after commas", kTags, [](std::string_view t) { return has(t, ", ") && !t.starts_with("N,o"); }, 0.03,
       0.028},
      {"tags with apostrophe", kTags, contains("'"), 3.2, 1.2},
      {"tags not ASCII", kTags, has_non_ascii, 0.9, 0.5},
      {"jpg", kImage, [](std::string_view t) { return t.ends_with(".jpg"); }, 82.9, 3},
      {"png", kImage, [](std::string_view t) { return t.ends_with(".png"); }, 14.1, 2},
      {"webp", kImage, [](std::string_view t) { return t.ends_with(".webp"); }, 0.45, 0.3},
      {"gif", kImage, [](std::string_view t) { return t.ends_with(".gif"); }, 0.13, 0.125},
      {"video thumbnail", kImage, contains("/videos/thumbnails/originals/"), 2.99, 0.8},
  };
  for (const Form& form : forms) {
    const double percent = share([&](std::size_t row) { return form.holds(text(Kind::kPin, form.column, row)); });
    EXPECT_NEAR(percent, form.percent, form.tolerance) << form.name;
    EXPECT_GT(percent, 0) << form.name;
  }
  std::size_t longest_title = 0, longest_description = 0, longest_tags = 0;
  for (std::size_t row = 0; row < rows(); ++row) {
    longest_title = std::max(longest_title, text(Kind::kPin, kTitle, row).size());
    longest_description = std::max(longest_description, text(Kind::kPin, kDescription, row).size());
    longest_tags = std::max(longest_tags, text(Kind::kPin, kTags, row).size());
  }
  EXPECT_NEAR(static_cast<double>(longest_title), 190, 10);
  EXPECT_NEAR(static_cast<double>(longest_description), 195, 15);
  EXPECT_NEAR(static_cast<double>(longest_tags), 230, 30);
}

TEST(Synthetic, RepeatsSomeContentUnderAnotherIndex) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>,
           std::set<std::string_view>>
      seen;
  for (std::size_t row = 0; row < rows(); ++row) {
    const std::string_view title = text(Kind::kPin, kTitle, row);
    const std::string_view image = text(Kind::kPin, kImage, row);
    if (title == "No Title Data Available" || image == "Image src error.") continue;
    seen[{title, text(Kind::kPin, kDescription, row), text(Kind::kPin, kPoster, row), image}].insert(
        text(Kind::kPin, kCategory, row));
  }
  std::size_t contents = 0, across = 0;
  for (const auto& [content, categories] : seen) {
    contents += 1;
    across += categories.size() > 1 ? 1 : 0;
  }
  const auto repeated = rows() - contents;
  EXPECT_GT(repeated, 5u);
  EXPECT_GT(across, 0u);
}

TEST(Synthetic, KeepsItsSharesInALargerSet) {
  // More people than there are plain poster names.
  SyntheticPosts posts({.seed = 4, .posts = 140'000});
  std::size_t young = 0, all = 0, unknown = 0;
  std::set<std::string> posters;
  for (Slice slice = posts.next(8'192); slice.at(Kind::kPin).rows() > 0; slice = posts.next(8'192)) {
    for (std::size_t row = 0; row < slice.at(Kind::kPin).rows(); ++row) {
      ++all;
      young += slice.at(Kind::kUser).columns()[3].integer_at(row) <= 24 ? 1 : 0;
      const std::string_view poster = slice.at(Kind::kPin).columns()[kPoster].text_at(row);
      unknown += poster == "User Info Error" ? 1 : 0;
      posters.emplace(poster);
    }
  }
  EXPECT_EQ(all, 140'000u);
  EXPECT_NEAR(static_cast<double>(posters.size()), 140'000 * 0.4758, 2);
  EXPECT_NEAR(static_cast<double>(young) / static_cast<double>(all), 0.42, 0.06);
  EXPECT_NEAR(static_cast<double>(unknown), 1'105, 2);
}

}  // namespace
}  // namespace pinflow::records
