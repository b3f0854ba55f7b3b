// What nghttp2 tells a session about the frames that come and go. No handler runs within these calls.
#include <utility>

#include <fmt/core.h>

#include "base/check.h"
#include "http/internal/http1_response.h"
#include "http/internal/http2_session.h"

namespace pinflow::http::internal {

namespace {
// What a body may be ahead of its handler, or of the loop: 10 MiB go up in some ten round trips.
constexpr std::int32_t kStreamWindow = 1 << 20;
constexpr std::int32_t kConnectionWindow = 16 << 20;
constexpr std::size_t kMaxUnsentAcks = 256;
constexpr double kEmptyData = 10;  // Costs as much as so many frames.
constexpr std::uint64_t kLibrarysResets =
    100'000;  // nghttp2's own count of resets stays behind ours, which knows what was answered.
constexpr std::uint64_t kLibrarysResetsPerSecond = 1'000;
constexpr std::size_t kBombFactor = 4;  // So many times the header limit: no more an honest mistake.

// What a frame costs its receiver beyond its bytes.
double cost_of(const nghttp2_frame_hd& head) {
  switch (head.type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
      return 0;  // Empty DATA is seen below; requests are held back by SETTINGS_MAX_CONCURRENT_STREAMS and by what resets cost.
    case NGHTTP2_CONTINUATION:
      return 5;
    case NGHTTP2_SETTINGS:
      return 20;
    case NGHTTP2_PING:
      return 4;
    default:
      return 1;
  }
}

// Resets that this side sends because of what the peer did.
bool is_peers_fault(std::uint32_t code) {
  return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
}

Failure too_large(std::uint64_t limit) {
  return {413, fmt::format("the body is larger than the limit of {} bytes", limit)};
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
}  // namespace

struct Http2Session::Callbacks {
  static Http2Session& of(void* user) { return *static_cast<Http2Session*>(user); }
  static StreamId id_of(const nghttp2_frame* frame) { return static_cast<StreamId>(frame->hd.stream_id); }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    auto& self = of(user);
    if (head->type != NGHTTP2_CONTINUATION) self.head_open_ = head->type == NGHTTP2_HEADERS;
    if (head->type == NGHTTP2_HEADERS) self.head_stamp_ = ++self.stamp_;
    if (const double cost = cost_of(*head); cost > 0) self.charge(cost);
    return 0;
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      of(user).begin_stream(id_of(frame));
    }
    return 0;
  }

  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t /*flags*/,
                    void* user) {
    auto& self = of(user);
    Stream* const stream = self.find(id_of(frame));
    if (stream == nullptr) return 0;
    stream->head.add(text(name, name_size), text(value, value_size), self.limits_, stream->step != Step::kHead);
    if (stream->head.bytes() > kBombFactor * self.limits_.max_header) {
      nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    return 0;
  }

  static int invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t*, std::size_t,
                            const std::uint8_t*, std::size_t, std::uint8_t, void* user) {
    Stream* const stream = of(user).find(id_of(frame));
    if (stream != nullptr) stream->head.refuse(400, "a header has characters that are not allowed");
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& self = of(user);
    self.head_open_ = false;
    Stream* const stream = self.find(id_of(frame));
    if (stream == nullptr) return 0;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_DATA && !ends && frame->hd.length <= frame->data.padlen) self.charge(kEmptyData);
    if (frame->hd.type == NGHTTP2_HEADERS && stream->step == Step::kHead) {
      self.take_head(*stream, ends);
    } else if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && ends) {
      self.end_body(*stream);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM && stream->step != Step::kAnswered) {
      if (!self.guard_.reset(self.owner_.now())) self.calm();
    }
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    auto& self = of(user);
    self.guard_.data();
    if (Stream* const stream = self.find(static_cast<StreamId>(id))) {
      self.take_data(*stream, text(bytes, size));
    } else {
      nghttp2_session_consume(session, id, size);
    }
    return 0;
  }

  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& self = of(user);
    if (frame->hd.type == NGHTTP2_DATA) self.guard_.data();
    if (frame->hd.type == NGHTTP2_RST_STREAM && is_peers_fault(frame->rst_stream.error_code) && !self.ending_) {
      if (!self.guard_.reset(self.owner_.now())) self.calm();
    }
    const bool carries_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (carries_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      if (Stream* const stream = self.find(id_of(frame))) self.answer_sent(*stream);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t /*code*/, void* user) {
    of(user).take_away(static_cast<StreamId>(id));
    return 0;
  }
};

nghttp2_session* Http2Session::make_protocol(Http2Session& self) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  nghttp2_session* session = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0, "out of memory");
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, Callbacks::invalid_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::stream_closed);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, kLibrarysResets, kLibrarysResetsPerSecond);
  nghttp2_option_set_max_outbound_ack(option, kMaxUnsentAcks);
  CHECK(nghttp2_session_server_new2(&session, callbacks, &self, option) == 0, "out of memory");
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  return session;
}

