#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "records/internal/synthetic_words.h"

namespace pinflow::records::internal {

// The odd forms of a text that happen by schedule (is_due), so that every data set of some size has them.
enum class TitleForm {
  kPlain,
  kEmpty,
  kUntitled,
  kUntitledPhoto,
  kBlankAround,
  kNewlines,
  kNoBreakSpace,
  kControl,
  kBackslash,
  kReplacement,
  kRightToLeft,
  kZeroWidth,
  kCombining,
  kLongest,
  kMathematical,
};
enum class DescriptionForm { kPlain, kUntitled, kNanTrap, kBackslash, kEntity, kUrl, kReplacement, kEllipsisOnly };
enum class TagForm { kNine, kEight, kSeven, kThree, kBlanks, kLongest };

TitleForm title_form(std::uint64_t seed, std::uint64_t post);
DescriptionForm description_form(std::uint64_t seed, std::uint64_t post);
TagForm tag_form(std::uint64_t seed, std::uint64_t post);

// Append to `out`. The chance says all the rest, so equal chances give equal texts.
void append_title(std::string& out, TitleForm form, const CategoryWords& words, Random& chance);
void append_description(std::string& out, DescriptionForm form, const CategoryWords& words, Random& chance);
void append_tags(std::string& out, TagForm form, const CategoryWords& words, Random& chance);

}  // namespace pinflow::records::internal
