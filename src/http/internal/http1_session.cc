#include "http/internal/http1_session.h"

#include <algorithm>
#include <utility>

#include "http/internal/http1_response.h"
#include "http/internal/response_packer.h"

namespace pinflow::http::internal {

namespace {
constexpr std::size_t kEnoughOutput = 64 << 10;    // Then the socket has its turn.
constexpr std::size_t kBatchedPieces = 16 << 10;   // Small pieces of an answer go out together up to this.
constexpr std::size_t kStreamBuffer = 64 << 10;    // A handler that left so much of its body unread holds up the peer.
constexpr std::uint64_t kSkippedBody = 256 << 10;  // A longer unwanted body is not worth the connection.

std::size_t bytes_of(const std::deque<std::string>& output) {
  std::size_t sum = 0;
  for (const auto& part : output) sum += part.size();
  return sum;
}
}  // namespace

Http1Session::Http1Session(const SessionLimits& limits, SessionOwner& owner)
    : limits_(limits), owner_(owner), reader_({limits.max_header, limits.max_target}) {}

Http1Session::~Http1Session() {
  // A handler that hears now that the peer is gone wakes nobody, and its answer goes nowhere.
  advancing_ = true;
  reply_ = Reply::kSent;
  response_stream_.reset();
  intake_.close();
}

void Http1Session::receive(std::string_view bytes) {
  if (kept_.empty()) bytes.remove_prefix(read(bytes));
  if (!bytes.empty() && !(close_ && input_ == Input::kDone)) kept_.append(bytes);
}

// Reads as far as it goes without the handler. Returns how much it took.
std::size_t Http1Session::read(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && input_ != Input::kDone) {
    std::string& into = input_ == Input::kSkip || input_ == Input::kHead ? skipped_ : intake_.inbox();
    used += reader_.feed(bytes.substr(used), into);
    if (const auto& failure = reader_.failure()) {
      fail_input(*failure);
      return bytes.size();
    }
    if (input_ != Input::kHead) {
      take_body();
    } else if (reader_.stage() == RequestReader::Stage::kHeadDone) {
      take_head();
    }
  }
  return used;
}

void Http1Session::read_kept() {
  if (kept_.empty()) return;
  kept_from_ += read(std::string_view(kept_).substr(kept_from_));
  if (kept_from_ < kept_.size()) return;
  kept_.clear();
  kept_from_ = 0;
}

void Http1Session::take_head() {
  ++id_;
  ++progress_;
  Request& head = reader_.request();
  to_head_ = head.method == "HEAD";
  if (!reader_.keep_alive()) close_ = true;
  Admission admission = owner_.admit(head);
  refusal_ = std::move(admission.refusal);
  Packing packing = Packing::kNone;
  if (!refusal_) {
    if (const auto failure = read_packing(head.headers, packing)) {
      refusal_ = Response::failure(failure->status, failure->status, failure->message);
      refusal_->headers.add("Accept-Encoding", std::string(kUnderstoodPackings));
    }
  }
  const Framing& framing = reader_.framing();
  const std::uint64_t max_body = admission.max_body ? admission.max_body->count() : limits_.max_body;
  reader_.begin_body(refusal_ || admission.stream_body ? UINT64_MAX : max_body);
  if (refusal_) {
    reply_ = Reply::kRefuse;
    input_ = Input::kSkip;
  } else if (const auto& failure = reader_.failure()) {
    return fail_input(*failure);
  } else if (admission.stream_body) {
    head.body_stream =
        intake_.stream(packing, unpack_limits(max_body), [this](std::size_t count) { body_read(count); });
    reply_ = Reply::kHand;
    input_ = Input::kStream;
  } else {
    intake_.collect(packing, unpack_limits(max_body), framing.length);
    input_ = Input::kCollect;
  }
  if (packing != Packing::kNone) head.headers.remove("Content-Encoding");
  continue_due_ = !refusal_ && reader_.expects_continue();
  if (reader_.stage() == RequestReader::Stage::kComplete) end_body();
}

