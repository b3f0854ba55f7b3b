#include "records/synthetic.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/check.h"
#include "base/uuid.h"
#include "records/internal/synthetic_people.h"
#include "records/internal/synthetic_text.h"
#include "records/internal/synthetic_words.h"

namespace pinflow::records {

namespace {

using namespace internal;

enum Purpose : std::uint64_t { kPost = 20, kContent, kId };

constexpr std::int64_t kFirstPost = 1'508'426'022;  // 2017-10-19 15:13:42
constexpr std::int64_t kLastPost = 1'666'202'066;   // 2022-10-19 17:54:26

// How a post looks and what the source could not tell, with the number of each among 4,412 posts of known
// people.
struct Look {
  std::uint64_t weight;
  std::string_view type;
  bool description;  // False: a sentinel instead.
  bool tags;
  bool image;
};
constexpr std::string_view kImage = "image";
constexpr std::string_view kVideo = "video";
constexpr std::string_view kStory = "multi-video(story page format)";
constexpr Look kLooks[] = {
    {3'880, kImage, true, true, true}, {126, kVideo, true, true, true}, {223, kStory, false, true, true},
    {76, kStory, false, true, false},  {69, kImage, false, true, true}, {26, kImage, true, false, true},
    {3, kVideo, true, false, true},    {5, kStory, false, false, true}, {4, kVideo, false, true, true}};
constexpr Look kUnknown = {33, kStory, false, false, false};

const Look& draw_look(Random& chance) {
  std::uint64_t draw = chance.below(4'412);
  const Look* look = kLooks;
  for (; draw >= look->weight; ++look) draw -= look->weight;
  return *look;
}

void append_followers(Column& column, std::uint64_t followers) {
  char text[24];
  char* end = text + 22;
  if (followers < 1'000) {
    end = std::to_chars(text, end, followers).ptr;
  } else if (followers < 1'000'000) {
    end = std::to_chars(text, end, followers / 1'000).ptr;
    *end++ = 'k';
  } else {
    end = std::to_chars(text, end, followers / 1'000'000).ptr;
    *end++ = 'M';
  }
  column.append_text({text, end});
}

// 'YYYY-MM-DD HH:MM:SS' of seconds since 1970.
std::string_view time_text(std::int64_t seconds, char (&text)[19]) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const auto two = [&text](std::size_t at, std::int64_t value) {
    text[at] = static_cast<char>('0' + value / 10);
    text[at + 1] = static_cast<char>('0' + value % 10);
  };
  two(0, int{date.year()} / 100);
  two(2, int{date.year()} % 100);
  two(5, unsigned{date.month()});
  two(8, unsigned{date.day()});
  two(11, clock.hours().count());
  two(14, clock.minutes().count());
  two(17, clock.seconds().count());
  text[4] = text[7] = '-';
  text[10] = ' ';
  text[13] = text[16] = ':';
  return {text, 19};
}

void append_image_source(std::string& out, const Look& look, Random& chance) {
  out +=
      look.type == kVideo ? "https://images.example/videos/thumbnails/originals/" : "https://images.example/originals/";
  char hex[32];
  std::uint64_t word = 0;
  for (int i = 0; i < 32; ++i) {
    if (i % 16 == 0) word = chance();
    hex[i] = "0123456789abcdef"[word & 15];
    word >>= 4;
  }
  for (int i = 0; i < 6; i += 2) {
    out.append(hex + i, 2);
    out += '/';
  }
  out.append(hex, 32);
  const std::uint64_t draw = chance.below(4'336);
  out += draw < 3'684 ? ".jpg" : draw < 4'310 ? ".png" : draw < 4'330 ? ".webp" : ".gif";
}

}  // namespace

struct SyntheticPosts::State {
  explicit State(const SyntheticOptions& chosen)
      : options(chosen), people(chosen), block_ends(category_block_ends(chosen.posts)) {}

  void add_pin(ColumnBatch& pins, std::int64_t post, PersonId author, const Person& person, Random& chance);
  void add_texts(ColumnBatch& pins, std::int64_t post, PersonId author, const Person& person, const Look& look,
                 std::size_t category, Random& chance);
  void add_geo(ColumnBatch& geos, std::int64_t post, const Person& person, Random& chance) const;
  void add_user(ColumnBatch& users, std::int64_t post, const Person& person) const;

  SyntheticOptions options;
  People people;
  std::vector<std::size_t> block_ends;
  std::int64_t next = 0;
  std::string text;  // Of one cell at a time.
};

void SyntheticPosts::State::add_texts(ColumnBatch& pins, std::int64_t post, PersonId author, const Person& person,
                                      const Look& look, std::size_t category, Random& chance) {
  // Busy people now and then post the same again, under another index, also in another category.
  const bool again = people.posts_of(author) >= 10 && chance.below(1'000) < 20;
  const std::size_t about = again ? people.home_category(author) : category;
  const CategoryWords& words = categories()[about];
  const auto id = static_cast<std::uint64_t>(post);
  Random content = again ? chance_for(options.seed, kContent, ~std::uint64_t{author.value()})
                         : chance_for(options.seed, kContent, id);
  const auto put = [&](std::size_t column, auto&& write) {
    text.clear();
    write();
    pins.column(column).append_text(text);
  };
  put(2, [&] {
    if (person.unknown) {
      text += "No Title Data Available";
    } else {
      append_title(text, again ? TitleForm::kPlain : title_form(options.seed, id), words, content);
    }
  });
  put(3, [&] {
    if (!look.description) {
      text += look.type == kStory ? "No description available Story format" : "No description available";
    } else {
      append_description(text, again ? DescriptionForm::kPlain : description_form(options.seed, id), words, content);
    }
  });
  put(4, [&] { people.append_poster_name(text, author); });
  if (person.unknown) {
    pins.column(5).append_text("User Info Error");
  } else {
    append_followers(pins.column(5), chance.chance(0.5) ? person.followers : person.other_followers);
  }
  put(6, [&] {
    if (look.tags) {
      append_tags(text, tag_form(options.seed, id), words, content);
    } else {
      text += "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e";
    }
  });
  put(8, [&] {
    if (!look.image) {
      text += "Image src error.";
    } else {
      append_image_source(text, look, content);
    }
  });
}

void SyntheticPosts::State::add_pin(ColumnBatch& pins, std::int64_t post, PersonId author, const Person& person,
                                    Random& chance) {
  const auto at = static_cast<std::size_t>(post);
  const auto category = static_cast<std::size_t>(std::ranges::upper_bound(block_ends, at) - block_ends.begin());
  const Look& look = person.unknown ? kUnknown : draw_look(chance);
  pins.column(0).append_integer(post);
  Random id = chance_for(options.seed, kId, at);
  pins.column(1).append_text(Uuid::random(id).to_string());
  add_texts(pins, post, author, person, look, category, chance);
  pins.column(7).append_text(look.type);
  pins.column(9).append_integer(look.image ? 1 : 0);
  text = "Local save in /data/";
  text += categories()[category].name;
  pins.column(10).append_text(text);
  pins.column(11).append_text(categories()[category].name);
}

void SyntheticPosts::State::add_geo(ColumnBatch& geos, std::int64_t post, const Person& person, Random& chance) const {
  const std::int64_t first = std::max(kFirstPost, person.joined);
  const std::int64_t time =
      first + static_cast<std::int64_t>(chance.below(static_cast<std::uint64_t>(kLastPost - first + 1)));
  char text_of_time[19];
  geos.column(0).append_integer(post);
  geos.column(1).append_text(time_text(time, text_of_time));
  geos.column(2).append_double(person.latitude);
  geos.column(3).append_double(person.longitude);
  geos.column(4).append_text(person.country);
}

void SyntheticPosts::State::add_user(ColumnBatch& users, std::int64_t post, const Person& person) const {
  char text_of_time[19];
  users.column(0).append_integer(post);
  users.column(1).append_text(person.first_name);
  users.column(2).append_text(person.last_name);
  users.column(3).append_integer(person.age);
  users.column(4).append_text(time_text(person.joined, text_of_time));
}

SyntheticPosts::SyntheticPosts(const SyntheticOptions& options) : state_(std::make_unique<State>(options)) {}
SyntheticPosts::~SyntheticPosts() = default;

std::map<Kind, ColumnBatch> SyntheticPosts::next(std::size_t limit) {
  std::map<Kind, ColumnBatch> slice;
  for (const Kind kind : kKinds) slice.emplace(kind, ColumnBatch(raw_columns(kind)));
  State& state = *state_;
  const std::int64_t end = static_cast<std::uint64_t>(state.options.posts - state.next) > limit
                               ? state.next + static_cast<std::int64_t>(limit)
                               : state.options.posts;
  for (; state.next < end; ++state.next) {
    const PersonId author = state.people.author_of(state.next);
    const Person person = state.people.describe(author);
    Random chance = chance_for(state.options.seed, kPost, static_cast<std::uint64_t>(state.next));
    state.add_pin(slice.at(Kind::kPin), state.next, author, person, chance);
    state.add_geo(slice.at(Kind::kGeo), state.next, person, chance);
    state.add_user(slice.at(Kind::kUser), state.next, person);
  }
  return slice;
}

}  // namespace pinflow::records
