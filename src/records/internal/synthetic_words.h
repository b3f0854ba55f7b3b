#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace pinflow::records::internal {

using Words = std::span<const std::string_view>;

// What the synthetic data set is written with. The category and country names are those that such data sets
// use; names of people are common ones; all other words are our own.

struct CategoryWords {
  std::string_view name;
  std::size_t share;  // Posts of the category in 11,154, the size of the data set whose structure is copied.
  Words subjects;     // "Harbour Sketches", for titles.
  Words tags;         // "harbour sketch", for tag lists.
};

std::span<const CategoryWords> categories();  // 13, in alphabetical order.
Words country_names();                        // 243, in alphabetical order.
Words first_names();                          // In alphabetical order.
Words last_names();                           // In alphabetical order.

Words adjectives();
Words seasons();
Words people_words();    // "Beginners", as in "for Beginners".
Words accented_words();  // Not ASCII.
Words emoji();           // One or more code points past U+FFFF each.

// Patterns: {a} adjective, {l} the same in lower case, {n} subject of the category, {c} a count, {s} season, {w} people, {x} accented
// word.
Words plain_titles();
Words apostrophe_titles();
Words quoted_titles();
Words accented_titles();
Words sentences();

Words poster_adjectives();
Words poster_nouns();

}  // namespace pinflow::records::internal
