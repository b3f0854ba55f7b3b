#include "http/client.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "http/internal/response_reader.h"
#include "net/transport.h"

namespace pinflow::http {

namespace {

using net::Transport;
using std::chrono::steady_clock;
using Status = Transport::Status;

constexpr std::size_t kMaxHeader = 64 << 10;
constexpr std::uint64_t kMaxBody = std::uint64_t{64} << 20;
constexpr std::size_t kReadBuffer = 64 << 10;

std::string error_text(int number) {
  return std::generic_category().message(number);
}

// Waits until the socket is ready for `events`. False: the deadline passed.
bool wait_for(const Descriptor& socket, short events, steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd entry{socket.get(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return true;  // The next call on the socket says what is wrong.
  }
}

// Zero, or the number of the error.
int connect_to(const addrinfo& address, steady_clock::time_point deadline, Descriptor& out) {
  Descriptor socket(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  if (!socket) return errno;
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return errno;
    if (!wait_for(socket, POLLOUT, deadline)) return ETIMEDOUT;
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    if (error != 0) return error;
  }
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  out = std::move(socket);
  return 0;
}

class SocketClient final : public Client {
 public:
  SocketClient(const Url& url, std::chrono::milliseconds timeout, const std::filesystem::path& authority)
      : url_(url),
        timeout_(timeout),
        authority_(authority),
        host_(url.host.find(':') == std::string::npos ? url.host : fmt::format("[{}]", url.host)),
        place_(fmt::format("{}:{}", host_, url.port)),
        buffer_(kReadBuffer) {}

  Result<Response> send(const Request& request) override {
    const auto deadline = steady_clock::now() + timeout_;
    if (transport_ && peer_closed()) close();
    if (!transport_) TRY(connect(deadline));
    auto response = exchange(request, deadline);
    if (!response) close();
    return response;
  }

 private:
  void close() {
    transport_.reset();
    socket_ = Descriptor();
  }

  Result<void> connect(steady_clock::time_point deadline) {
    if (url_.encrypted && tls_ == nullptr) {
      TRY_ASSIGN(tls_, net::TlsClient::load(authority_, {"http/1.1"}));
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(url_.port);
    if (const int error = ::getaddrinfo(url_.host.c_str(), port.c_str(), &hints, &found); error != 0) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("cannot find the host '{}': {}", url_.host, ::gai_strerror(error)));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
    int error = ENOENT;
    for (const addrinfo* address = found; address != nullptr && !socket_; address = address->ai_next) {
      error = connect_to(*address, deadline, socket_);
    }
    if (!socket_) {
      return fail(
          ErrorCode::kUnavailable,
          fmt::format("cannot connect to {}: {}. Check the URL, and that the server runs", place_, error_text(error)));
    }
    transport_.emplace(socket_.get());
    if (tls_ == nullptr) return {};
    auto set_up = set_up_tls(deadline);
    if (!set_up) close();
    return set_up;
  }

  Result<void> set_up_tls(steady_clock::time_point deadline) {
    transport_->begin_tls(tls_->session(url_.host));
    for (;;) {
      const Status status = transport_->handshake().status;
      if (status == Status::kDone) return {};
      if (status != Status::kFailed && status != Status::kClosed && wait(status, deadline)) continue;
      const std::string why = status == Status::kFailed   ? transport_->failure()
                              : status == Status::kClosed ? "the peer closed"
                                                          : "it took too long";
      return fail(ErrorCode::kUnavailable,
                  fmt::format("cannot set up TLS with {}: {}. Check that the server speaks https there, and that its "
                              "certificate is for '{}' and signed by an authority that is trusted here",
                              place_, why, url_.host));
    }
  }

  // True if the connection that lay idle cannot be used: the peer closed it, or said something unasked.
  bool peer_closed() {
    char byte = 0;
    return transport_->read({&byte, 1}).status != Status::kWantRead;
  }

  bool wait(Status status, steady_clock::time_point deadline) const {
    return wait_for(socket_, status == Status::kWantWrite ? POLLOUT : POLLIN, deadline);
  }

  Result<Response> exchange(const Request& request, steady_clock::time_point deadline) {
    // A peer may refuse a large request before it has read it; then the answer is there although sending
    // broke off.
    auto sent = write(head_of(request), request.body, deadline);
    internal::ResponseReader reader(request.method == "HEAD", kMaxHeader, kMaxBody);
    auto read = read_answer(reader, deadline);
    if (!read)
      return fail(std::move(sent ? read : sent)
                      .error()
                      .with_context(fmt::format("{} {} at {}", request.method, request.target, place_)));
    if (!sent || !reader.keep_alive()) close();
    return reader.take();
  }

  std::string head_of(const Request& request) const {
    const bool usual_port = url_.port == (url_.encrypted ? 443 : 80);
    std::string head = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", request.method, url_.prefix,
                                   request.target.empty() ? "/" : request.target, usual_port ? host_ : place_);
    for (const auto& [name, value] : request.headers.fields())
      fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
    const bool says_length = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
    if (says_length) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", request.body.size());
    return head += "\r\n";
  }

  Result<void> write(std::string_view head, std::string_view body, steady_clock::time_point deadline) {
    while (!head.empty() || !body.empty()) {
      std::array<std::string_view, 2> pieces{head, body};
      const std::span<const std::string_view> used =
          head.empty() ? std::span(pieces).last(1) : std::span(pieces).first(body.empty() ? 1 : 2);
      const auto [status, count] = transport_->write(used);
      switch (status) {
        case Status::kDone: {
          const std::size_t of_head = std::min(count, head.size());
          head.remove_prefix(of_head);
          body.remove_prefix(count - of_head);
          break;
        }
        case Status::kWantRead:
        case Status::kWantWrite:
          if (!wait(status, deadline)) return timed_out();
          break;
        case Status::kClosed:
        case Status::kFailed:
          return fail(ErrorCode::kUnknownOutcome, fmt::format("sending broke off: {}", reason(status)));
      }
    }
    return {};
  }

  Result<void> read_answer(internal::ResponseReader& reader, steady_clock::time_point deadline) {
    while (!reader.done()) {
      const auto [status, count] = transport_->read(buffer_);
      switch (status) {
        case Status::kDone:
          reader.feed({buffer_.data(), count});
          if (reader.failure()) return fail(ErrorCode::kUnknownOutcome, reader.failure()->message);
          break;
        case Status::kWantRead:
        case Status::kWantWrite:
          if (!wait(status, deadline)) return timed_out();
          break;
        case Status::kClosed:
          reader.close();
          if (!reader.done()) return fail(ErrorCode::kUnknownOutcome, "the peer closed before its answer was whole");
          break;
        case Status::kFailed:
          return fail(ErrorCode::kUnknownOutcome, fmt::format("reading the answer broke off: {}", reason(status)));
      }
    }
    return {};
  }

  std::string reason(Status status) const {
    return status == Status::kClosed ? "the peer closed" : transport_->failure();
  }

  std::unexpected<Error> timed_out() const {
    return fail(ErrorCode::kUnknownOutcome, fmt::format("no whole answer within {} ms", timeout_.count()));
  }

  const Url url_;
  const std::chrono::milliseconds timeout_;
  const std::filesystem::path authority_;
  const std::string host_;  // As it stands in a URL.
  const std::string place_;
  std::unique_ptr<net::TlsClient> tls_;
  Descriptor socket_;
  std::optional<Transport> transport_;  // There while the socket is.
  std::vector<char> buffer_;
};

std::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid,
              fmt::format("'{}' is not a URL of the form http(s)://host:port/prefix: {}", text, why));
}
}  // namespace

