#include "access/private_file.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace pinflow::access {

namespace {
using std::filesystem::perms;

Result<void> restrict_to(const disk::Path& path, perms rights) {
  std::error_code error;
  std::filesystem::permissions(path, rights, error);
  // A disk in memory has no such file, and no other users either.
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(ErrorCode::kUnavailable,
                fmt::format("cannot make {} private to its owner: {}", path.native(), error.message()));
  return {};
}
}  // namespace

Result<void> create_private_folder(disk::Disk& disk, const disk::Path& path) {
  TRY(disk.create_folders(path));
  return restrict_to(path, perms::owner_all);
}

Result<void> write_private_file(disk::Disk& disk, const disk::Path& path, std::string_view bytes) {
  // The rights are set while the file is empty and under another name; replacing a file keeps its rights (disk::Disk::write_file).
  disk::Path prepared = path;
  prepared += ".new";
  TRY(disk.write_file(prepared, ""));
  TRY(restrict_to(prepared, perms::owner_read | perms::owner_write));
  TRY(disk.write_file(prepared, bytes));
  TRY(disk.rename(prepared, path));
  return disk.sync_folder(path.parent_path());
}

}  // namespace pinflow::access
