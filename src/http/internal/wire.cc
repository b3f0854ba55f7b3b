#include "http/internal/wire.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/core.h>

namespace pinflow::http::internal {

namespace {
constexpr std::size_t kMaxFields = 100;
constexpr std::size_t kMaxChunkLine = 80;       // 16 digits and a short extension.
constexpr std::size_t kMaxTrailerBytes = 4096;  // Of all trailers together.

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

bool is_field_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::optional<Failure> parse_field(std::string_view line, Headers& headers) {
  if (line.front() == ' ' || line.front() == '\t') {
    return Failure{400, "a header line begins with white space; folded header lines are not accepted"};
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return Failure{400, "a header line has no colon"};
  const auto name = line.substr(0, colon);
  if (!is_token(name)) {
    return Failure{400,
                   "a header name is empty or has characters that are not allowed, such as a space before the colon"};
  }
  const auto value = trim(line.substr(colon + 1));
  if (!std::ranges::all_of(value, is_field_byte)) {
    return Failure{400, fmt::format("the value of the header {} has control characters", name)};
  }
  headers.add(std::string(name), std::string(value));
  return std::nullopt;
}
}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

bool list_has(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, comma)), item)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return out;
}

std::string_view reason_phrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {{100, "Continue"},
                                                                  {200, "OK"},
                                                                  {201, "Created"},
                                                                  {202, "Accepted"},
                                                                  {204, "No Content"},
                                                                  {207, "Multi-Status"},
                                                                  {304, "Not Modified"},
                                                                  {400, "Bad Request"},
                                                                  {401, "Unauthorized"},
                                                                  {403, "Forbidden"},
                                                                  {404, "Not Found"},
                                                                  {405, "Method Not Allowed"},
                                                                  {406, "Not Acceptable"},
                                                                  {408, "Request Timeout"},
                                                                  {409, "Conflict"},
                                                                  {413, "Content Too Large"},
                                                                  {414, "URI Too Long"},
                                                                  {415, "Unsupported Media Type"},
                                                                  {417, "Expectation Failed"},
                                                                  {422, "Unprocessable Content"},
                                                                  {429, "Too Many Requests"},
                                                                  {431, "Request Header Fields Too Large"},
                                                                  {500, "Internal Server Error"},
                                                                  {501, "Not Implemented"},
                                                                  {502, "Bad Gateway"},
                                                                  {503, "Service Unavailable"},
                                                                  {504, "Gateway Timeout"},
                                                                  {505, "HTTP Version Not Supported"}};
  const auto* const found = std::ranges::find(kPhrases, status, &std::pair<int, std::string_view>::first);
  return found == std::end(kPhrases) ? std::string_view("Status") : found->second;
}

std::string http_date(std::int64_t seconds_since_1970) {
  const auto time = static_cast<std::time_t>(seconds_since_1970);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::size_t HeadReader::feed(std::string_view bytes) {
  std::size_t skipped = 0;
  std::size_t from = 0;
  while (!done_) {
    const auto newline = bytes.find('\n', from);
    if (newline == std::string_view::npos) break;
    const char before = newline > 0 ? bytes[newline - 1] : held_.empty() ? '\0' : held_.back();
    if (before != '\r') {
      failure_ = Failure{400, "a line of the head ends with LF alone; HTTP lines end with CR LF"};
      return skipped + newline + 1;
    }
    const std::size_t position = held_.size() + newline;
    const bool empty_line = position - line_start_ == 1;
    from = newline + 1;
    if (empty_line && line_start_ == 0) {  // Some clients send CR LF after a body; RFC 9112 2.2 says to skip it.
      held_.clear();
      bytes.remove_prefix(from);
      skipped += std::exchange(from, 0);
      continue;
    }
    done_ = empty_line;
    line_start_ = position + 1;
  }
  const std::size_t used = done_ ? from : bytes.size();
  held_.append(bytes.substr(0, used));
  if (held_.size() > max_bytes_) {
    failure_ = Failure{line_start_ == 0 ? 414 : 431,
                       fmt::format("the request line and headers are larger than the limit of {} bytes", max_bytes_)};
  }
  if (done_) head_ = std::string_view(held_).substr(0, held_.size() - 4);
  return skipped + used;
}

void HeadReader::reset() {
  held_.clear();
  head_ = {};
  line_start_ = 0;
  done_ = false;
}

std::optional<Failure> parse_fields(std::string_view lines, Headers& headers) {
  headers.reserve(std::min(static_cast<std::size_t>(std::ranges::count(lines, '\n')) + 1, kMaxFields));
  std::size_t count = 0;
  while (!lines.empty()) {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    if (++count > kMaxFields) {
      return Failure{431, fmt::format("the request has more than {} header fields", kMaxFields)};
    }
    if (auto failure = parse_field(lines.substr(0, end), headers)) return failure;
    lines.remove_prefix(std::min(end + 2, lines.size()));
  }
  return std::nullopt;
}

std::optional<Failure> parse_framing(const Headers& headers, Framing& framing) {
  std::optional<std::string_view> length;
  std::optional<std::string_view> coding;
  for (const auto& [name, value] : headers.fields()) {
    if (equals_ignoring_case(name, "Content-Length")) {
      if (length) return Failure{400, "the message has two Content-Length headers"};
      length = value;
    } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
      if (coding) return Failure{400, "the message has two Transfer-Encoding headers"};
      coding = value;
    }
  }
  if (coding && length) return Failure{400, "the message has both Content-Length and Transfer-Encoding"};
  if (coding) {
    if (!equals_ignoring_case(*coding, "chunked")) {
      return Failure{list_has(*coding, "chunked") ? 400 : 501, "Transfer-Encoding can only be 'chunked', once"};
    }
    framing.kind = Framing::Kind::kChunked;
  } else if (length) {
    const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), framing.length);
    if (error != std::errc{} || end != length->data() + length->size()) {
      return Failure{400, "Content-Length is not a decimal number of bytes"};
    }
  }
  return std::nullopt;
}

