#include "objects/internal/local_cache.h"

#include <algorithm>

#include <fmt/format.h>

namespace pinflow::objects::internal {

namespace {
constexpr std::chrono::minutes kInUse{10};
}  // namespace

std::optional<LocalCache::Copy> LocalCache::find(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  found->second.used = clock_.steady_now();
  found->second.handed_out = true;
  return Copy{found->second.path, found->second.tag};
}

Result<disk::Path> LocalCache::add(const std::string& name, std::string tag, const disk::Path& file, std::uint64_t size,
                                   bool used) {
  const std::scoped_lock lock(mutex_);
  // What the object was before; who has opened it reads on.
  if (const auto old = entries_.find(name); old != entries_.end()) drop(old);
  if (!make_place(size)) {
    return fail(ErrorCode::kOverloaded,
                fmt::format("the local copies in {} that are in use come to more than {} MiB; raise s3.cache_size",
                            folder_.native(), limit_.count() >> 20));
  }
  entries_[name] = {file, std::move(tag), size, clock_.steady_now(), used};
  bytes_ += size;
  return file;
}

void LocalCache::forget(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = entries_.find(name); found != entries_.end()) drop(found);
}

void LocalCache::drop(std::map<std::string, Entry>::iterator entry) {
  (void)disk_.remove(entry->second.path);
  bytes_ -= entry->second.size;
  entries_.erase(entry);
}

bool LocalCache::make_place(std::uint64_t size) {
  const SteadyTime now = clock_.steady_now();
  while (bytes_ + size > limit_.count()) {
    auto oldest = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (entry->second.handed_out && now - entry->second.used < kInUse) continue;
      if (oldest == entries_.end() || entry->second.used < oldest->second.used) oldest = entry;
    }
    if (oldest == entries_.end()) return false;
    drop(oldest);
  }
  return true;
}

Result<disk::Path> LocalCache::scratch(std::string_view suffix) {
  const std::scoped_lock lock(mutex_);
  if (own_ == nullptr) {
    TRY(disk_.create_folders(folder_));
    ScratchFolder::remove_dead(disk_, folder_);
    TRY_ASSIGN(own_, ScratchFolder::make(disk_, folder_));
  }
  return own_->next(suffix);
}

}  // namespace pinflow::objects::internal
