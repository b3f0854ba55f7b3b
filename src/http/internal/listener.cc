#include "http/internal/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/listen.h"

namespace pinflow::http::internal {

namespace {
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{200};
constexpr int kUnsentInKernel =
    256 << 10;  // Of one connection, so that those who do not read cannot fill the kernel's memory.
}  // namespace

Result<void> Listener::listen(const ServerOptions& options) {
  TRY_ASSIGN(auto listening, net::listen_on({options.addresses, options.port, "HTTP", "http"}));
  port_ = listening.port;
  for (auto& one : listening.sockets) {
    auto acceptor = std::make_unique<Acceptor>(io_, one.address);
    error_code error;
    acceptor->socket.assign(one.v6 ? tcp::v6() : tcp::v4(), one.socket.get(), error);
    if (error) return fail(ErrorCode::kUnavailable, "cannot wait for HTTP connections: " + error.message());
    one.socket.release();
    acceptors_.push_back(std::move(acceptor));
  }
  for (const std::string& address : listening.absent) {
    logger_.info("an address that this machine lacks is left out", {{"http", address}});
  }
  return {};
}

void Listener::start() {
  for (const auto& acceptor : acceptors_) accept(*acceptor);
}

void Listener::close() {
  closed_ = true;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->socket.close(ignored);
    acceptor->pause.cancel();
  }
}

std::string Listener::addresses() const {
  std::string all;
  for (const auto& acceptor : acceptors_) all += (all.empty() ? "" : ", ") + acceptor->address;
  return all;
}

void Listener::accept(Acceptor& acceptor) {
  acceptor.socket.async_accept(
      [this, &acceptor](const error_code& error, tcp::socket socket) { accepted(acceptor, error, std::move(socket)); });
}

void Listener::accepted(Acceptor& acceptor, const error_code& error, tcp::socket socket) {
  if (closed_) return;
  if (error && error != boost::asio::error::connection_aborted) {
    // Out of descriptors or memory: what is open goes on, newcomers wait in the kernel's queue.
    logger_.warning("cannot accept an HTTP connection for now; is the limit of open files too low?",
                    {{"error", error.message()}});
    acceptor.pause.expires_after(kAcceptPause);
    acceptor.pause.async_wait([this, &acceptor](const error_code& cancelled) {
      if (!cancelled) accept(acceptor);
    });
    return;
  }
  error_code failed = error;
  if (!failed) socket.non_blocking(true, failed);
  if (!failed) socket.set_option(tcp::no_delay(true), failed);
  if (!failed) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentInKernel, sizeof kUnsentInKernel);
    open_(std::move(socket));
  }
  accept(acceptor);
}

}  // namespace pinflow::http::internal
