#include "load.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <deque>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace pinflow::bench {

using std::chrono::duration;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kPatience{30};  // For an answer, behind the end of the load.

Error broken(std::string_view what, int error) {
  return {ErrorCode::kUnavailable,
          fmt::format("a connection of the load: {}: {}", what, std::generic_category().message(error))};
}

// Where the answer at the front of `in` ends and its status; nothing while it is not whole.
struct Answer {
  int status = 0;
  std::size_t end = 0;
};
std::optional<Answer> whole_answer(const std::string& in) {
  const std::size_t head = in.find("\r\n\r\n");
  if (head == std::string::npos) return std::nullopt;
  std::string fields = in.substr(0, head);
  std::ranges::transform(fields, fields.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::size_t length = 0;
  if (const std::size_t at = fields.find("\r\ncontent-length:"); at != std::string::npos) {
    const char* text = fields.c_str() + at + 17;
    while (*text == ' ') ++text;
    std::from_chars(text, fields.c_str() + fields.size(), length);
  }
  if (in.size() < head + 4 + length) return std::nullopt;
  Answer answer{.status = 0, .end = head + 4 + length};
  std::from_chars(in.data() + 9, in.data() + 12, answer.status);
  return answer;
}

double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

class Load {
 public:
  Load(std::uint16_t port, const LoadLimits& limits, Requests& requests)
      : port_(port), limits_(limits), requests_(requests), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  Result<LoadResult> run() {
    for (int i = 0; i < limits_.connections; ++i) TRY(connect());
    const double cpu_before = own_cpu_seconds();
    // Growing a long list would stop the load for a moment.
    if (open_loop()) result_.latencies.reserve(expected());
    started_ = steady_clock::now();
    end_ = started_ + limits_.duration;
    for (auto& connection : connections_) {
      if (open_loop()) {
        idle_.push_back(connection.get());
      } else {
        TRY(begin(*connection, steady_clock::now()));
      }
    }
    if (open_loop()) TRY(begin_due());
    auto last = steady_clock::now();
    while (busy_ > 0 || more_arrive()) {
      epoll_event events[64];
      const timespec wait = until_next_arrival();
      const int ready = ::epoll_pwait2(epoll_.get(), events, 64, &wait, nullptr);
      for (int i = 0; i < ready; ++i) TRY(serve(*connections_[events[i].data.u64], events[i].events));
      if (open_loop()) TRY(begin_due());
      const auto now = steady_clock::now();
      if (ready > 0) last = now;
      if (now > end_ + kPatience) return fail(ErrorCode::kUnavailable, "the load got no answer for 30 s");
    }
    result_.seconds = duration<double>(last - started_).count();
    result_.cpu_seconds = own_cpu_seconds() - cpu_before;
    std::ranges::sort(result_.latencies);
    return std::move(result_);
  }

 private:
  struct Connection {
    explicit Connection(int descriptor, std::uint64_t id) : socket(descriptor), number(id) {}
    Descriptor socket;
    std::uint64_t number;
    std::string out;
    std::size_t sent = 0;
    std::string in;
    steady_clock::time_point begun;
    bool waits_to_write = false;
  };

  Result<void> connect() {
    auto connection =
        std::make_unique<Connection>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connections_.size());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int socket = connection->socket.get();
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      return fail(broken("connect", errno));
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = connection->number}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
    connections_.push_back(std::move(connection));
    return {};
  }

  bool open_loop() const { return limits_.rate > 0; }
  std::size_t expected() const {
    const double due = limits_.rate * duration<double>(limits_.duration).count();
    return static_cast<std::size_t>(std::min(due + 1, static_cast<double>(limits_.requests)));
  }
  steady_clock::time_point arrival(std::uint64_t number) const {
    return started_ + std::chrono::duration_cast<steady_clock::duration>(
                          duration<double>(static_cast<double>(number) / limits_.rate));
  }
  bool more_arrive() const { return open_loop() && arrived_ < limits_.requests && arrival(arrived_) < end_; }

  // How long to wait for answers: until the next request arrives, or a second.
  timespec until_next_arrival() const {
    if (!more_arrive() || idle_.empty()) return {.tv_sec = 1, .tv_nsec = 0};
    const auto left = std::chrono::nanoseconds(arrival(arrived_) - steady_clock::now()).count();
    return {.tv_sec = 0, .tv_nsec = std::clamp<std::int64_t>(left, 0, 999'999'999)};
  }

  // Begins the requests whose time has come, as long as connections are free.
  Result<void> begin_due() {
    while (!idle_.empty() && more_arrive() && arrival(arrived_) <= steady_clock::now()) {
      Connection& connection = *idle_.front();
      idle_.pop_front();
      TRY(begin(connection, arrival(arrived_++)));
    }
    return {};
  }

  // Begins the next request, if there is one; `since` is when its latency begins to count.
  Result<void> begin(Connection& connection, steady_clock::time_point since) {
    connection.out.clear();
    connection.sent = 0;
    connection.in.clear();
    const bool in_time = open_loop() || since < end_;
    if (begun_ >= limits_.requests || !in_time || !requests_.next(connection.out)) return {};
    ++begun_;
    ++busy_;
    connection.begun = since;
    return write(connection);
  }

  Result<void> write(Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t sent = ::send(connection.socket.get(), connection.out.data() + connection.sent,
                                  connection.out.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return fail(broken("send", errno));
      if (sent < 0) break;
      connection.sent += static_cast<std::size_t>(sent);
    }
    const bool must_wait = connection.sent < connection.out.size();
    if (must_wait != connection.waits_to_write) {
      connection.waits_to_write = must_wait;
      epoll_event event{.events = must_wait ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.u64 = connection.number}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
    }
    return {};
  }

  Result<void> serve(Connection& connection, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) TRY(write(connection));
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return {};
    char buffer[65536];
    const ssize_t got = ::recv(connection.socket.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return {};
    if (got <= 0) return fail(broken("the server closed it", got < 0 ? errno : ECONNRESET));
    connection.in.append(buffer, static_cast<std::size_t>(got));
    const auto answer = whole_answer(connection.in);
    if (!answer) return {};
    note(connection, *answer);
    --busy_;
    if (!open_loop()) return begin(connection, steady_clock::now());
    idle_.push_back(&connection);
    return {};
  }

  void note(const Connection& connection, const Answer& answer) {
    if (answer.status == 200) {
      ++result_.accepted;
      requests_.accepted(connection.begun, connection.in);
      result_.latencies.push_back(duration<double, std::milli>(steady_clock::now() - connection.begun).count());
      return;
    }
    if (result_.refused++ == 0) result_.first_refusal = connection.in.substr(0, 600);
  }

  const std::uint16_t port_;
  const LoadLimits limits_;
  Requests& requests_;
  Descriptor epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;  // Of an open loop: those that wait for a request to arrive.
  steady_clock::time_point started_;
  steady_clock::time_point end_;
  std::uint64_t arrived_ = 0;
  std::uint64_t begun_ = 0;
  int busy_ = 0;
  LoadResult result_;
};

}  // namespace

Result<LoadResult> run_load(std::uint16_t port, const LoadLimits& limits, Requests& requests) {
  return Load(port, limits, requests).run();
}

double percentile(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::string http_request(std::string_view method, std::string_view target, std::string_view content_type,
                         std::string_view body) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", method,
                     target, content_type, body.size(), body);
}

}  // namespace pinflow::bench
