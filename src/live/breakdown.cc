#include "live/breakdown.h"

#include <algorithm>
#include <cmath>

namespace pinflow::live {

RowId Breakdown::intern(std::string_view name, const std::function<void(RowId)>& let_go) {
  if (const auto found = index_.find(name); found != index_.end()) return found->second;
  if (index_.size() >= max_rows_) evict(let_go);
  return make_row(name);
}

RowId Breakdown::make_row(std::string_view name) {
  RowId id = static_cast<RowId>(rows_.size());
  if (free_.empty()) {
    rows_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  rows_[id] = {};
  rows_[id].name = &index_.emplace(std::string(name), id).first->first;
  return id;
}

RowId Breakdown::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? kNoRow : found->second;
}

void Breakdown::add(RowId id, const DecayWeight& weight, std::uint32_t minute) {
  Row& row = rows_[id];
  ++row.posts;
  row.sums.add(weight);
  row.windows.add(minute);
  row.minutes.add(minute);
}

void Breakdown::evict(const std::function<void(RowId)>& let_go) {
  struct Candidate {
    double activity;  // log2 of the decayed number, but for what is the same for all; the lowest go.
    RowId id;
  };
  std::vector<Candidate> candidates;
  candidates.reserve(index_.size());
  for (const auto& [name, id] : index_) {
    const DecayedDoubles sums = rows_[id].sums.doubles();
    candidates.push_back({std::log2(sums.sums[kDay]) + sums.exponents[kDay], id});
  }
  const std::size_t doomed = std::max<std::size_t>(1, candidates.size() / 16);
  std::ranges::sort(candidates, [&](const Candidate& a, const Candidate& b) {
    return a.activity != b.activity ? a.activity < b.activity : *rows_[a.id].name > *rows_[b.id].name;
  });
  for (std::size_t i = 0; i < doomed; ++i) {
    const RowId id = candidates[i].id;
    let_go(id);
    evicted_ += rows_[id].posts > 0;
    index_.erase(index_.find(*rows_[id].name));
    rows_[id] = {};
    free_.push_back(id);
  }
}

std::vector<RowId> Breakdown::sorted() const {
  std::vector<RowId> ids;
  ids.reserve(index_.size());
  for (const auto& [name, id] : index_) {
    if (rows_[id].posts > 0) ids.push_back(id);
  }
  std::ranges::sort(ids, [&](RowId a, RowId b) { return *rows_[a].name < *rows_[b].name; });
  return ids;
}

std::vector<RowId> Breakdown::save(StateWriter& out, std::uint32_t newest) const {
  std::vector<RowId> ids = sorted();
  out.whole(evicted_);
  out.whole(ids.size());
  for (const RowId id : ids) {
    const Row& row = rows_[id];
    out.text(*row.name);
    out.whole(row.posts);
    row.sums.save(out);
    row.windows.save(out, newest);
    row.minutes.save(out, newest);
  }
  return ids;
}

std::vector<RowId> Breakdown::load(StateReader& in, std::uint32_t newest) {
  std::vector<RowId> ids;
  evicted_ = in.whole();
  for (std::uint64_t left = in.count(16); left > 0 && in.ok(); --left) {
    const std::string_view name = in.text();
    if (index_.size() >= max_rows_ || index_.contains(name)) {
      in.refuse();
      break;
    }
    ids.push_back(make_row(name));
    Row& row = rows_[ids.back()];
    row.posts = in.whole();
    row.sums.load(in);
    row.windows.load(in, newest);
    row.minutes.load(in, newest);
  }
  return ids;
}

}  // namespace pinflow::live
