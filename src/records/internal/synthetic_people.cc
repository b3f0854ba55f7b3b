#include "records/internal/synthetic_people.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"
#include "records/internal/synthetic_words.h"

namespace pinflow::records::internal {

namespace {

// Purposes of chance_for and is_due; a new one never changes what the others give.
enum Purpose : std::uint64_t { kAttributes = 1, kHome, kSlots, kShuffle, kDecoration, kOther, kBlank, kOdd };

// Of the data set whose structure is copied: 11,154 posts of 5,307 people, 3,869 of them with one post; the
// largest has 244, the pseudo-person 88.
constexpr double kPosts = 11'154;
constexpr double kPeopleShare = 5'307 / kPosts;
constexpr double kSeveralShare = (5'307 - 3'869) / 5'307.0;
constexpr double kLargestShare = 244 / kPosts;
constexpr double kUnknownShare = 88 / kPosts;
constexpr std::uint32_t kUnknownPerson = 2;
constexpr std::uint32_t kMostDraws = 244;
constexpr std::uint32_t kMostFollowerDraws = 40;  // Posting more than this brings no more followers.
constexpr std::uint32_t kBusiest = 4'096;

constexpr std::int64_t kFirstJoin = 1'445'397'467;  // 2015-10-21 03:17:47
constexpr std::int64_t kLastJoin = 1'508'496'266;   // 2017-10-20 10:44:26

// Followers of a person with one post, at each twentieth of the people; then at 97, 98, 99, 99.5, 99.9 and
// 100 per cent.
struct Knot {
  std::uint64_t ppm;
  std::uint64_t followers;
};
constexpr Knot kFollowers[] = {{0, 0},
                               {12'000, 0},
                               {50'000, 10},
                               {100'000, 35},
                               {150'000, 90},
                               {200'000, 170},
                               {250'000, 298},
                               {300'000, 500},
                               {350'000, 800},
                               {400'000, 1'300},
                               {450'000, 2'000},
                               {500'000, 3'000},
                               {550'000, 4'300},
                               {600'000, 6'200},
                               {650'000, 9'000},
                               {700'000, 13'500},
                               {750'000, 20'000},
                               {800'000, 32'000},
                               {850'000, 53'000},
                               {900'000, 88'000},
                               {950'000, 234'000},
                               {970'000, 420'000},
                               {980'000, 650'000},
                               {990'000, 1'500'000},
                               {995'000, 2'500'000},
                               {999'000, 7'000'000},
                               {1'000'000, 15'900'000}};

std::uint64_t followers_at(std::uint32_t draw) {
  const std::uint64_t ppm = (std::uint64_t{draw} * 1'000'000) >> 32;
  std::size_t upper = 1;
  while (kFollowers[upper].ppm <= ppm && upper + 1 < std::size(kFollowers)) ++upper;
  const Knot& low = kFollowers[upper - 1];
  const Knot& high = kFollowers[upper];
  return low.followers + (high.followers - low.followers) * (ppm - low.ppm) / (high.ppm - low.ppm);
}

std::uint64_t scale(std::uint32_t draw, std::uint64_t bound) {
  return (std::uint64_t{draw} * bound) >> 32;
}

// A coordinate in units of 1e-5 degrees, kept to six significant digits as single precision shows it.
double coordinate(std::int64_t units) {
  const std::int64_t size = std::abs(units);
  if (size >= 10'000'000) return static_cast<double>(units / 100) / 1e3;
  if (size >= 1'000'000) return static_cast<double>(units / 10) / 1e4;
  return static_cast<double>(units) / 1e5;
}

std::string_view pick(Words words, std::uint32_t draw) {
  return words[scale(draw, words.size())];
}

}  // namespace

Random chance_for(std::uint64_t seed, std::uint64_t purpose, std::uint64_t thing) {
  // Multipliers of large odd numbers keep neighbours apart; Random's own seeding mixes the rest.
  return Random(seed * 0x9e3779b97f4a7c15ULL ^ (purpose + 1) * 0xd1342543de82ef95ULL ^
                (thing + 1) * 0xbf58476d1ce4e5b9ULL);
}

bool is_due(std::uint64_t index, std::uint64_t rate_ppm, std::uint64_t seed, std::uint64_t purpose) {
  std::uint64_t phase = (seed ^ purpose * 0xd1342543de82ef95ULL) * 0x9e3779b97f4a7c15ULL;
  phase = (phase ^ (phase >> 29)) * 0xbf58476d1ce4e5b9ULL >> 32;
  return (index * rate_ppm + phase) % 1'000'000 < rate_ppm;
}

std::vector<std::size_t> category_block_ends(std::int64_t posts) {
  std::vector<std::size_t> ends;
  std::uint64_t share = 0;
  for (const CategoryWords& category : categories()) {
    share += category.share;
    ends.push_back(static_cast<std::size_t>(static_cast<std::uint64_t>(posts) * share / 11'154));
  }
  CHECK(share == 11'154, "the shares of the categories do not add up");
  return ends;
}

People::People(const SyntheticOptions& options) : seed_(options.seed), posts_(options.posts) {
  CHECK(posts_ >= 0 && posts_ <= std::numeric_limits<std::uint32_t>::max(), "the number of posts is out of range");
  if (posts_ == 0) return;
  people_ = static_cast<std::uint32_t>(std::max(1.0, std::round(kPeopleShare * static_cast<double>(posts_))));
  several_ = count_posts();
  assign_posts(category_block_ends(posts_));
  for (std::uint32_t p = 0; p < std::min<std::size_t>(kBusiest, several_.size()); ++p)
    busiest_.push_back(draw(PersonId(p)));
}

// Post counts fall off with rank r as largest / (1 + r)^steepness. The steepness is the one that spends all
// posts.
std::vector<std::uint32_t> People::count_posts() const {
  const auto total = static_cast<double>(posts_);
  const auto several = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::round(people_ * kSeveralShare)));
  const auto wanted = posts_ - (people_ - several);
  const double largest = std::max(2.0, std::round(kLargestShare * total));
  const auto counts_at = [&](double steepness) {
    std::vector<std::uint32_t> counts(several);
    for (std::uint32_t r = 0; r < several; ++r) {
      counts[r] = std::max(2u, static_cast<std::uint32_t>(std::lround(largest * std::pow(1.0 + r, -steepness))));
    }
    if (several > kUnknownPerson) {
      counts[kUnknownPerson] = std::max(1u, static_cast<std::uint32_t>(std::lround(kUnknownShare * total)));
    }
    return counts;
  };
  const auto sum = [](const std::vector<std::uint32_t>& counts) {
    std::int64_t all = 0;
    for (const std::uint32_t count : counts) all += count;
    return all;
  };
  double flat = 0;
  double steep = 4;
  for (int step = 0; step < 40; ++step) {
    const double middle = (flat + steep) / 2;
    (sum(counts_at(middle)) > wanted ? flat : steep) = middle;
  }
  std::vector<std::uint32_t> counts = counts_at(steep);
  // The rest, a handful, goes to those in the middle; in tiny sets it may also have to be taken from them.
  std::int64_t rest = wanted - sum(counts);
  for (std::uint32_t r = several > 8 ? 4 : 0; rest != 0; r = (r + 1) % several) {
    if (rest < 0 && counts[r] == 1) continue;
    if (several > 8 && (r == 0 || r == kUnknownPerson)) continue;
    counts[r] += rest > 0 ? 1 : -1;
    rest += rest > 0 ? -1 : 1;
  }
  return counts;
}

std::size_t People::home_category(PersonId person) const {
  std::uint64_t draw = chance_for(seed_, kHome, person.value()).below(11'154);
  std::size_t category = 0;
  for (; draw >= categories()[category].share; ++category) draw -= categories()[category].share;
  return category;
}

// Gives every post of a person to a category, mostly the home one, until each block is full; what finds its
// block full goes where there is room. Then shuffles within each block.
void People::assign_posts(const std::vector<std::size_t>& block_ends) {
  constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
  authors_.assign(static_cast<std::size_t>(posts_), kNobody);
  const std::size_t blocks = block_ends.size();
  std::vector<std::size_t> next(blocks, 0);
  for (std::size_t b = 1; b < blocks; ++b) next[b] = block_ends[b - 1];
  std::vector<std::uint32_t> homeless;
  for (std::uint32_t p = 0; p < people_; ++p) {
    Random chance = chance_for(seed_, kSlots, p);
    const std::size_t home = home_category(PersonId(p));
    // Two in three keep to their category, the others post everywhere.
    const double loyalty = p == kUnknownPerson ? 0 : chance.chance(0.65) ? 0.85 : 0.2;
    for (std::uint32_t i = posts_of(PersonId(p)); i > 0; --i) {
      std::size_t block = home;
      if (!chance.chance(loyalty)) {
        const std::size_t index = chance.below(static_cast<std::uint64_t>(posts_));
        block = static_cast<std::size_t>(std::ranges::upper_bound(block_ends, index) - block_ends.begin());
      }
      if (next[block] < block_ends[block]) {
        authors_[next[block]++] = p;
      } else {
        homeless.push_back(p);
      }
    }
  }
  Random chance = chance_for(seed_, kShuffle, 0);
  const auto shuffle = [&](std::uint32_t* begin, std::size_t size) {
    for (std::size_t i = size; i > 1; --i) std::swap(begin[i - 1], begin[chance.below(i)]);
  };
  shuffle(homeless.data(), homeless.size());
  for (std::size_t b = 0; b < blocks; ++b) {
    for (; next[b] < block_ends[b]; ++next[b]) {
      authors_[next[b]] = homeless.back();
      homeless.pop_back();
    }
    const std::size_t begin = b == 0 ? 0 : block_ends[b - 1];
    shuffle(authors_.data() + begin, block_ends[b] - begin);
  }
  CHECK(homeless.empty(), "posts and their authors do not match in number");
}

std::uint32_t People::posts_of(PersonId person) const {
  return person.value() < several_.size() ? several_[person.value()] : 1;
}

Person People::describe(PersonId person) const {
  return person.value() < busiest_.size() ? busiest_[person.value()] : draw(person);
}

Person People::draw(PersonId person) const {
  // In larger sets the same ranks have more posts, but are hardly more extreme; this keeps the shares of ages and years.
  const std::uint32_t posts = posts_of(person);
  const double shrink = std::sqrt(std::sqrt(std::min(1.0, kPosts / static_cast<double>(posts_))));
  const auto draws = std::clamp(static_cast<std::uint32_t>(posts * shrink), std::min(posts, 2u), kMostDraws);
  constexpr std::uint32_t kTop = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t first = kTop, last = kTop, age = kTop, joined = kTop, country = kTop, latitude = kTop, longitude = kTop;
  std::uint32_t followers = 0;
  Random chance = chance_for(seed_, kAttributes, person.value());
  for (std::uint32_t i = 0; i < draws; ++i) {
    const auto lower = [&chance](std::uint32_t& a, std::uint32_t& b) {
      const std::uint64_t word = chance();
      a = std::min(a, static_cast<std::uint32_t>(word));
      b = std::min(b, static_cast<std::uint32_t>(word >> 32));
    };
    lower(first, last);
    lower(age, joined);
    lower(country, latitude);
    std::uint32_t inverse = kTop;
    lower(longitude, inverse);
    if (i < kMostFollowerDraws) followers = std::max(followers, kTop - inverse);
  }
  Person made;
  made.first_name = pick(first_names(), first);
  made.last_name = pick(last_names(), last);
  made.age = 20 + static_cast<std::int32_t>(scale(age, 41));
  made.joined = kFirstJoin + static_cast<std::int64_t>(scale(joined, kLastJoin - kFirstJoin + 1));
  made.country = pick(country_names(), country);
  made.latitude = coordinate(-8'998'000 + static_cast<std::int64_t>(scale(latitude, 17'998'000)));
  made.longitude = coordinate(-17'991'000 + static_cast<std::int64_t>(scale(longitude, 35'985'000)));
  made.followers = followers_at(followers);
  made.other_followers = made.followers;
  if (is_due(person.value(), 15'000, seed_, kOther))
    made.other_followers = made.followers + made.followers / 90 + 1'000;
  made.unknown = person.value() == kUnknownPerson;
  return made;
}

namespace {

// Latin letters as the mathematical bold fraktur alphabet, U+1D56C and on.
void append_fraktur(std::string& out, std::string_view text) {
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (!upper && !(c >= 'a' && c <= 'z')) {
      out += c;
      continue;
    }
    const auto low = static_cast<std::uint32_t>(upper ? 0x1D56C + (c - 'A') : 0x1D586 + (c - 'a'));
    out += '\xf0';
    out += static_cast<char>(0x80 | ((low >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((low >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (low & 0x3f));
  }
}

void append_style(std::string& out, std::uint64_t style, std::string_view a, std::string_view n) {
  const auto to = std::back_inserter(out);
  switch (style) {
    case 0:
      fmt::format_to(to, "{} {}", a, n);
      return;
    case 1:
      fmt::format_to(to, "The {} {}", a, n);
      return;
    case 2:
      fmt::format_to(to, "{} {} Studio", a, n);
      return;
    case 3:
      fmt::format_to(to, "{} & {}", a, n);
      return;
    case 4:
      fmt::format_to(to, "{} {} | Handmade Things", a, n);
      return;
    case 5:
      fmt::format_to(to, "{} {} Blog", a, n);
      return;
    case 6:
      fmt::format_to(to, "{}, {} and Co", a, n);
      return;
    case 7:
      fmt::format_to(to, "{}{}HQ", a, n);
      return;
    case 8:
      fmt::format_to(to, "{} by the {}", a, n);
      return;
    case 9:
      fmt::format_to(to, "Life at {} {}", a, n);
      return;
    case 10:
      fmt::format_to(to, "{} {}'s Notes", a, n);
      return;
    default:
      fmt::format_to(to, "House of {} {}", a, n);
      return;
  }
}

// The odd names, by chance of the person: each keeps the words of the plain one, so that it stays the only
// one of its kind.
bool append_odd_name(std::string& out, std::uint64_t seed, std::uint32_t person, std::string_view plain,
                     std::string_view a, std::string_view n) {
  const auto to = std::back_inserter(out);
  const auto due = [&](std::uint64_t rate, std::uint64_t which) { return is_due(person, rate, seed, kOdd + which); };
  if (due(300, 0)) {
    for (int i = 0; i < 8; ++i) fmt::format_to(to, "{} Edit settings ", plain);
    out.pop_back();
  } else if (due(1'000, 1)) {
    fmt::format_to(to, "{}", 1'000 + person);
  } else if (due(2'000, 2)) {
    append_fraktur(out, plain);
  } else if (due(400, 3)) {
    fmt::format_to(to, "\"{}\"", plain);
  } else if (due(600, 4)) {
    fmt::format_to(to, "Nanette / {}", plain);
  } else if (due(16'000, 5)) {
    fmt::format_to(to, "{}.example", plain);
    std::erase(out, ' ');
  } else if (due(16'000, 6)) {
    fmt::format_to(to, "{} @{}{}", plain, a, n);
  } else if (due(12'000, 7)) {
    fmt::format_to(to, "{} \u2728", plain);
  } else if (due(8'000, 8)) {
    fmt::format_to(to, "{} Atelier d\u2019\u00c9t\u00e9", plain);
  } else if (due(9'000, 9)) {
    fmt::format_to(to, "{} ", plain);
  } else if (due(9'000, 10)) {
    fmt::format_to(to, " {}", plain);
  } else {
    return false;
  }
  return true;
}

}  // namespace

void People::append_poster_name(std::string& out, PersonId person) const {
  const std::uint32_t p = person.value();
  if (p == kUnknownPerson) {
    out += "User Info Error";
    return;
  }
  if (p == several_.size()) {  // One name of a single sign.
    out += "\u00ae";
    return;
  }
  constexpr std::uint64_t kStyles = 12;
  const Words adjectives = poster_adjectives();
  const Words nouns = poster_nouns();
  const std::uint64_t names = adjectives.size() * nouns.size() * kStyles;
  // A prime stride that does not divide their number visits each name once before any is numbered.
  const std::uint64_t at = (p * 48'611ULL + seed_ % names) % names;
  const std::string_view a = adjectives[at % adjectives.size()];
  const std::string_view n = nouns[at / adjectives.size() % nouns.size()];
  const std::size_t begin = out.size();
  append_style(out, at / adjectives.size() / nouns.size(), a, n);
  if (p >= names) fmt::format_to(std::back_inserter(out), " {}", p / names + 1);
  std::string odd;
  if (append_odd_name(odd, seed_, p, std::string_view(out).substr(begin), a, n))
    out.replace(begin, std::string::npos, odd);
}

}  // namespace pinflow::records::internal
