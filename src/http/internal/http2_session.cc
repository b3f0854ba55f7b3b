#include "http/internal/http2_session.h"

#include <algorithm>
#include <utility>

#include "http/internal/http1_response.h"
#include "http/internal/response_packer.h"

namespace pinflow::http::internal {

namespace {
constexpr std::size_t kEnoughOutput = 64 << 10;   // Then the socket has its turn.
constexpr std::size_t kBatchedPieces = 16 << 10;  // Answers' streams are asked for more below this.
constexpr std::uint64_t kSkippedBody = 1 << 20;   // Of an unwanted body; a reset stops the rest.

std::size_t bytes_of(const std::deque<std::string>& output) {
  std::size_t sum = 0;
  for (const auto& part : output) sum += part.size();
  return sum;
}

std::string lower_case(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

// The fields of an answer as nghttp2 wants them.
class ResponseFields {
 public:
  ResponseFields(const Response& response, std::string_view date) {
    fields_.reserve(response.headers.fields().size() + 3);
    add(":status", std::to_string(response.status));
    for (const auto& [name, value] : response.headers.fields()) {
      if (!is_server_field(name)) add(lower_case(name), clean_value(value));
    }
    if (!response.body_stream && !is_bodiless(response.status)) {
      add("content-length", std::to_string(response.body.size()));
    }
    add("date", std::string(date));
  }
  std::vector<nghttp2_nv> view() {
    std::vector<nghttp2_nv> out;
    out.reserve(fields_.size());
    for (auto& [name, value] : fields_) {
      out.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                     name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return out;
  }

 private:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  std::vector<std::pair<std::string, std::string>> fields_;
};
}  // namespace

Http2Session::Http2Session(const SessionLimits& limits, SessionOwner& owner)
    : limits_(limits), owner_(owner), guard_(owner.now()), protocol_(make_protocol(*this)) {
  submit_settings();
}

Http2Session::~Http2Session() {
  // Handlers that hear now that the peer is gone wake nobody, and their answers go nowhere.
  advancing_ = true;
  auto streams = std::exchange(streams_, {});
  for (auto& [id, stream] : streams) gone_.push_back(std::move(stream));
  bury();
  nghttp2_session_del(protocol_);
}

void Http2Session::receive(std::string_view bytes) {
  if (broken_) return;
  const auto taken =
      nghttp2_session_mem_recv(protocol_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0) return;
  const bool flooded = taken == NGHTTP2_ERR_FLOODED;
  nghttp2_session_terminate_session(protocol_, flooded ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_INTERNAL_ERROR);
}

void Http2Session::advance() {
  if (std::exchange(advancing_, true)) return;
  do {
    do {
      bury();
    } while (move_on());
  } while (write() && pull());
  if (broken_) {
    while (!streams_.empty()) take_away(streams_.begin()->first);
  }
  bury();
  advancing_ = false;
}

// Lets go of closed streams. Handlers that read their bodies are told that the rest will not come.
void Http2Session::bury() {
  while (!gone_.empty()) {
    for (auto& stream : std::exchange(gone_, {})) {
      stream->abandoned.request_stop();
      stream->intake.close();
    }
  }
}

// Takes the steps that streams are ready for. False: there was none.
bool Http2Session::move_on() {
  if (ready_.empty()) return false;
  for (const StreamId id : std::exchange(ready_, {})) {
    if (Stream* const stream = find(id)) take_step(*stream);
  }
  return true;
}

void Http2Session::take_step(Stream& stream) {
  switch (stream.step) {
    case Step::kRefuse:
      stream.step = Step::kOwed;
      submit(stream, std::move(*std::exchange(stream.refusal, std::nullopt)));
      break;
    case Step::kHand:
      hand_over(stream);
      break;
    case Step::kOwed:
    case Step::kAnswered:
      if (stream.unwanted) {
        stream.intake.close();
      } else {
        stream.intake.deliver();
      }
      break;
    case Step::kHead:
    case Step::kCollect:
      break;
  }
}

void Http2Session::hand_over(Stream& stream) {
  stream.step = Step::kOwed;
  Request& request = stream.head.request();
  stream.packs = wants_packed(request);
  if (!stream.streamed) {
    request.body = stream.intake.take();
    stream.in_hand_bytes = request.body.size();
  }
  stream.abandoned = std::stop_source();
  request.abandoned = stream.abandoned.get_token();
  const StreamId id = stream.id;
  owner_.hand_over(id, std::move(request));
}

void Http2Session::answer(StreamId id, Response response) {
  if (withdrawn_.erase(id) > 0) return;
  Stream* const stream = find(id);
  if (stream != nullptr && stream->step == Step::kOwed) submit(*stream, std::move(response));
}

void Http2Session::submit(Stream& stream, Response response) {
  stream.step = Step::kAnswered;
  stream.in_hand_bytes = 0;
  const auto id = static_cast<std::int32_t>(stream.id);
  if (stream.packs) pack_response(response);
  ResponseFields fields(response, owner_.date());
  const auto view = fields.view();
  const bool with_body =
      !stream.to_head && !is_bodiless(response.status) && (response.body_stream || !response.body.empty());
  if (with_body) {
    stream.out = std::move(response.body);
    stream.response_stream = std::move(response.body_stream);
    stream.out_ended = !stream.response_stream;
  }
  nghttp2_data_provider provider{};
  provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t room,
                              std::uint32_t* flags, nghttp2_data_source* source, void* self) -> ssize_t {
    const auto count = static_cast<Http2Session*>(self)->fill(*static_cast<Stream*>(source->ptr), into, room, flags);
    const bool waits = count == 0 && (*flags & NGHTTP2_DATA_FLAG_EOF) == 0U;
    return waits ? NGHTTP2_ERR_DEFERRED : static_cast<ssize_t>(count);
  };
  provider.source.ptr = &stream;
  if (nghttp2_submit_response(protocol_, id, view.data(), view.size(), with_body ? &provider : nullptr) != 0) {
    nghttp2_submit_rst_stream(protocol_, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
  }
  if (stream.body_ended || stream.response_stream) return;
  stream.unwanted = true;
  nghttp2_session_consume(protocol_, id, stream.intake.buffered());
  stream.intake.close();
}

// Gives nghttp2 what there is of an answer's body. None, and not the end: the answer's stream is asked for more.
std::size_t Http2Session::fill(Stream& stream, std::uint8_t* into, std::size_t room, std::uint32_t* flags) {
  const std::size_t count = std::min(room, stream.out.size() - stream.out_from);
  std::copy_n(stream.out.data() + stream.out_from, count, into);
  stream.out_from += count;
  if (stream.out_from < stream.out.size()) {
    stream.stamp = ++stamp_;
    return count;
  }
  stream.out = {};
  stream.out_from = 0;
  if (stream.out_ended) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  } else if (count == 0) {
    stream.hungry = true;
  }
  return count;
}

// The last frame of an answer is on its way.
void Http2Session::answer_sent(Stream& stream) {
  guard_.answered();
  if (stream.body_ended) return;
  stream.unwanted = true;
  ready_.push_back(stream.id);
  stream.stamp = ++stamp_;
  if (ending_) return stop_body(stream);
  // Not at once: clients that are still sending (curl) take a reset for a failure, and show no answer.
  stream.reset_at = stream.body_bytes + kSkippedBody;
}

// Asks the peer of an answered request to send no more of its body.
void Http2Session::stop_body(Stream& stream) {
  stream.reset_at = UINT64_MAX;
  nghttp2_submit_rst_stream(protocol_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(stream.id), NGHTTP2_NO_ERROR);
}

// Moves frames to the output. False: nothing more may be asked for now.
bool Http2Session::write() {
  if (broken_) return false;
  std::size_t size = bytes_of(output_);
  std::string block;
  while (size < kEnoughOutput) {
    const std::uint8_t* bytes = nullptr;
    const auto count = nghttp2_session_mem_send(protocol_, &bytes);
    if (count < 0) broken_ = true;
    if (count <= 0) break;
    block.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    size += static_cast<std::size_t>(count);
  }
  if (!block.empty()) put(std::move(block), output_);
  if (nghttp2_session_want_read(protocol_) == 0 && nghttp2_session_want_write(protocol_) == 0) broken_ = true;
  return !broken_ && size < kBatchedPieces;
}

// Asks answers' streams for what their peers' windows would take. True: the connection can go on.
bool Http2Session::pull() {
  bool came = !ready_.empty() || !gone_.empty();
  for (auto& [id, stream] : streams_) {
    if (!stream->hungry || stream->piece_due || !stream->response_stream) continue;
    stream->hungry = false;
    stream->piece_due = true;
    owner_.pull(id, *stream->response_stream);
    came = came || !stream->piece_due;
  }
  // An answer's stream may have read some of its request, whose window opens now.
  return came || nghttp2_session_want_write(protocol_) != 0;
}

void Http2Session::piece(StreamId id, BodyStream::Piece piece) {
  Stream* const stream = find(id);
  if (stream == nullptr || !stream->piece_due) return;
  stream->piece_due = false;
  stream->stamp = ++stamp_;
  if (!piece) {
    nghttp2_submit_rst_stream(protocol_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(id), NGHTTP2_INTERNAL_ERROR);
    return;
  }
  if (*piece) {
    stream->out = std::move(**piece);
  } else {
    stream->out_ended = true;
  }
  nghttp2_session_resume_data(protocol_, static_cast<std::int32_t>(id));
}

// Says no to the requests whose peer keeps us waiting; the others are still answered.
void Http2Session::refuse(int status, std::string_view message) {
  for (auto& [id, stream] : streams_) {
    if (stream->collecting() || stream->reader_waits() || stream->has_output()) {
      if (stream->step == Step::kAnswered) {
        nghttp2_submit_rst_stream(protocol_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(id), NGHTTP2_CANCEL);
        continue;
      }
      if (stream->step == Step::kOwed) withdrawn_.insert(id);  // Its handler's answer is too late.
      Response response = Response::failure(status, status, message);
      if (status == 503) response.headers.add("Retry-After", "1");
      submit(*stream, std::move(response));
    }
  }
  if (std::exchange(head_open_, false)) {
    std::erase_if(streams_, [](const auto& entry) { return entry.second->step == Step::kHead; });
  }
  go_away();
}

void Http2Session::finish() {
  go_away();
}

void Http2Session::go_away() {
  if (std::exchange(ending_, true)) return;
  for (auto& [id, stream] : streams_) {
    if (stream->reset_at != UINT64_MAX) stop_body(*stream);
  }
  nghttp2_submit_goaway(protocol_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(protocol_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

bool Http2Session::wants_input() const {
  return !broken_ && withdrawn_.size() < limits_.max_streams && (!ending_ || !streams_.empty());
}

Http2Session::Urgent Http2Session::urgent() const {
  if (broken_) return {Phase::kEnding, stamp_};
  if (head_open_) return {Phase::kHead, head_stamp_};
  Urgent most{ending_ ? Phase::kEnding : Phase::kIdle, stamp_};
  int rank = 0;
  const auto offer = [&](int offered, Phase phase, std::uint64_t stamp) {
    if (offered < rank || (offered == rank && stamp >= most.stamp)) return;
    rank = offered;
    most = {phase, stamp};
  };
  for (const auto& [id, stream] : streams_) {
    if (stream->collecting()) {
      offer(3, Phase::kBody, stream->stamp);
    } else if (stream->reader_waits() || (stream->has_output() && output_.empty())) {
      offer(2, Phase::kStreaming, stream->stamp);
    } else {
      offer(1, Phase::kAnswering, stream->stamp);
    }
  }
  return most;
}

Session::Phase Http2Session::phase() const {
  return urgent().phase;
}

std::uint64_t Http2Session::progress() const {
  return urgent().stamp;
}

std::size_t Http2Session::held_bytes() const {
  std::size_t sum = 0;
  for (const auto& [id, stream] : streams_) sum += stream->intake.held_bytes() + stream->in_hand_bytes;
  return sum;
}

void Http2Session::body_read(StreamId id, std::size_t bytes) {
  Stream* const stream = find(id);
  if (stream != nullptr && bytes > 0) {
    stream->stamp = ++stamp_;
    nghttp2_session_consume(protocol_, static_cast<std::int32_t>(id), bytes);
  }
  if (!advancing_) owner_.wake();
}

Http2Session::Stream* Http2Session::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

std::unique_ptr<Session> make_http2_session(const SessionLimits& limits, SessionOwner& owner) {
  return std::make_unique<Http2Session>(limits, owner);
}

}  // namespace pinflow::http::internal