void Http1Session::take_body() {
  skipped_.clear();
  if (input_ == Input::kStream) ++progress_;
  if (input_ != Input::kSkip) {
    if (const auto failure = intake_.settle()) return fail_input(*failure);
  }
  if (reader_.stage() == RequestReader::Stage::kComplete) end_body();
}

void Http1Session::end_body() {
  const Input was = std::exchange(input_, Input::kDone);
  if (was == Input::kSkip) return;
  if (const auto failure = intake_.end()) {
    input_ = was;
    return fail_input(*failure);
  }
  if (was == Input::kCollect) reply_ = Reply::kHand;
}

// The peer's bytes make no sense, or are too many: where the next request would begin is unknown.
void Http1Session::fail_input(const Failure& failure) {
  const Input was = input_;
  end_input();
  if (was == Input::kHead) to_head_ = false;
  if (was == Input::kStream && reply_ != Reply::kHand) {  // Its handler hears it, and answers.
    intake_.fail({ErrorCode::kInvalid, failure.message});
  } else if (was != Input::kSkip) {
    intake_.close();
    refusal_ = Response::failure(failure.status, failure.status, failure.message);
    reply_ = Reply::kRefuse;
  }
}

// Reads nothing more of this peer.
void Http1Session::end_input() {
  close_ = true;
  input_ = Input::kDone;
  kept_ = {};
  kept_from_ = 0;
}

void Http1Session::advance() {
  if (std::exchange(advancing_, true)) return;
  do {
    do {
      read_kept();
      if (std::exchange(continue_due_, false) && reader_.body_bytes() == 0 && reply_ != Reply::kRefuse) {
        put("HTTP/1.1 100 Continue\r\n\r\n", output_);
      }
      intake_.deliver();
    } while (move_on());
  } while (pull());
  advancing_ = false;
}

// Moves the request in hand one step on. False: it waits for something.
bool Http1Session::move_on() {
  switch (reply_) {
    case Reply::kRefuse:
      reply_ = Reply::kOwed;
      write(std::move(*std::exchange(refusal_, std::nullopt)));
      return true;
    case Reply::kHand:
      if (bytes_of(output_) >= kEnoughOutput) return false;
      hand_over();
      return true;
    case Reply::kSent:
      if (input_ != Input::kDone || close_) return false;
      next_request();
      return !kept_.empty();
    case Reply::kNone:
    case Reply::kOwed:
    case Reply::kPieces:
      return false;
  }
  return false;
}

void Http1Session::hand_over() {
  reply_ = Reply::kOwed;
  Request& request = reader_.request();
  packs_ = wants_packed(request);
  if (!request.body_stream) {
    request.body = intake_.take();
    in_hand_bytes_ = request.body.size();
  }
  owner_.hand_over(id_, std::move(request));
}

void Http1Session::answer(StreamId id, Response response) {
  if (id == id_ && reply_ == Reply::kOwed) write(std::move(response));
}

void Http1Session::write(Response response) {
  in_hand_bytes_ = 0;
  const bool pieces = response.body_stream && !to_head_ && !is_bodiless(response.status);
  if (!pieces && !give_up_body()) end_input();
  chunked_ = !reader_.is_http_1_0();
  if (pieces && !chunked_) close_ = true;
  if (std::exchange(packs_, false)) pack_response(response);
  write_http1_response(response, {.to_head = to_head_, .http_1_0 = !chunked_, .close = close_, .date = owner_.date()},
                       output_);
  if (pieces) {
    response_stream_ = std::move(response.body_stream);
    reply_ = Reply::kPieces;
  } else {
    end_answer();
  }
}

// Lets go of what the handler left of the request's body. False: not worth reading to its end, or it may never come.
bool Http1Session::give_up_body() {
  if (input_ == Input::kDone) return true;
  if (input_ == Input::kStream) intake_.close();
  const Framing& framing = reader_.framing();
  if (close_ || reader_.expects_continue() || framing.kind != Framing::Kind::kLength) return false;
  if (framing.length - reader_.body_bytes() > kSkippedBody) return false;
  input_ = Input::kSkip;
  return true;
}

