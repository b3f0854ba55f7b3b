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
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "http/internal/response_reader.h"

namespace pinflow::http {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMaxHeader = 64 << 10;
constexpr std::uint64_t kMaxBody = std::uint64_t{64} << 20;
constexpr std::size_t kReadBuffer = 64 << 10;

std::string error_text(int number) {
  return std::generic_category().message(number);
}

class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Waits until the socket is ready for `events`. False: the deadline passed.
bool wait_for(const Socket& socket, short events, steady_clock::time_point deadline) {
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
int connect_to(const addrinfo& address, steady_clock::time_point deadline, Socket& out) {
  Socket socket(::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
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
  SocketClient(const Url& url, std::chrono::milliseconds timeout)
      : url_(url), timeout_(timeout), place_(fmt::format("{}:{}", url.host, url.port)), buffer_(kReadBuffer) {}

  Result<Response> send(const Request& request) override {
    const auto deadline = steady_clock::now() + timeout_;
    if (socket_ && peer_closed()) socket_ = Socket();
    if (!socket_) TRY(connect(deadline));
    auto response = exchange(request, deadline);
    if (!response) socket_ = Socket();
    return response;
  }

 private:
  Result<void> connect(steady_clock::time_point deadline) {
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
    if (socket_) return {};
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("cannot connect to {}: {}. Check the URL, and that the server runs", place_, error_text(error)));
  }

  // True if the connection that lay idle cannot be used: the peer closed it, or said something unasked.
  bool peer_closed() const {
    char byte = 0;
    const auto count = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
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
    if (!sent || !reader.keep_alive()) socket_ = Socket();
    return reader.take();
  }

  std::string head_of(const Request& request) const {
    std::string head = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", request.method, url_.prefix,
                                   request.target.empty() ? "/" : request.target, url_.port == 80 ? url_.host : place_);
    for (const auto& [name, value] : request.headers.fields())
      fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
    const bool says_length = !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
    if (says_length) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", request.body.size());
    return head += "\r\n";
  }

  Result<void> write(const std::string& head, const std::string& body, steady_clock::time_point deadline) {
    const std::size_t total = head.size() + body.size();
    for (std::size_t sent = 0; sent < total;) {
      std::array<iovec, 2> parts{};
      const std::size_t of_body = sent > head.size() ? sent - head.size() : 0;
      const std::size_t of_head = std::min(sent, head.size());
      parts[0] = {const_cast<char*>(head.data()) + of_head, head.size() - of_head};
      parts[1] = {const_cast<char*>(body.data()) + of_body, body.size() - of_body};
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      const auto count = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (count >= 0) {
        sent += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait_for(socket_, POLLOUT, deadline)) return timed_out();
      } else if (errno != EINTR) {
        return fail(ErrorCode::kUnknownOutcome, fmt::format("sending broke off: {}", error_text(errno)));
      }
    }
    return {};
  }

  Result<void> read_answer(internal::ResponseReader& reader, steady_clock::time_point deadline) {
    while (!reader.done()) {
      const auto count = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      if (count > 0) {
        reader.feed({buffer_.data(), static_cast<std::size_t>(count)});
        if (reader.failure()) return fail(ErrorCode::kUnknownOutcome, reader.failure()->message);
      } else if (count == 0) {
        reader.close();
        if (!reader.done()) return fail(ErrorCode::kUnknownOutcome, "the peer closed before its answer was whole");
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait_for(socket_, POLLIN, deadline)) return timed_out();
      } else if (errno != EINTR) {
        return fail(ErrorCode::kUnknownOutcome, fmt::format("reading the answer broke off: {}", error_text(errno)));
      }
    }
    return {};
  }

  std::unexpected<Error> timed_out() const {
    return fail(ErrorCode::kUnknownOutcome, fmt::format("no whole answer within {} ms", timeout_.count()));
  }

  const Url url_;
  const std::chrono::milliseconds timeout_;
  const std::string place_;
  Socket socket_;
  std::vector<char> buffer_;
};

std::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is not a URL of the form http://host:port/prefix: {}", text, why));
}
}  // namespace

Result<Url> Url::parse(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) return bad_url(text, "https is not spoken; put a TLS proxy between, or use http");
  if (!rest.starts_with("http://")) return bad_url(text, "it does not begin with http://");
  rest.remove_prefix(7);
  if (std::ranges::any_of(rest, [](char c) { return c <= 0x20 || c == 0x7f; }))
    return bad_url(text, "it has white space");
  if (rest.find_first_of("?#@") != std::string_view::npos) return bad_url(text, "it has one of '?', '#', '@'");
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  auto prefix = rest.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  Url url;
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

std::unique_ptr<Client> make_client(const Url& url, std::chrono::milliseconds timeout) {
  return std::make_unique<SocketClient>(url, timeout);
}

}  // namespace pinflow::http
