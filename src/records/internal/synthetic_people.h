#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/strong.h"
#include "records/synthetic.h"

namespace pinflow::records::internal {

using PersonId = Strong<struct PersonIdTag, std::uint32_t>;

// Seeds one sequence of chance for one purpose and one thing: the same whatever else was drawn before.
Random chance_for(std::uint64_t seed, std::uint64_t purpose, std::uint64_t thing);

// Spreads a rare form evenly: true for rate_ppm of a million consecutive `index`es, at places that seed and
// purpose shift. Unlike a draw it cannot fail to happen in a data set that is large enough.
bool is_due(std::uint64_t index, std::uint64_t rate_ppm, std::uint64_t seed, std::uint64_t purpose);

struct Person {
  std::string_view first_name;
  std::string_view last_name;
  std::int32_t age = 0;
  std::int64_t joined = 0;  // Seconds since 1970.
  std::string_view country;
  double latitude = 0;
  double longitude = 0;
  std::uint64_t followers = 0;        // Before rounding to k and M.
  std::uint64_t other_followers = 0;  // Of some posts, where it differs.
  bool unknown = false;               // The pseudo-person behind posts whose source could not be read.
};

// Who posts, and who wrote which post. Every attribute of a person is the smallest (followers: the largest)
// of as many draws as the person has posts among 11,154: this gives the correlations that real data of this
// kind shows. Immutable once made. Memory: 4 bytes a post and 4 a person with several posts.
class People {
 public:
  explicit People(const SyntheticOptions& options);
  std::uint32_t count() const { return people_; }
  PersonId author_of(std::int64_t post) const { return PersonId(authors_[static_cast<std::size_t>(post)]); }
  std::uint32_t posts_of(PersonId person) const;
  Person describe(PersonId person) const;
  // Appends the poster name: different for each person, blanks and odd signs included.
  void append_poster_name(std::string& out, PersonId person) const;
  // The category that the person posts to mostly.
  std::size_t home_category(PersonId person) const;

 private:
  std::vector<std::uint32_t> count_posts() const;
  Person draw(PersonId person) const;
  void assign_posts(const std::vector<std::size_t>& block_ends);

  std::uint64_t seed_;
  std::int64_t posts_;
  std::uint32_t people_ = 0;
  std::vector<std::uint32_t> several_;  // Posts of the people with several, the first people_.
  std::vector<std::uint32_t> authors_;  // Person of each post.
  std::vector<Person> busiest_;         // Drawn once: they have the most draws and the most posts.
};

// Where the block of each category ends, as an index of posts.
std::vector<std::size_t> category_block_ends(std::int64_t posts);

}  // namespace pinflow::records::internal
