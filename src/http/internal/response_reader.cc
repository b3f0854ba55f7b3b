#include "http/internal/response_reader.h"

#include <algorithm>

namespace pinflow::http::internal {

namespace {
int digits(std::string_view text) {
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}
}  // namespace

std::size_t ResponseReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (!body_ && !failure_ && used < bytes.size()) {
    used += head_.feed(bytes.substr(used));
    failure_ = head_.failure();
    if (!failure_ && head_.done()) failure_ = begin_body();
  }
  if (failure_ || !body_) return used;
  used += body_->feed(bytes.substr(used), response_.body);
  failure_ = body_->failure();
  return used;
}

void ResponseReader::close() {
  keep_alive_ = false;
  if (body_) body_->close();
}

Response ResponseReader::take() {
  return std::move(response_);
}

std::optional<Failure> ResponseReader::begin_body() {
  const auto head = head_.head();
  const auto end = std::min(head.find("\r\n"), head.size());
  const auto line = head.substr(0, end);
  const int status = line.size() >= 12 ? digits(line.substr(9, 3)) : -1;
  const bool version = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!version || status < 100 || (line.size() > 12 && line[12] != ' ')) {
    return Failure{502, "the answer does not begin with an HTTP/1.1 status line"};
  }
  response_ = Response();
  response_.status = status;
  if (auto failure = parse_fields(head.substr(std::min(end + 2, head.size())), response_.headers)) return failure;
  if (status < 200) {  // An interim answer: the real one follows.
    head_.reset();
    return std::nullopt;
  }
  Framing framing;
  if (auto failure = parse_framing(response_.headers, framing)) return failure;
  const bool bodiless = to_head_ || status == 204 || status == 304;
  const bool delimited = framing.kind == Framing::Kind::kChunked || response_.headers.get("Content-Length");
  if (bodiless) framing = Framing{};
  if (!bodiless && !delimited) framing.kind = Framing::Kind::kUntilClose;
  const auto connection = response_.headers.get("Connection").value_or("");
  keep_alive_ = line[7] == '1' ? !list_has(connection, "close") : list_has(connection, "keep-alive");
  body_.emplace(framing, max_body_);
  return body_->failure();
}

}  // namespace pinflow::http::internal
