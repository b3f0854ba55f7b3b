#include "live/post_join.h"

#include <algorithm>

namespace pinflow::live {

JoinedPost& PostJoin::arrived(std::int64_t ind, WallTime time) {
  const auto found = posts_.find(ind);
  if (found != posts_.end()) {
    found->second.oldest = std::min(found->second.oldest, time);
    return found->second;
  }
  if (posts_.size() >= max_posts_) evict();
  JoinedPost& post = posts_[ind];
  post.oldest = time;
  return post;
}

void PostJoin::evict() {
  std::vector<std::pair<WallTime, std::int64_t>> order;
  order.reserve(posts_.size());
  for (const auto& [ind, post] : posts_) order.emplace_back(post.oldest, ind);
  const std::size_t doomed = std::max<std::size_t>(1, order.size() / 8);
  std::nth_element(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(doomed - 1), order.end(),
      [](const auto& a, const auto& b) { return a.first != b.first ? a.first < b.first : a.second > b.second; });
  for (std::size_t i = 0; i < doomed; ++i) posts_.erase(order[i].second);
  evicted_ += doomed;
}

std::vector<std::pair<std::int64_t, const JoinedPost*>> PostJoin::sorted() const {
  std::vector<std::pair<std::int64_t, const JoinedPost*>> all;
  all.reserve(posts_.size());
  for (const auto& [ind, post] : posts_) all.emplace_back(ind, &post);
  std::ranges::sort(all, {}, [](const auto& entry) { return entry.first; });
  return all;
}

bool PostJoin::restore(std::int64_t ind, const JoinedPost& post) {
  return posts_.size() < max_posts_ && posts_.emplace(ind, post).second;
}

}  // namespace pinflow::live
