#include "records/internal/synthetic_text.h"

#include <charconv>

#include "base/check.h"
#include "records/internal/synthetic_people.h"

namespace pinflow::records::internal {

namespace {

constexpr std::uint64_t kTitlePurpose = 100;
constexpr std::uint64_t kDescriptionPurpose = 200;
constexpr std::uint64_t kTagPurpose = 300;
constexpr std::string_view kNoBreak = "\u00a0";

template <class Form>
struct Rate {
  std::uint64_t ppm;
  Form form;
};

// Seen once in 4,445 rows: 225 ppm. Rarities are made a little more frequent, so that some survive what
// overrides them.
constexpr Rate<TitleForm> kTitleRates[] = {
    {450, TitleForm::kEmpty},         {300, TitleForm::kUntitled},      {300, TitleForm::kUntitledPhoto},
    {2'000, TitleForm::kBlankAround}, {1'800, TitleForm::kNewlines},    {2'250, TitleForm::kNoBreakSpace},
    {300, TitleForm::kControl},       {300, TitleForm::kBackslash},     {300, TitleForm::kReplacement},
    {450, TitleForm::kRightToLeft},   {450, TitleForm::kZeroWidth},     {450, TitleForm::kCombining},
    {300, TitleForm::kLongest},       {1'500, TitleForm::kMathematical}};
constexpr Rate<DescriptionForm> kDescriptionRates[] = {
    {300, DescriptionForm::kUntitled},      {300, DescriptionForm::kNanTrap}, {450, DescriptionForm::kBackslash},
    {300, DescriptionForm::kEntity},        {2'250, DescriptionForm::kUrl},   {300, DescriptionForm::kReplacement},
    {8'000, DescriptionForm::kEllipsisOnly}};
constexpr Rate<TagForm> kTagRates[] = {{1'350, TagForm::kEight},
                                       {300, TagForm::kSeven},
                                       {300, TagForm::kThree},
                                       {300, TagForm::kBlanks},
                                       {300, TagForm::kLongest}};

template <class Form, std::size_t kSize>
Form form_due(const Rate<Form> (&rates)[kSize], std::uint64_t seed, std::uint64_t post, std::uint64_t purpose) {
  for (const auto& rate : rates) {
    if (is_due(post, rate.ppm, seed, purpose++)) return rate.form;
  }
  return Form{};
}

std::string_view pick(Words words, Random& chance) {
  return words[chance.below(words.size())];
}

void append_pattern(std::string& out, std::string_view pattern, const CategoryWords& words, Random& chance) {
  std::size_t at = 0;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', at)) {
    out += pattern.substr(at, open - at);
    switch (pattern[open + 1]) {
      case 'a':
        out += pick(adjectives(), chance);
        break;
      case 'l': {
        const std::size_t first = out.size();
        out += pick(adjectives(), chance);
        out[first] = static_cast<char>(out[first] | 0x20);
        break;
      }
      case 'n':
        out += pick(words.subjects, chance);
        break;
      case 's':
        out += pick(seasons(), chance);
        break;
      case 'w':
        out += pick(people_words(), chance);
        break;
      case 'x':
        out += pick(accented_words(), chance);
        break;
      case 'c': {
        char digits[4];
        out.append(digits, std::to_chars(digits, digits + 4, 3 + chance.below(58)).ptr);
        break;
      }
      default:
        CHECK(false, "a pattern of the synthetic texts has an unknown place");
    }
    at = open + 3;
  }
  out += pattern.substr(at);
}

void append_plain_title(std::string& out, const CategoryWords& words, Random& chance) {
  const std::uint64_t draw = chance.below(1'000);
  const Words patterns = draw < 67    ? apostrophe_titles()
                         : draw < 78  ? quoted_titles()
                         : draw < 166 ? accented_titles()
                                      : plain_titles();
  append_pattern(out, pick(patterns, chance), words, chance);
  if (chance.below(1'000) < 11) {
    out += ' ';
    out += pick(emoji(), chance);
  }
}

// Cuts at the last whole word within `length` characters, of which all here are ASCII or start anew.
void cut(std::string& out, std::size_t begin, std::size_t length) {
  if (out.size() - begin <= length) return;
  std::size_t end = begin + length;
  while (end > begin && out[end] != ' ') --end;
  out.resize(end);
}

void append_sentences(std::string& out, std::size_t length, const CategoryWords& words, Random& chance) {
  const std::size_t begin = out.size();
  while (out.size() - begin < length) {
    if (out.size() > begin) out += ' ';
    append_pattern(out, pick(sentences(), chance), words, chance);
  }
}

}  // namespace

TitleForm title_form(std::uint64_t seed, std::uint64_t post) {
  return form_due(kTitleRates, seed, post, kTitlePurpose);
}
DescriptionForm description_form(std::uint64_t seed, std::uint64_t post) {
  return form_due(kDescriptionRates, seed, post, kDescriptionPurpose);
}
TagForm tag_form(std::uint64_t seed, std::uint64_t post) {
  return form_due(kTagRates, seed, post, kTagPurpose);
}

void append_title(std::string& out, TitleForm form, const CategoryWords& words, Random& chance) {
  const std::size_t begin = out.size();
  const auto plain = [&] { append_plain_title(out, words, chance); };
  switch (form) {
    case TitleForm::kPlain:
      plain();
      return;
    case TitleForm::kEmpty:
      return;
    case TitleForm::kUntitled:
      out += "Untitled";
      return;
    case TitleForm::kUntitledPhoto:
      out += "Untitled: Photo";
      return;
    case TitleForm::kBlankAround:
      if (chance.chance(0.5)) out += ' ';
      plain();
      out += ' ';
      return;
    case TitleForm::kNewlines:
      append_pattern(out, chance.chance(0.5) ? "{a}\u00a0\n\u00a0{n}" : "{a} \n\n\n\n\n\n{n}", words, chance);
      return;
    case TitleForm::kNoBreakSpace:
      append_pattern(out, "{c}\u00a0{a}\u00a0{n}", words, chance);
      return;
    case TitleForm::kControl:
      append_pattern(out, "{w}\u0099 {n}", words, chance);
      return;
    case TitleForm::kBackslash:
      append_pattern(out, "{n} \\ {a}", words, chance);
      return;
    case TitleForm::kReplacement:
      append_pattern(out, "{a} \ufffd {n}", words, chance);
      return;
    case TitleForm::kRightToLeft:
      append_pattern(out, "\u05d2\u05d9\u05e0\u05d4 \u05e9\u05e7\u05d8\u05d4 {c} \u0641\u0643\u0631\u0629", words,
                     chance);
      return;
    case TitleForm::kZeroWidth:
      append_pattern(out, chance.chance(0.5) ? "\u200b{a} {n}" : "{a} {n}\u200b", words, chance);
      return;
    case TitleForm::kCombining:
      append_pattern(out, "Cafe\u0301 {n}, {a} e\u0300 {a}", words, chance);
      return;
    case TitleForm::kLongest:
      while (out.size() - begin < 199) {
        plain();
        out += " / ";
      }
      cut(out, begin, 199);
      return;
    case TitleForm::kMathematical:
      append_pattern(out, "\U0001D5E1\U0001D5F2\U0001D604 {n} \U0001D4EF\U0001D4F8\U0001D4FB {w}", words, chance);
      return;
  }
  CHECK(false, "a title form outside its enum");
}

void append_description(std::string& out, DescriptionForm form, const CategoryWords& words, Random& chance) {
  const std::size_t begin = out.size();
  switch (form) {
    case DescriptionForm::kPlain:
      break;
    case DescriptionForm::kUntitled:
      out += "Untitled";
      return;
    case DescriptionForm::kNanTrap:
      append_pattern(out, "NaNoGarden is what we call our {n}. Nancy likes them {l}.", words, chance);
      return;
    case DescriptionForm::kBackslash:
      append_pattern(out, "{a} {n}, {c}\\\" x {c}\\\" \\\\ made by hand", words, chance);
      return;
    case DescriptionForm::kEntity:
      append_pattern(out, "{n} &amp; {a} things for {w}", words, chance);
      return;
    case DescriptionForm::kUrl:
      append_pattern(out, "{a} {n}: https://notes.example/{c}?from=pin&page=2", words, chance);
      return;
    case DescriptionForm::kReplacement:
      append_pattern(out, "{a} {n} \ufffd{w}", words, chance);
      return;
    case DescriptionForm::kEllipsisOnly:
      append_sentences(out, 60, words, chance);
      out.back() = ',';
      out += " and\u2026";
      return;
  }
  if (chance.below(1'000) < 394) {  // Cut off by the source: 36 in 100 posts, of those that have a description.
    append_sentences(out, 190, words, chance);
    cut(out, begin, 177);
    out += "\u2026";
    out += kNoBreak;
    return;
  }
  const std::uint64_t draw = chance.below(1'000);
  if (draw < 60) {
    append_pattern(out, "{n}", words, chance);
    return;
  }
  if (draw < 150) append_pattern(out, "{x} {n} \u2013 {a}. ", words, chance);
  if (draw >= 150 && draw < 192) append_pattern(out, "\"{a} {n}\" for {w}. ", words, chance);
  append_sentences(out, 20 + chance.below(120), words, chance);
  if (draw > 970) {
    out += ' ';
    out += pick(emoji(), chance);
  }
  cut(out, begin, 201);
}

void append_tags(std::string& out, TagForm form, const CategoryWords& words, Random& chance) {
  int wanted = 9;
  std::string_view comma = ",";
  switch (form) {
    case TagForm::kNine:
    case TagForm::kLongest:
      break;
    case TagForm::kEight:
      wanted = 8;
      break;
    case TagForm::kSeven:
      wanted = 7;
      break;
    case TagForm::kThree:
      wanted = 3;
      break;
    case TagForm::kBlanks:
      comma = chance.chance(0.5) ? ", " : ",             ";
      break;
  }
  // Neighbours in the list, so that none comes twice.
  const std::size_t first = chance.below(words.tags.size());
  for (int i = 0; i < wanted; ++i) {
    if (i > 0) out += comma;
    const std::string_view tag = words.tags[(first + static_cast<std::size_t>(i)) % words.tags.size()];
    if (form == TagForm::kLongest) {
      out += pick(adjectives(), chance);
      out += ' ';
    }
    // The tag with an apostrophe is rarer than the others.
    if (tag.find('\'') != std::string_view::npos && chance.below(1'000) >= 55) {
      out += pick(seasons(), chance);
      out += " ideas";
      continue;
    }
    out += tag;
    if (i == 4) out += chance.below(1'000) < 9 ? " caf\u00e9" : "";
    if (i == 7 && chance.chance(0.5)) out += " ideas";
  }
}

}  // namespace pinflow::records::internal
