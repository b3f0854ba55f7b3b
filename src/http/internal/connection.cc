#include "http/internal/connection.h"

#include <array>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "http/internal/wire.h"

namespace pinflow::http::internal {

namespace {
using boost::asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;
using Phase = Session::Phase;

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kMaxGather = 16;         // Pieces of one write.
constexpr std::size_t kMaxUnsent = 256 << 10;  // An HTTP/2 peer that lets more lie is not read.
constexpr std::size_t kShortRead =
    32 << 10;  // Requests that come behind one in hand are kept: not more than this of them.
constexpr std::uint64_t kMinTaken = 16 << 10;       // A peer that takes less within the time for a body does not read.
constexpr std::chrono::milliseconds kDrain{2'000};  // For the peer to read our last words.

bool is_reading(Phase phase) {
  return phase == Phase::kHead || phase == Phase::kBody || phase == Phase::kStreaming;
}
}  // namespace

std::string_view DateText::now() {
  const auto second = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  if (second != second_) {
    second_ = second;
    text_ = http_date(second);
  }
  return text_;
}

Connection::Connection(ConnectionContext& context, std::uint64_t number, std::uint64_t key, tcp::socket connected,
                       std::string address)
    : id(number),
      address_key(key),
      socket(std::move(connected)),
      timer(socket.get_executor()),
      context_(context),
      transport_(socket.native_handle()),
      stage_(context.tls == nullptr ? Stage::kPreface : Stage::kFirstByte) {
  peer_.address = std::move(address);
}

Connection::~Connection() {
  abandoned_.request_stop();
  context_.held_bytes -= held_;
}

bool Connection::receive(std::span<char> scratch) {
  blocked_on_write_ = false;
  if (session_ != nullptr && stage_ == Stage::kTalking && !wants_read()) return look();
  if (stage_ == Stage::kFirstByte) begin();
  if (stage_ == Stage::kHandshake) {
    if (!shake_hands()) return false;
    if (stage_ == Stage::kHandshake) return true;
  }
  input_waiting_ = false;
  const std::span<char> room = scratch.first(std::min(scratch.size(), is_in_body() ? scratch.size() : kShortRead));
  const auto [status, count] = transport_.read(room);
  switch (status) {
    case Status::kDone:
      if (stage_ != Stage::kDraining) take_bytes({room.data(), count});
      // The rest of a body is mostly there too.
      return count < room.size() || room.size() == scratch.size() || !is_in_body() || receive(scratch);
    case Status::kWantRead:
      return true;
    case Status::kWantWrite:
      blocked_on_write_ = true;
      return true;
    case Status::kClosed:
      return peer_ended();
    case Status::kFailed:
      return false;
  }
  return false;
}

// Whether much may come that is not kept as it is.
bool Connection::is_in_body() const {
  if (stage_ == Stage::kDraining || http2_) return true;
  return session_ != nullptr && (session_->phase() == Phase::kBody || session_->phase() == Phase::kStreaming);
}

// Decides on the first byte whether this connection speaks TLS.
void Connection::begin() {
  const auto tls = transport_.begins_with_tls();
  if (!tls) return;  // Nothing there: the read that follows tells why.
  if (*tls) {
    transport_.begin_tls(context_.tls->session());
    stage_ = Stage::kHandshake;
    return;
  }
  stage_ = Stage::kPreface;
  if (context_.options.tls.allow_plaintext) return;
  refuse(400, "this port speaks TLS only; use https:// in place of http://");
}

// False: the connection is broken.
bool Connection::shake_hands() {
  const auto [status, count] = transport_.handshake();
  if (status == Status::kWantWrite) blocked_on_write_ = true;
  if (status == Status::kWantRead || status == Status::kWantWrite) return true;
  if (status != Status::kDone) return false;
  peer_.encrypted = true;
  peer_.certificate = transport_.peer_subject();
  stage_ = Stage::kPreface;
  const std::string_view protocol = transport_.protocol();
  if (!protocol.empty()) talk(protocol == "h2");
  return true;
}

void Connection::take_bytes(std::string_view bytes) {
  if (session_ != nullptr) return session_->receive(bytes);
  const std::string earlier = prelude_;
  prelude_ += bytes.substr(0, kHttp2Preface.size() - prelude_.size());
  const bool may_be_http2 = kHttp2Preface.starts_with(prelude_);
  if (may_be_http2 && prelude_.size() < kHttp2Preface.size()) return;
  prelude_ = {};
  talk(may_be_http2);
  if (!earlier.empty()) session_->receive(earlier);
  session_->receive(bytes);
}

void Connection::talk(bool http2) {
  http2_ = http2;
  stage_ = Stage::kTalking;
  session_ = http2 ? make_http2_session(context_.limits, *this) : make_http1_session(context_.limits, *this);
}

// The peer sends nothing more. It may still read what it asked for.
bool Connection::peer_ended() {
  if (session_ == nullptr || stage_ == Stage::kDraining || http2_) return false;
  if (session_->wants_input() && session_->output().empty()) return false;
  peer_finished_ = true;
  // It has closed, or half-closed: who waits for news may as well answer now.
  abandoned_.request_stop();
  session_->finish();
  return true;
}

// Input that nobody wants yet stays in the socket; but its end is of interest.
bool Connection::look() {
  char byte = 0;
  const ssize_t count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) input_waiting_ = true;
  if (count == 0) return peer_ended();
  return count > 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

bool Connection::flush() {
  auto& output = session_->output();
  while (!output.empty()) {
    std::array<std::string_view, kMaxGather> pieces;
    const std::size_t used = std::min(output.size(), kMaxGather);
    for (std::size_t i = 0; i < used; ++i) pieces[i] = output[i];
    pieces[0].remove_prefix(sent_);
    const auto [status, count] = transport_.write(std::span(pieces).first(used));
    if (status == Status::kWantRead || status == Status::kWantWrite) return true;
    if (status != Status::kDone) return false;
    written_ += count;
    sent_ += count;
    while (!output.empty() && sent_ >= output.front().size()) {
      sent_ -= output.front().size();
      output.pop_front();
    }
  }
  return true;
}

void Connection::take(StreamId stream, Reply reply) {
  if (session_ == nullptr) return;
  if (auto* const response = std::get_if<Response>(&reply)) {
    session_->answer(stream, std::move(*response));
  } else {
    session_->piece(stream, std::get<BodyStream::Piece>(std::move(reply)));
  }
}

void Connection::refuse(int status, std::string_view message) {
  if (session_ == nullptr) talk(false);
  session_->refuse(status, message);
}

bool Connection::finish() {
  if (session_ == nullptr) return false;
  session_->finish();
  return true;
}

bool Connection::is_ending() const {
  if (session_ == nullptr || stage_ == Stage::kDraining || has_output()) return false;
  const Phase phase = session_->phase();
  return phase == Phase::kEnding || phase == Phase::kCut;
}

bool Connection::begin_drain() {
  error_code ignored;
  if (session_->phase() == Phase::kCut) {
    socket.set_option(tcp::socket::linger(true, 0), ignored);
    return false;
  }
  transport_.say_goodbye();
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  stage_ = Stage::kDraining;
  // Closing with unread input would reset the connection and may take our last answer from the peer's hands.
  return !peer_finished_;
}

bool Connection::wants_read() const {
  if (peer_finished_) return false;
  if (session_ == nullptr || stage_ != Stage::kTalking) return true;
  if (!session_->wants_input()) return false;
  if (session_->output().empty()) return true;
  // HTTP/1: the answers before this request go first. HTTP/2: the peer may be telling us that it has room.
  return http2_ && unsent() < kMaxUnsent;
}

std::size_t Connection::unsent() const {
  std::size_t sum = 0;
  for (const std::string& piece : session_->output()) sum += piece.size();
  return sum - sent_;
}

bool Connection::account() {
  if (session_ == nullptr) return true;
  const std::size_t held = session_->held_bytes() + (has_output() ? unsent() : 0);
  context_.held_bytes += held - held_;
  held_ = held;
  if (!context_.is_out_of_memory() || session_->phase() != Phase::kBody) return true;
  session_->refuse(503, "the server holds as many request bodies as its memory bound allows; try again");
  return false;
}

// What the peer has acknowledged. Inside TLS that is a little more than our own count, and always grows with it.
std::uint64_t Connection::taken_by_peer() const {
  int queued = 0;
  if (::ioctl(const_cast<Connection*>(this)->socket.native_handle(), SIOCOUTQ, &queued) != 0) return written_;
  return written_ - std::min<std::uint64_t>(written_, static_cast<std::uint64_t>(queued));
}

// Each stage has its time, counted from its first moment, so that a trickle of bytes does not extend it.
Connection::Time Connection::update_deadline() {
  enum Name { kShakingHands = 100, kSending, kDraining };
  const Phase phase = session_ == nullptr ? prelude_.empty() ? Phase::kIdle : Phase::kHead : session_->phase();
  const bool sending = has_output() && stage_ != Stage::kDraining;
  std::pair timed{static_cast<int>(phase), session_ == nullptr ? 0 : session_->progress()};
  if (sending) timed = {kSending, 0};
  if (stage_ == Stage::kDraining) timed = {kDraining, 0};
  if (stage_ == Stage::kHandshake) timed = {kShakingHands, 0};
  if (timed == timed_) return deadline_;
  timed_ = timed;
  const auto& options = context_.options;
  auto allowed = options.idle_timeout;
  if (stage_ == Stage::kHandshake || phase == Phase::kHead) allowed = options.header_timeout;
  if (sending || phase == Phase::kBody || phase == Phase::kStreaming) allowed = options.body_timeout;
  if (stage_ == Stage::kDraining) allowed = kDrain;
  const bool unlimited = phase == Phase::kAnswering && !sending && stage_ == Stage::kTalking;
  deadline_ = unlimited ? Time::max() : steady_clock::now() + allowed;
  if (sending) taken_at_deadline_ = taken_by_peer();
  return deadline_;
}

bool Connection::overdue() {
  const bool sending = has_output() && stage_ != Stage::kDraining;
  if (sending && taken_by_peer() >= taken_at_deadline_ + kMinTaken) {
    timed_ = {-1, 0};
    return true;
  }
  if (sending || stage_ == Stage::kDraining || stage_ == Stage::kHandshake) return false;
  const Phase phase = session_ == nullptr ? prelude_.empty() ? Phase::kIdle : Phase::kHead : session_->phase();
  if (!is_reading(phase)) return finish();
  const auto& options = context_.options;
  const auto allowed = phase == Phase::kHead ? options.header_timeout : options.body_timeout;
  refuse(408, fmt::format("the {} of the request did not arrive within {} ms", phase == Phase::kHead ? "head" : "body",
                          allowed.count()));
  return true;
}

Admission Connection::admit(Request& head) {
  if (context_.is_out_of_memory()) {
    Admission admission;
    admission.refusal = Response::failure(
        503, 503, "the server holds as many requests and answers as its memory bound allows; try again");
    admission.refusal->headers.add("Retry-After", "1");
    return admission;
  }
  head.peer = peer_;
  return context_.handler.admit(head);
}

void Connection::hand_over(StreamId stream, Request request) {
  const Ticket ticket{id, stream};
  if (!request.abandoned.stop_possible()) {
    if (!abandoned_.stop_possible()) abandoned_ = std::stop_source();
    request.abandoned = abandoned_.get_token();
  }
  context_.mailbox->expect(ticket);
  context_.handler.handle(std::move(request), make_responder(context_.mailbox, ticket));
  if (auto reply = context_.mailbox->collect()) take(stream, std::move(*reply));
}

void Connection::pull(StreamId stream, BodyStream& body) {
  const Ticket ticket{id, stream};
  context_.mailbox->expect(ticket);
  body.next(make_piece_taker(context_.mailbox, ticket));
  if (auto reply = context_.mailbox->collect()) take(stream, std::move(*reply));
}

}  // namespace pinflow::http::internal
