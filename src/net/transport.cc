#include "net/transport.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sys/socket.h>
#include <sys/uio.h>
#include <system_error>

#include <openssl/err.h>

#include "net/internal/openssl.h"

namespace pinflow::net {

namespace {
constexpr std::size_t kMaxGather = 64;        // Pieces of one write in the clear.
constexpr std::size_t kMaxRecord = 16 << 10;  // Plain bytes of one TLS record.
}  // namespace

void Transport::begin_tls(TlsSession session) {
  BIO* const bio = session == nullptr ? nullptr : internal::make_socket_bio(socket_);
  if (bio == nullptr) {
    failure_ = "no memory for TLS";
    return;
  }
  SSL_set_bio(session.get(), bio, bio);
  tls_ = std::move(session);
}

std::optional<bool> Transport::begins_with_tls() const {
  char first = 0;
  if (::recv(socket_, &first, 1, MSG_PEEK) != 1) return std::nullopt;
  return first == 22;
}

Transport::Outcome Transport::socket_failure(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) return {Status::kWantRead};
  if (error == ECONNRESET || error == EPIPE) return {Status::kClosed};
  failure_ = std::generic_category().message(error);
  return {Status::kFailed};
}

Transport::Outcome Transport::tls_outcome(int result, std::size_t count) {
  if (result == 1) return {Status::kDone, count};
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {Status::kWantRead};
    case SSL_ERROR_WANT_WRITE:
      return {Status::kWantWrite};
    case SSL_ERROR_ZERO_RETURN:
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      return {Status::kClosed};
    default: {
      const long verified = SSL_get_verify_result(tls_.get());
      failure_ = "TLS: " + internal::take_tls_error();
      if (verified != X509_V_OK) failure_ += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
      return {Status::kFailed};
    }
  }
}

Transport::Outcome Transport::handshake() {
  if (!failure_.empty()) return {Status::kFailed};
  if (tls_ == nullptr) return {};
  ERR_clear_error();
  return tls_outcome(SSL_do_handshake(tls_.get()), 0);
}

Transport::Outcome Transport::read(std::span<char> room) {
  buffered_ = false;
  if (!failure_.empty()) return {Status::kFailed};
  if (tls_ == nullptr) {
    const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
    if (count > 0) return {Status::kDone, static_cast<std::size_t>(count)};
    return count == 0 ? Outcome{Status::kClosed} : socket_failure(errno);
  }
  // A record at a time comes out of OpenSSL: those that it has are taken at once.
  std::size_t total = 0;
  while (total < room.size()) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(tls_.get(), room.data() + total, room.size() - total, &count);
    if (result != 1) {
      const Outcome outcome = tls_outcome(result, 0);
      return total > 0 ? Outcome{Status::kDone, total} : outcome;  // An end is told again by the next read.
    }
    total += count;
    if (SSL_has_pending(tls_.get()) == 0) return {Status::kDone, total};
  }
  buffered_ = true;
  return {Status::kDone, total};
}

Transport::Outcome Transport::write(std::span<const std::string_view> pieces) {
  if (!failure_.empty()) return {Status::kFailed};
  if (tls_ == nullptr) {
    std::array<iovec, kMaxGather> parts;
    const std::size_t used = std::min(pieces.size(), parts.size());
    for (std::size_t i = 0; i < used; ++i) parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    const ssize_t count = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (count >= 0) return {Status::kDone, static_cast<std::size_t>(count)};
    const Outcome failed = socket_failure(errno);
    return failed.status == Status::kWantRead ? Outcome{Status::kWantWrite} : failed;
  }
  // Small pieces share a record.
  std::string_view next = pieces.front();
  std::array<char, kMaxRecord> record;
  if (next.size() < record.size() && pieces.size() > 1) {
    std::size_t filled = 0;
    for (const std::string_view piece : pieces) {
      const std::size_t part = std::min(piece.size(), record.size() - filled);
      std::memcpy(record.data() + filled, piece.data(), part);
      filled += part;
      if (filled == record.size()) break;
    }
    next = {record.data(), filled};
  }
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(tls_.get(), next.data(), next.size(), &count);
  return tls_outcome(result, count);
}

void Transport::say_goodbye() {
  if (tls_ == nullptr || SSL_is_init_finished(tls_.get()) == 0 || !failure_.empty()) return;
  ERR_clear_error();
  SSL_shutdown(tls_.get());
  ERR_clear_error();
}

std::string Transport::peer_subject() const {
  if (tls_ == nullptr || SSL_get_verify_result(tls_.get()) != X509_V_OK) return {};
  const std::unique_ptr<X509, internal::Releaser> certificate(SSL_get1_peer_certificate(tls_.get()));
  return certificate == nullptr ? std::string() : internal::subject_of(*certificate);
}

std::string_view Transport::protocol() const {
  if (tls_ == nullptr) return {};
  const unsigned char* bytes = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls_.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace pinflow::net