void Http2Session::submit_settings() {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(kStreamWindow)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.max_header)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}};
  CHECK(nghttp2_submit_settings(protocol_, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0,
        "settings are wrong");
  CHECK(nghttp2_session_set_local_window_size(protocol_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) == 0,
        "the connection's window is wrong");
}

void Http2Session::begin_stream(StreamId id) {
  if (ending_ || calming_) {
    nghttp2_submit_rst_stream(protocol_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(id), NGHTTP2_REFUSED_STREAM);
    return;
  }
  streams_.emplace(id, std::make_unique<Stream>(id));
}

void Http2Session::take_head(Stream& stream, bool body_ended) {
  stream.stamp = ++stamp_;
  stream.body_ended = body_ended;
  stream.step = Step::kCollect;
  if (const auto failure = stream.head.finish(limits_)) return fail_body(stream, *failure);
  Request& head = stream.head.request();
  stream.to_head = head.method == "HEAD";
  Admission admission = owner_.admit(head);
  if (admission.refusal) return refuse_stream(stream, std::move(*admission.refusal));
  Packing packing = Packing::kNone;
  if (const auto failure = read_packing(head.headers, packing)) {
    auto refusal = Response::failure(failure->status, failure->status, failure->message);
    refusal.headers.add("Accept-Encoding", std::string(kUnderstoodPackings));
    return refuse_stream(stream, std::move(refusal));
  }
  if (packing != Packing::kNone) head.headers.remove("Content-Encoding");
  stream.max_body = admission.max_body ? admission.max_body->count() : limits_.max_body;
  const UnpackLimits unpack{stream.max_body, limits_.max_unpack_ratio};
  stream.streamed = admission.stream_body;
  const std::uint64_t length = stream.head.content_length().value_or(0);
  if (stream.streamed) {
    head.body_stream =
        stream.intake.stream(packing, unpack, [this, id = stream.id](std::size_t count) { body_read(id, count); });
    stream.step = Step::kHand;
    ready_.push_back(stream.id);
  } else if (length > stream.max_body) {
    return fail_body(stream, too_large(stream.max_body));
  } else {
    stream.intake.collect(packing, unpack, length);
  }
  if (body_ended) return end_body(stream);
  if (stream.head.expects_continue()) {
    const std::string_view name = ":status";
    const std::string_view value = "100";
    const nghttp2_nv status{reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                            reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                            NGHTTP2_NV_FLAG_NONE};
    nghttp2_submit_headers(protocol_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(stream.id), nullptr, &status, 1,
                           nullptr);
  }
}

void Http2Session::take_data(Stream& stream, std::string_view bytes) {
  stream.body_bytes += bytes.size();
  const auto id = static_cast<std::int32_t>(stream.id);
  if (!stream.unwanted) {
    if (!stream.streamed && stream.body_bytes > stream.max_body) return fail_body(stream, too_large(stream.max_body));
    stream.intake.inbox().append(bytes);
    if (const auto failure = stream.intake.settle()) return fail_body(stream, *failure);
    if (stream.streamed && !stream.intake.reader_gone()) {
      stream.stamp = ++stamp_;
      ready_.push_back(stream.id);
      return;  // Its window opens as its handler reads.
    }
  }
  nghttp2_session_consume(protocol_, id, bytes.size());
  if (stream.body_bytes > stream.reset_at) stop_body(stream);
}

void Http2Session::end_body(Stream& stream) {
  stream.body_ended = true;
  if (stream.unwanted) return;
  if (const auto failure = stream.intake.end()) return fail_body(stream, *failure);
  if (stream.step == Step::kCollect) stream.step = Step::kHand;
  ready_.push_back(stream.id);
}

void Http2Session::fail_body(Stream& stream, const Failure& failure) {
  refuse_stream(stream, Response::failure(failure.status, failure.status, failure.message));
}

// Answers a request that its handler does not get.
void Http2Session::refuse_stream(Stream& stream, Response refusal) {
  stream.refusal = std::move(refusal);
  stream.step = Step::kRefuse;
  stream.unwanted = true;
  stream.intake.close();
  ready_.push_back(stream.id);
}

// Parts with a closed stream. Its handler hears of it in bury().
void Http2Session::take_away(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  auto stream = std::move(found->second);
  streams_.erase(found);
  if (stream->step == Step::kOwed) withdrawn_.insert(id);
  nghttp2_session_consume_connection(protocol_, stream->intake.buffered());
  gone_.push_back(std::move(stream));
}

void Http2Session::charge(double cost) {
  if (!guard_.frame(cost, owner_.now())) calm();
}

// Ends a connection whose peer overdoes it.
void Http2Session::calm() {
  if (std::exchange(calming_, true)) return;
  nghttp2_session_terminate_session(protocol_, NGHTTP2_ENHANCE_YOUR_CALM);
}

}  // namespace pinflow::http::internal
