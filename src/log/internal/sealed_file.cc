#include "log/internal/sealed_file.h"

#include "log/crc32c.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kCrcSize = 4;

}  // namespace

std::string seal(std::string_view magic, std::string_view content) {
  std::string bytes(magic);
  bytes.push_back(kVersion);
  bytes.append(content);
  append_big_endian<std::uint32_t>(bytes, crc32c(bytes));
  return bytes;
}

Result<std::string_view> unseal(std::string_view magic, std::string_view bytes) {
  const std::size_t front = magic.size() + 1;
  if (bytes.size() < front + kCrcSize) return fail(ErrorCode::kCorrupt, "it is too short");
  const std::string_view body = bytes.substr(0, bytes.size() - kCrcSize);
  if (load_big_endian<std::uint32_t>(body.data() + body.size()) != crc32c(body))
    return fail(ErrorCode::kCorrupt, "its checksum is wrong");
  if (!body.starts_with(magic)) return fail(ErrorCode::kCorrupt, "it is another kind of file");
  if (body[magic.size()] != kVersion)
    return fail(ErrorCode::kInvalid, fmt::format("its version {} is not known here; use a newer program",
                                                 static_cast<int>(body[magic.size()])));
  return body.substr(front);
}

}  // namespace pinflow::log
