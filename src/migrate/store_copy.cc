#include "migrate/store_copy.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace pinflow::migrate {

namespace {

constexpr std::size_t kPage = 1'000;
constexpr std::uint64_t kSmall = 64 << 10;

// Walks the objects of a store a page at a time.
class Pages {
 public:
  explicit Pages(objects::ObjectStore& store) : store_(store) {}
  // Empty at the end.
  Result<std::vector<objects::ObjectInfo>> next() {
    if (ended_) return std::vector<objects::ObjectInfo>();
    TRY_ASSIGN(auto page, store_.list("", last_, kPage));
    ended_ = page.size() < kPage;
    if (!page.empty()) last_ = page.back().name;
    return page;
  }

 private:
  objects::ObjectStore& store_;
  std::string last_;
  bool ended_ = false;
};

class StoreCopy {
 public:
  StoreCopy(objects::ObjectStore& from, objects::ObjectStore& to, const StoreCopyOptions& options,
            const StoreProgress& progress, std::stop_token stop)
      : from_(from), to_(to), options_(options), progress_(progress), stop_(std::move(stop)) {}

  // Copies some objects at the same time.
  Result<void> copy(const std::vector<objects::ObjectInfo>& some) {
    std::atomic<std::size_t> next{0};
    Result<void> outcome;
    const auto work = [&] {
      for (std::size_t at = next++; at < some.size(); at = next++) {
        auto copied = copy_one(some[at]);
        const std::scoped_lock lock(mutex_);
        if (copied && *copied) {
          ++put_.objects;
          put_.bytes += some[at].size;
          if (progress_) progress_(put_);
        }
        if (!copied && outcome) outcome = fail(std::move(copied.error()));
        if (!outcome) return;
      }
    };
    {
      std::vector<std::jthread> workers;
      const std::size_t count = std::min<std::size_t>(options_.at_once, some.size());
      for (std::size_t i = 0; i < count; ++i) workers.emplace_back(work);
    }
    return outcome;
  }
  const StoreTotals& put() const { return put_; }

 private:
  // Gives whether it was put.
  Result<bool> copy_one(const objects::ObjectInfo& object) {
    if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "the copying was stopped");
    auto there = to_.describe(object.name);
    if (!there && there.error().code != ErrorCode::kNotFound) return fail(std::move(there.error()));
    if (there && there->size == object.size && object.size > kSmall) return false;
    TRY_ASSIGN(const std::string bytes, from_.get(object.name));
    if (!there) {
      const auto put = to_.put_new(object.name, bytes);
      if (put) return true;
      // It may have come to stand after all, or an earlier try of ours did.
      if (put.error().code != ErrorCode::kConflict) return fail(Error(put.error()).with_context(object.name));
    }
    TRY_ASSIGN(const std::string theirs, to_.get(object.name));
    if (theirs == bytes) return false;
    if (!options_.changing(object.name)) {
      return fail(
          ErrorCode::kConflict,
          fmt::format("{} is there already and is another object than here: something else was written there. Copy "
                      "into an empty place, or remove what is there",
                      object.name));
    }
    TRY(to_.put(object.name, bytes));
    return true;
  }

  objects::ObjectStore& from_;
  objects::ObjectStore& to_;
  const StoreCopyOptions& options_;
  const StoreProgress& progress_;
  const std::stop_token stop_;
  std::mutex mutex_;  // Of what follows.
  StoreTotals put_;
};

}  // namespace

Result<StoreTotals> plan_store(objects::ObjectStore& from, const StoreCopyOptions& options) {
  StoreTotals all;
  Pages pages(from);
  while (true) {
    TRY_ASSIGN(const auto page, pages.next());
    if (page.empty()) return all;
    for (const objects::ObjectInfo& object : page) {
      if (options.leave(object.name)) continue;
      ++all.objects;
      all.bytes += object.size;
    }
  }
}

Result<StoreTotals> copy_store(objects::ObjectStore& from, objects::ObjectStore& to, const StoreCopyOptions& options,
                               const StoreProgress& progress, std::stop_token stop) {
  StoreCopy copy(from, to, options, progress, std::move(stop));
  std::vector<objects::ObjectInfo> late;
  Pages pages(from);
  while (true) {
    TRY_ASSIGN(auto page, pages.next());
    if (page.empty()) break;
    std::vector<objects::ObjectInfo> early;
    for (objects::ObjectInfo& object : page) {
      if (!options.leave(object.name)) (options.late(object.name) ? late : early).push_back(std::move(object));
    }
    TRY(copy.copy(early));
  }
  TRY(copy.copy(late));
  return copy.put();
}

StoreCopyOptions tables_copy() {
  StoreCopyOptions options;
  options.leave = [](const std::string& name) { return name.starts_with("pinflow/"); };
  options.late = [](const std::string& name) {
    return name.contains("/_delta_log/") || name.ends_with("/published.json");
  };
  options.changing = [](const std::string& name) {
    return name.ends_with("/_delta_log/_last_checkpoint") || name.ends_with("/published.json");
  };
  return options;
}

StoreCopyOptions objects_copy() {
  StoreCopyOptions options;
  options.leave = [](const std::string& name) {
    return name.starts_with("pinflow/check") || (name.starts_with("pinflow/sink/") && name.ends_with(".id"));
  };
  options.late = [](const std::string& name) { return name.starts_with("pinflow/"); };
  return options;
}

}  // namespace pinflow::migrate
