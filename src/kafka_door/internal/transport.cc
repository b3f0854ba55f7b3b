#include "kafka_door/internal/transport.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>
#include <system_error>

#include <openssl/err.h>

#include "base/check.h"

namespace pinflow::kafka_door::internal {

namespace {
constexpr std::size_t kMaxGather = 64;  // Pieces of one write.

std::size_t gather(const std::deque<Conversation::Output>& output, std::span<iovec> pieces) {
  std::size_t count = 0;
  for (const auto& item : output) {
    for (const std::string_view piece : item.pieces) {
      if (count == pieces.size()) return count;
      pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
  }
  return count;
}
}  // namespace

void Transport::begin_tls(SSL_CTX& context) {
  tls_.reset(SSL_new(&context));
  CHECK(tls_ != nullptr && SSL_set_fd(tls_.get(), socket_) == 1, "OpenSSL has no memory for a session");
  SSL_set_accept_state(tls_.get());
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
    default:
      failure_ = "TLS: " + take_tls_error();
      return {Status::kFailed};
  }
}

Transport::Outcome Transport::read(std::span<char> room) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(tls_.get(), room.data(), room.size(), &count);
    return tls_outcome(result, count);
  }
  const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
  if (count > 0) return {Status::kDone, static_cast<std::size_t>(count)};
  return count == 0 ? Outcome{Status::kClosed} : socket_failure(errno);
}

Transport::Outcome Transport::write(const std::deque<Conversation::Output>& output) {
  std::array<iovec, kMaxGather> pieces;
  const std::size_t used = gather(output, pieces);
  if (tls_ != nullptr) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_write_ex(tls_.get(), pieces[0].iov_base, pieces[0].iov_len, &count);
    return tls_outcome(result, count);
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = used;
  const ssize_t count = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
  if (count >= 0) return {Status::kDone, static_cast<std::size_t>(count)};
  const Outcome failed = socket_failure(errno);
  return failed.status == Status::kWantRead ? Outcome{Status::kWantWrite} : failed;
}

void Transport::say_goodbye() {
  if (tls_ != nullptr && SSL_is_init_finished(tls_.get()) != 0) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
}

std::string Transport::peer_subject() const {
  if (tls_ == nullptr) return {};
  const std::unique_ptr<X509, TlsDeleter> certificate(SSL_get1_peer_certificate(tls_.get()));
  if (certificate == nullptr) return {};
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace pinflow::kafka_door::internal
