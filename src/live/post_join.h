#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "live/pair_counts.h"

namespace pinflow::live {

// What has come of one post so far.
struct JoinedPost {
  bool has_pin = false;
  bool has_geo = false;
  bool has_user = false;
  std::uint8_t age_group = 0;  // Its place in kAgeGroups, from 1; 0: not known.
  RowId profile = kNoRow;
  RowId category = kNoRow;
  RowId country = kNoRow;
  WallTime time{};          // Of the pin: the time of the post.
  std::int64_t offset = 0;  // Of the pin.
  WallTime oldest{};        // The earliest of the records that came.
};

// Posts of which not all three records have come, by their number. At most `max_posts` are held, about 110 bytes each: past it
// the eighth with the earliest record is let go, of equals those with the highest numbers, and a record that comes later for one of them
// joins nothing. A value type; one thread owns it.
class PostJoin {
 public:
  explicit PostJoin(std::size_t max_posts) : max_posts_(max_posts) {}

  // What is known of the post, after a record of it at `time`. Good until the next call.
  JoinedPost& arrived(std::int64_t ind, WallTime time);
  // The post is whole: nothing of it is needed any more.
  void done(std::int64_t ind) {
    posts_.erase(ind);
    ++joined_;
  }

  std::size_t pending() const { return posts_.size(); }
  std::uint64_t joined() const { return joined_; }
  std::uint64_t evicted() const { return evicted_; }
  void for_each(const std::function<void(JoinedPost&)>& visit) {
    for (auto& [ind, post] : posts_) visit(post);
  }

  // Sorted by number, for writing; and put back, for reading (false: it is there already, or there is no room).
  std::vector<std::pair<std::int64_t, const JoinedPost*>> sorted() const;
  bool restore(std::int64_t ind, const JoinedPost& post);
  void restore_counts(std::uint64_t joined, std::uint64_t evicted) {
    joined_ = joined;
    evicted_ = evicted;
  }

 private:
  void evict();

  std::size_t max_posts_;
  std::unordered_map<std::int64_t, JoinedPost> posts_;
  std::uint64_t joined_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace pinflow::live
