#include "http/internal/response_packer.h"

#include <algorithm>
#include <zlib.h>

#include "http/internal/wire.h"

namespace pinflow::http::internal {

namespace {
constexpr std::size_t kSmallest = 1 << 10;
constexpr std::size_t kLargest = 1 << 20;

bool is_text(std::string_view type) {
  return type.starts_with("text/") || type.contains("json") || type.contains("javascript") || type.contains("xml");
}

// False where q is 0.
bool is_wanted(std::string_view item) {
  const auto parameter = item.find("q=");
  return parameter == std::string_view::npos || item.find_first_of("123456789", parameter) != std::string_view::npos;
}

bool gzip(const std::string& in, std::string& out) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  constexpr int kMemory = 8;  // zlib's own choice.
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipOnly, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  out.resize(in.size());  // One that does not get smaller is not worth it.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib only reads it.
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return done;
}
}  // namespace

bool wants_packed(const Request& request) {
  if (request.method != "GET") return false;
  auto list = request.headers.get("Accept-Encoding").value_or("");
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto item = list.substr(0, comma);
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    const auto name = item.substr(0, item.find_first_of("; \t"));
    if (equals_ignoring_case(name, "gzip") && is_wanted(item)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

void pack_response(Response& response) {
  if (response.body_stream || response.body.size() < kSmallest || response.body.size() > kLargest) return;
  if (!is_text(response.headers.get("Content-Type").value_or(""))) return;
  if (response.headers.get("Content-Encoding")) return;
  std::string packed;
  if (!gzip(response.body, packed)) return;
  response.body = std::move(packed);
  response.headers.add("Content-Encoding", "gzip");
  response.headers.add("Vary", "Accept-Encoding");
}

}  // namespace pinflow::http::internal
