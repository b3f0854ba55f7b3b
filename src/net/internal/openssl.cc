#include "net/internal/openssl.h"

#include <cerrno>
#include <cstdint>
#include <sys/socket.h>

#include <fmt/format.h>
#include <openssl/err.h>

namespace pinflow::net::internal {

namespace {
int socket_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool may_go_on(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int write_some(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::send(socket_of(bio), bytes, size, MSG_NOSIGNAL);
  *written = count > 0 ? static_cast<std::size_t>(count) : 0;
  if (count < 0 && may_go_on(errno)) BIO_set_retry_write(bio);
  return count > 0 ? 1 : 0;
}

int read_some(BIO* bio, char* room, std::size_t size, std::size_t* read) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::recv(socket_of(bio), room, size, 0);
  *read = count > 0 ? static_cast<std::size_t>(count) : 0;
  if (count < 0 && may_go_on(errno)) BIO_set_retry_read(bio);
  if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return count > 0 ? 1 : 0;
}

long control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pinflow socket");
    if (method == nullptr) return method;
    BIO_meth_set_write_ex(method, write_some);
    BIO_meth_set_read_ex(method, read_some);
    BIO_meth_set_ctrl(method, control);
    return method;
  }();
  return kMethod;
}
}  // namespace

std::string take_tls_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no more is known";
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:x}", code);
}

std::string subject_of(const X509& certificate) {
  const std::unique_ptr<BIO, Releaser> text(BIO_new(BIO_s_mem()));
  if (text == nullptr) return {};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

BIO* make_socket_bio(int socket) {
  if (socket_method() == nullptr) return nullptr;
  BIO* const bio = BIO_new(socket_method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace pinflow::net::internal