BodyReader::BodyReader(const Framing& framing, std::uint64_t max_bytes)
    : part_(framing.kind == Framing::Kind::kChunked ? Part::kSizeLine : Part::kBytes),
      until_close_(framing.kind == Framing::Kind::kUntilClose),
      max_bytes_(max_bytes),
      left_(until_close_ ? UINT64_MAX : framing.length) {
  if (framing.kind != Framing::Kind::kLength) return;
  if (left_ > max_bytes_) {
    refuse(413, fmt::format("the body of {} bytes is larger than the limit of {} bytes", left_, max_bytes_));
    return;
  }
  if (left_ == 0) part_ = Part::kDone;
}

std::size_t BodyReader::feed(std::string_view bytes, std::string& out) {
  std::size_t used = 0;
  while (used < bytes.size() && part_ != Part::kDone && !failure_) {
    const auto rest = bytes.substr(used);
    switch (part_) {
      case Part::kBytes:
      case Part::kChunk:
        used += feed_bytes(rest, out);
        break;
      case Part::kSizeLine:
      case Part::kChunkEnd:
      case Part::kTrailer:
        used += feed_line(rest);
        break;
      case Part::kDone:
        break;
    }
  }
  return used;
}

void BodyReader::close() {
  if (until_close_) part_ = Part::kDone;
}

std::size_t BodyReader::feed_bytes(std::string_view bytes, std::string& out) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  if (count > max_bytes_ - size_) {
    refuse(413, fmt::format("the body is larger than the limit of {} bytes", max_bytes_));
    return count;
  }
  out.append(bytes.substr(0, count));
  size_ += count;
  left_ -= count;
  if (left_ == 0) part_ = part_ == Part::kChunk ? Part::kChunkEnd : Part::kDone;
  return count;
}

std::size_t BodyReader::feed_line(std::string_view bytes) {
  const auto newline = bytes.find('\n');
  const std::size_t count = newline == std::string_view::npos ? bytes.size() : newline + 1;
  const std::size_t bound = part_ == Part::kTrailer ? kMaxTrailerBytes : part_ == Part::kSizeLine ? kMaxChunkLine : 2;
  if (line_.size() + count > bound) {
    refuse(part_ == Part::kTrailer ? 431 : 400, part_ == Part::kChunkEnd  ? "a chunk is longer than its size says"
                                                : part_ == Part::kTrailer ? "the trailers of the body are too long"
                                                                          : "the size line of a chunk is too long");
    return count;
  }
  line_.append(bytes.substr(0, count));
  if (newline == std::string_view::npos) return count;
  if (!line_.ends_with("\r\n")) {
    refuse(400, "a line of a chunked body ends with LF alone; HTTP lines end with CR LF");
    return count;
  }
  line_.resize(line_.size() - 2);
  take_line();
  line_.clear();
  return count;
}

void BodyReader::take_line() {
  if (part_ == Part::kSizeLine) {
    take_size_line(line_);
  } else if (part_ == Part::kTrailer) {
    take_trailer(line_);
  } else if (line_.empty()) {
    part_ = Part::kSizeLine;
  } else {
    refuse(400, "a chunk is longer than its size says");
  }
}

void BodyReader::take_size_line(std::string_view line) {
  const auto digits = line.substr(0, std::min(line.find(';'), line.size()));
  const auto extension = line.substr(digits.size());
  // from_chars takes "-1" for signed types only, so digits alone pass; "0x10" and "+10" stop early and are
  // refused.
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    refuse(400, "the size of a chunk is not a hexadecimal number");
  } else if (extension.contains('"') || !std::ranges::all_of(extension, is_field_byte)) {
    refuse(400, "a chunk has an extension with quotes or control characters");
  } else if (left_ > max_bytes_ - size_) {
    refuse(413, fmt::format("the body is larger than the limit of {} bytes", max_bytes_));
  } else {
    part_ = left_ == 0 ? Part::kTrailer : Part::kChunk;
  }
}

void BodyReader::take_trailer(std::string_view line) {
  if (line.empty()) {
    part_ = Part::kDone;
    return;
  }
  trailer_bytes_ += line.size();
  Headers trailer;
  if (auto failure = parse_field(line, trailer)) {
    failure_ = std::move(failure);
    return;
  }
  // Fields that frame, route, identify or describe the request: whoever read them late would read another request.
  static constexpr std::string_view kForbidden[] = {
      "Content-Length", "Transfer-Encoding", "Host",         "Authorization", "Content-Type", "Content-Encoding",
      "Connection",     "Trailer",           "TE",           "Expect",        "Upgrade",      "Cookie",
      "Content-Range",  "Max-Forwards",      "Cache-Control"};
  for (const auto forbidden : kForbidden) {
    if (trailer.get(forbidden)) refuse(400, fmt::format("{} must not come after the body", forbidden));
  }
  if (trailer_bytes_ > kMaxTrailerBytes) refuse(431, "the trailers of the body are too long");
}

}  // namespace pinflow::http::internal
