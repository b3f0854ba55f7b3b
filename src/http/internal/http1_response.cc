#include "http/internal/http1_response.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/internal/wire.h"

namespace pinflow::http::internal {

namespace {
// Answers up to this size are copied behind their head; larger ones are sent from where they lie.
constexpr std::size_t kCopyBelow = 16 << 10;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), end.ptr);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const std::size_t from = out.size();
  out += value;
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), is_control, ' ');
  out += "\r\n";
}
}  // namespace

bool is_server_field(std::string_view name) {
  switch (name.size()) {
    case 4:
      return equals_ignoring_case(name, "Date");
    case 7:
      return equals_ignoring_case(name, "Upgrade");
    case 10:
      return equals_ignoring_case(name, "Connection") || equals_ignoring_case(name, "Keep-Alive");
    case 14:
      return equals_ignoring_case(name, "Content-Length");
    case 17:
      return equals_ignoring_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

std::string clean_value(std::string value) {
  std::ranges::replace_if(value, is_control, ' ');
  return value;
}

bool is_bodiless(int status) {
  return status == 204 || status == 304;
}

void write_http1_response(Response& response, const Http1Framing& framing, std::deque<std::string>& output) {
  const bool bodiless = is_bodiless(response.status);
  const bool with_body = !bodiless && !framing.to_head && !response.body_stream && !response.body.empty();
  const bool copied = with_body && response.body.size() < kCopyBelow;
  std::string out;
  out.reserve(256 + (copied ? response.body.size() : 0));
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  for (const auto& [name, value] : response.headers.fields()) {
    if (!is_server_field(name)) append_field(out, name, value);
  }
  if (response.body_stream) {
    if (!bodiless && !framing.http_1_0) out += "Transfer-Encoding: chunked\r\n";
  } else if (!bodiless) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  append_field(out, "Date", framing.date);
  if (framing.close) {
    out += "Connection: close\r\n";
  } else if (framing.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (copied) out += response.body;
  put(std::move(out), output);
  if (with_body && !copied) output.push_back(std::move(response.body));
}

void write_http1_piece(std::string bytes, bool chunked, std::deque<std::string>& output) {
  if (!chunked) return put(std::move(bytes), output);
  std::string out;
  const bool copied = bytes.size() < kCopyBelow;
  out.reserve(24 + (copied ? bytes.size() : 0));
  append_number(out, bytes.size(), 16);
  out += "\r\n";
  if (copied) {
    out += bytes;
    out += "\r\n";
    return put(std::move(out), output);
  }
  put(std::move(out), output);
  output.push_back(std::move(bytes));
  output.emplace_back("\r\n");
}

void put(std::string bytes, std::deque<std::string>& output) {
  if (!output.empty() && output.back().size() + bytes.size() < kCopyBelow) {
    output.back() += bytes;
  } else {
    output.push_back(std::move(bytes));
  }
}

}  // namespace pinflow::http::internal
