#include "migrate/state_copy.h"

namespace pinflow::migrate {

namespace {

Result<void> copy_tree(disk::Disk& disk, const disk::Path& from, const disk::Path& to) {
  TRY(disk.create_folders(to));
  TRY_ASSIGN(const auto entries, disk.list(from, [](std::string_view name) { return name != "LOCK"; }));
  for (const disk::Entry& entry : entries) {
    if (entry.is_directory) {
      TRY(copy_tree(disk, from / entry.name, to / entry.name));
      continue;
    }
    TRY_ASSIGN(const std::string bytes, disk.read_file(from / entry.name));
    TRY(disk.write_file(to / entry.name, bytes));
  }
  return {};
}

Result<bool> is_there(disk::Disk& disk, const disk::Path& path) {
  const auto found = disk.describe(path);
  if (!found && found.error().code != ErrorCode::kNotFound) return fail(found.error());
  return found.has_value();
}

}  // namespace

Result<bool> copy_folder(disk::Disk& disk, const disk::Path& from, const disk::Path& to) {
  TRY_ASSIGN(const bool ours, is_there(disk, from));
  TRY_ASSIGN(const bool theirs, is_there(disk, to));
  if (!ours || theirs) return false;
  const disk::Path partial = to.string() + ".migrating";
  TRY(disk.remove_tree(partial));
  TRY(copy_tree(disk, from, partial));
  TRY(disk.rename(partial, to));
  TRY(disk.sync_folder(to.parent_path()));
  return true;
}

}  // namespace pinflow::migrate
