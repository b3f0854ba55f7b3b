#include "http/internal/conversation.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace pinflow::http::internal {

namespace {
// Answers up to this size are copied behind their head; larger ones are sent from where they lie.
constexpr std::size_t kCopyBelow = 16 << 10;

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {  // A value that echoes input must not begin another header line.
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  out += "\r\n";
}
}  // namespace

void Conversation::receive(std::string_view bytes) {
  if (ending_) return;
  const bool direct = !in_hand_ && kept_.empty() && reader_.stage() != RequestReader::Stage::kComplete;
  kept_.append(bytes.substr(direct ? feed(bytes) : 0));
}

std::size_t Conversation::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !reader_.failure() && reader_.stage() != RequestReader::Stage::kComplete) {
    used += reader_.feed(bytes.substr(used), body_);
    if (reader_.stage() == RequestReader::Stage::kHeadDone) reader_.begin_body(max_body_);
  }
  return used;
}

void Conversation::feed_kept() {
  if (kept_.empty() || reader_.stage() == RequestReader::Stage::kComplete || reader_.failure()) return;
  kept_from_ += feed(std::string_view(kept_).substr(kept_from_));
  if (kept_from_ < kept_.size()) return;
  kept_.clear();
  kept_from_ = 0;
}

std::optional<Request> Conversation::next(std::string_view date) {
  CHECK(!in_hand_, "a request is taken before the last one is answered");
  if (ending_) return std::nullopt;
  feed_kept();
  if (const auto& failure = reader_.failure()) {
    refuse(failure->status, failure->message, date);
    return std::nullopt;
  }
  if (reader_.stage() == RequestReader::Stage::kBody && reader_.expects_continue() && !continue_sent_) {
    if (reader_.body_bytes() == 0) put("HTTP/1.1 100 Continue\r\n\r\n");
    continue_sent_ = true;
  }
  if (reader_.stage() != RequestReader::Stage::kComplete) return std::nullopt;
  keep_alive_ = reader_.keep_alive();
  http_1_0_ = reader_.is_http_1_0();
  continue_sent_ = false;
  in_hand_ = true;
  ++requests_;
  in_hand_bytes_ = body_.size();
  Request request = std::move(reader_.request());
  request.body = std::exchange(body_, {});
  reader_.restart();
  head_method_ = request.method == "HEAD";
  return request;
}

void Conversation::answer(Response response, std::string_view date) {
  CHECK(in_hand_, "an answer comes without a request in hand");
  in_hand_ = false;
  in_hand_bytes_ = 0;
  const bool close = ending_ || !keep_alive_;
  ending_ = close;
  const bool bodiless = response.status == 204 || response.status == 304;
  std::string out;
  out.reserve(256 + (response.body.size() < kCopyBelow ? response.body.size() : 0));
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const auto& [name, value] : response.headers.fields()) append_field(out, name, value);
  if (!bodiless) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  append_field(out, "Date", date);
  if (close) {
    out += "Connection: close\r\n";
  } else if (http_1_0_) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  const bool with_body = !bodiless && !head_method_ && !response.body.empty();
  if (with_body && response.body.size() < kCopyBelow) {
    out += response.body;
    put(std::move(out));
  } else {
    put(std::move(out));
    if (with_body) output_.push_back(std::move(response.body));
  }
}

void Conversation::refuse(int status, std::string_view message, std::string_view date) {
  in_hand_ = true;
  ending_ = true;
  head_method_ = false;
  Response response = Response::failure(status, status, message);
  if (status == 503) response.headers.add("Retry-After", "1");
  answer(std::move(response), date);
  finish();
}

void Conversation::finish() {
  ending_ = true;
  reader_.restart();
  body_ = {};
  kept_.clear();
  kept_from_ = 0;
}

std::size_t Conversation::held_bytes() const {
  return in_hand_bytes_ + body_.size() + kept_.size();
}

Conversation::Phase Conversation::phase() const {
  if (in_hand_) return Phase::kAnswering;
  if (ending_) return Phase::kEnding;
  switch (reader_.stage()) {
    case RequestReader::Stage::kIdle:
      return Phase::kIdle;
    case RequestReader::Stage::kHead:
      return Phase::kHead;
    case RequestReader::Stage::kHeadDone:
    case RequestReader::Stage::kBody:
      return Phase::kBody;
    case RequestReader::Stage::kComplete:
      return Phase::kBody;
  }
  return Phase::kIdle;
}

void Conversation::put(std::string bytes) {
  if (!output_.empty() && output_.back().size() + bytes.size() < kCopyBelow) {
    output_.back() += bytes;
  } else {
    output_.push_back(std::move(bytes));
  }
}

}  // namespace pinflow::http::internal
