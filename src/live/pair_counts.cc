#include "live/pair_counts.h"

#include <algorithm>

#include "base/check.h"

namespace pinflow::live {

void PairCounts::add(RowId group, RowId member, std::uint32_t minute, std::uint32_t newest) {
  if (size_ >= max_pairs_ && find(group, member) == nullptr) evict(newest);
  pair_of(group, member).windows.add(minute);
}

PairCounts::Pair& PairCounts::pair_of(RowId group, RowId member) {
  if (group >= tables_.size()) tables_.resize(group + 1);
  Table& table = tables_[group];
  const auto [entry, is_new] = table.index.try_emplace(member, static_cast<std::uint32_t>(table.pairs.size()));
  if (is_new) {
    table.pairs.push_back({.member = member, .windows = {}});
    ++size_;
  }
  return table.pairs[entry->second];
}

std::span<const PairCounts::Pair> PairCounts::of(RowId group) const {
  if (group >= tables_.size()) return {};
  return tables_[group].pairs;
}

const PairCounts::Pair* PairCounts::find(RowId group, RowId member) const {
  if (group >= tables_.size()) return nullptr;
  const Table& table = tables_[group];
  const auto found = table.index.find(member);
  return found == table.index.end() ? nullptr : &table.pairs[found->second];
}

void PairCounts::remove(Table& table, std::size_t at) {
  table.index.erase(table.pairs[at].member);
  if (at + 1 < table.pairs.size()) {
    table.pairs[at] = table.pairs.back();
    table.index[table.pairs[at].member] = static_cast<std::uint32_t>(at);
  }
  table.pairs.pop_back();
  --size_;
}

template <class Doomed>
void PairCounts::remove_if(const Doomed& doomed) {
  for (Table& table : tables_) {
    for (std::size_t i = table.pairs.size(); i > 0; --i) {
      if (doomed(table.pairs[i - 1])) remove(table, i - 1);
    }
  }
}

void PairCounts::drop_group(RowId group) {
  if (group >= tables_.size()) return;
  size_ -= tables_[group].pairs.size();
  tables_[group] = {};
}

void PairCounts::drop_members(const std::function<bool(RowId member)>& doomed) {
  remove_if([&](const Pair& pair) { return doomed(pair.member); });
}

void PairCounts::evict(std::uint32_t newest) {
  std::vector<std::uint64_t> posts;
  posts.reserve(size_);
  for (const Table& table : tables_) {
    for (const Pair& pair : table.pairs) posts.push_back(pair.windows.in(Window::k24h, newest));
  }
  const auto last = posts.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(posts.size() / 16, 1) - 1);
  std::nth_element(posts.begin(), last, posts.end());
  const std::uint64_t most = *last;
  remove_if([&](const Pair& pair) {
    const std::uint64_t count = pair.windows.in(Window::k24h, newest);
    evicted_ += count > 0 && count <= most;
    return count <= most;
  });
}

void PairCounts::save(StateWriter& out, RowId group, std::uint32_t newest,
                      const std::function<RowId(RowId member)>& place_of) const {
  std::vector<std::pair<RowId, const Pair*>> pairs;
  for (const Pair& pair : of(group)) {
    if (pair.windows.in(Window::k24h, newest) > 0) pairs.emplace_back(place_of(pair.member), &pair);
  }
  std::ranges::sort(pairs, {}, [](const auto& pair) { return pair.first; });
  out.whole(pairs.size());
  for (const auto& [place, pair] : pairs) {
    out.whole(place);
    pair->windows.save(out, newest);
  }
}

void PairCounts::load(StateReader& in, RowId group, std::uint32_t newest, std::span<const RowId> member_at) {
  for (std::uint64_t left = in.count(4); left > 0 && in.ok(); --left) {
    const std::uint64_t place = in.whole();
    if (place >= member_at.size() || find(group, member_at[place]) != nullptr) {
      in.refuse();
      return;
    }
    pair_of(group, member_at[place]).windows.load(in, newest);
  }
}

}  // namespace pinflow::live