Result<Url> Url::parse(std::string_view text) {
  std::string_view rest = text;
  Url url;
  url.encrypted = rest.starts_with("https://");
  if (url.encrypted) {
    url.port = 443;
  } else if (!rest.starts_with("http://")) {
    return bad_url(text, "it begins with neither http:// nor https://");
  }
  rest.remove_prefix(url.encrypted ? 8 : 7);
  if (std::ranges::any_of(rest, [](char c) { return c <= 0x20 || c == 0x7f; }))
    return bad_url(text, "it has white space");
  if (rest.find_first_of("?#@") != std::string_view::npos) return bad_url(text, "it has one of '?', '#', '@'");
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  auto prefix = rest.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return bad_url(text, "the '[' has no ']'");
  url.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (url.host.empty()) return bad_url(text, "the host is missing");
  auto port = authority.substr(host_end + (bracketed ? 1 : 0));
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (authority[authority.size() - port.size() - 1] != ':' || error != std::errc{} ||
        end != port.data() + port.size() || url.port == 0) {
      return bad_url(text, "the port is not a number from 1 to 65535");
    }
  }
  url.prefix = prefix;
  return url;
}

std::unique_ptr<Client> make_client(const Url& url, std::chrono::milliseconds timeout,
                                    const std::filesystem::path& authority) {
  return std::make_unique<SocketClient>(url, timeout, authority);
}

}  // namespace pinflow::http