void Http1Session::end_answer() {
  if (!in_pull_) response_stream_.reset();  // It may be calling us from within its next().
  reply_ = Reply::kSent;
  intake_.close();
}

void Http1Session::next_request() {
  reader_.restart();
  intake_.close();
  input_ = Input::kHead;
  reply_ = Reply::kNone;
}

// Asks for pieces of the answer as long as they come at once and are small. True: the answer came to its end.
bool Http1Session::pull() {
  while (reply_ == Reply::kPieces && !piece_due_ && bytes_of(output_) < kBatchedPieces) {
    piece_due_ = true;
    in_pull_ = true;
    owner_.pull(id_, *response_stream_);
    in_pull_ = false;
    if (reply_ != Reply::kPieces) {
      response_stream_.reset();
      return true;
    }
  }
  return false;
}

void Http1Session::piece(StreamId id, BodyStream::Piece piece) {
  if (id != id_ || reply_ != Reply::kPieces || !piece_due_) return;
  piece_due_ = false;
  ++progress_;
  if (piece && *piece) {
    if (!(*piece)->empty()) write_http1_piece(std::move(**piece), chunked_, output_);
    return;
  }
  if (piece) {
    if (chunked_) put("0\r\n\r\n", output_);
    if (input_ != Input::kDone) end_input();
  } else {  // Without its last chunk the answer is seen to be cut; without chunks the connection's end would look like the answer's.
    end_input();
    cut_ = !chunked_;
  }
  end_answer();
}

void Http1Session::refuse(int status, std::string_view message) {
  const Reply was = std::exchange(reply_, Reply::kSent);
  end_input();
  intake_.close();                                     // Its reader may answer at once: too late.
  if (was == Reply::kPieces || was == Reply::kSent) {  // An answer is out already: it ends here, whole or in its midst.
    cut_ = was == Reply::kPieces && !chunked_;
    return end_answer();
  }
  to_head_ = false;
  reply_ = Reply::kOwed;
  Response response = Response::failure(status, status, message);
  if (status == 503) response.headers.add("Retry-After", "1");
  write(std::move(response));
}

void Http1Session::finish() {
  close_ = true;
  if (input_ == Input::kHead || reply_ == Reply::kSent) end_input();
}

bool Http1Session::wants_input() const {
  if (!kept_.empty() || cut_) return false;
  if (input_ == Input::kStream) return !intake_.reader_gone() && intake_.buffered() < kStreamBuffer;
  return input_ != Input::kDone;
}

Session::Phase Http1Session::phase() const {
  if (cut_) return Phase::kCut;
  switch (reply_) {
    case Reply::kRefuse:
    case Reply::kHand:
    case Reply::kOwed:
    case Reply::kPieces:
      return input_ == Input::kStream && intake_.reader_waits() ? Phase::kStreaming : Phase::kAnswering;
    case Reply::kSent:
      return input_ == Input::kSkip ? Phase::kBody : close_ ? Phase::kEnding : Phase::kAnswering;
    case Reply::kNone:
      break;
  }
  if (input_ == Input::kDone) return Phase::kEnding;
  if (input_ != Input::kHead) return Phase::kBody;
  return reader_.stage() == RequestReader::Stage::kIdle ? Phase::kIdle : Phase::kHead;
}

std::size_t Http1Session::held_bytes() const {
  return in_hand_bytes_ + intake_.held_bytes() + kept_.size();
}

void Http1Session::body_read(std::size_t bytes) {
  if (bytes > 0) ++progress_;
  if (!advancing_) owner_.wake();
}

std::unique_ptr<Session> make_http1_session(const SessionLimits& limits, SessionOwner& owner) {
  return std::make_unique<Http1Session>(limits, owner);
}

}  // namespace pinflow::http::internal
