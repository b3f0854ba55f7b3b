#pragma once

#include <map>
#include <mutex>

#include <fmt/format.h>

#include "objects/object_store.h"

namespace pinflow::sink::testing {

// An object store in memory for tests, without files. Safe from any thread.
class MemoryStore final : public objects::ObjectStore {
 public:
  Result<void> put(const std::string& name, std::string_view bytes) override {
    const std::scoped_lock lock(mutex_);
    objects_[name] = bytes;
    return {};
  }
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    const std::scoped_lock lock(mutex_);
    if (!objects_.emplace(name, bytes).second) return fail(ErrorCode::kConflict, fmt::format("{} exists", name));
    return {};
  }
  Result<std::string> get(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    const auto found = objects_.find(name);
    if (found == objects_.end()) return fail(ErrorCode::kNotFound, fmt::format("no object {}", name));
    return found->second;
  }
  Result<objects::ObjectInfo> describe(const std::string& name) override {
    TRY_ASSIGN(const auto bytes, get(name));
    return objects::ObjectInfo{name, bytes.size(), {}};
  }
  Result<std::vector<objects::ObjectInfo>> list(const std::string& prefix, const std::string& start_after,
                                                std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    std::vector<objects::ObjectInfo> found;
    for (const auto& [name, bytes] : objects_) {
      if (name.starts_with(prefix) && name > start_after && found.size() < limit)
        found.push_back({name, bytes.size(), {}});
    }
    return found;
  }
  Result<void> remove(const std::string& name) override {
    const std::scoped_lock lock(mutex_);
    objects_.erase(name);
    return {};
  }
  Result<void> put_file(const std::string&, const disk::Path&) override { return no_files(); }
  Result<disk::Path> local_copy(const std::string&) override { return no_files(); }
  Result<disk::Path> scratch(std::string_view) override { return no_files(); }

 private:
  static std::unexpected<Error> no_files() { return fail(ErrorCode::kUnavailable, "a store in memory has no files"); }

  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
};

}  // namespace pinflow::sink::testing
