#include "objects/internal/scratch_folder.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/random.h"

namespace pinflow::objects::internal {

using disk::Path;

namespace {
constexpr std::string_view kDead = ".dead";
}  // namespace

Result<std::unique_ptr<ScratchFolder>> ScratchFolder::make(disk::Disk& disk, const Path& parent) {
  while (true) {
    const Path path = parent / fmt::format("{}-{:08x}", ::getpid(), static_cast<std::uint32_t>(entropy_seed()));
    TRY(disk.create_folders(path));
    auto lock = disk.lock_folder(path);
    if (lock) return std::make_unique<ScratchFolder>(disk, path, std::move(*lock));
    // Another store, just opened, took it for a dead one's between the two calls: leave it to that.
    if (lock.error().code != ErrorCode::kConflict && lock.error().code != ErrorCode::kNotFound)
      return fail(std::move(lock).error());
  }
}

void ScratchFolder::remove_dead(disk::Disk& disk, const Path& parent) {
  const auto entries = disk.list(parent);
  if (!entries) return;
  for (const disk::Entry& entry : *entries) {
    Path path = parent / entry.name;
    const auto lock = disk.lock_folder(path);
    if (!lock) continue;
    // Moved away first: its owner may stand between making and locking it, and must not lock what is being
    // removed.
    if (!entry.name.ends_with(kDead)) {
      const Path dead = parent / (entry.name + std::string(kDead));
      if (!disk.rename(path, dead)) continue;
      path = dead;
    }
    (void)disk.remove_tree(path);
  }
}

Path ScratchFolder::next(std::string_view suffix) {
  return path_ / fmt::format("{}{}", ++files_, suffix);
}

}  // namespace pinflow::objects::internal
