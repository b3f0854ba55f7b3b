#include "flood.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"

namespace pinflow::testing {

namespace {
using std::chrono::steady_clock;
constexpr int kDeafBuffer = 4096;
}  // namespace

struct Crowd::Member {
  int socket = -1;
  bool settled = false;
  std::string received;
};

Crowd::Crowd(std::uint16_t port, std::size_t count, Manners manners)
    : port_(port),
      manners_(std::move(manners)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  for (std::size_t i = 0; i < count; ++i) members_.push_back(std::make_unique<Member>());
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, stop_, &event);
  thread_ = std::thread([this] { run(); });
}

Crowd::~Crowd() {
  const std::uint64_t one = 1;
  while (::write(stop_, &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  for (const auto& member : members_) {
    if (member->socket >= 0) ::close(member->socket);
  }
  ::close(epoll_);
  ::close(stop_);
}

bool Crowd::wait_until_settled() const {
  const auto last = steady_clock::now() + std::chrono::minutes(1);
  while (settled_ < members_.size()) {
    if (steady_clock::now() > last) return false;
    std::this_thread::yield();
  }
  return true;
}

void Crowd::open(Member& member) {
  member.received.clear();
  member.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (manners_.is_deaf) ::setsockopt(member.socket, SOL_SOCKET, SO_RCVBUF, &kDeafBuffer, sizeof kDeafBuffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (member.socket < 0 || ::connect(member.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ++failed_;
    if (member.socket >= 0) ::close(member.socket);
    member.socket = -1;
    return;
  }
  const int on = 1;
  ::setsockopt(member.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{.events = EPOLLRDHUP | (manners_.is_deaf ? 0u : static_cast<unsigned>(EPOLLIN)),
                    .data = {.ptr = &member}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, member.socket, &event);
  ::send(member.socket, manners_.opening.data(), manners_.opening.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if ((manners_.is_deaf || !manners_.drip.empty()) && !std::exchange(member.settled, true)) ++settled_;
}

void Crowd::close(Member& member) {
  ++closed_;
  ::close(member.socket);
  open(member);
}

void Crowd::read(Member& member) {
  std::array<char, 16 << 10> room;
  const ssize_t count = ::recv(member.socket, room.data(), room.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close(member);
  member.received.append(room.data(), static_cast<std::size_t>(count));
  take_answers(member);
}

void Crowd::take_answers(Member& member) {
  constexpr std::string_view kLength = "Content-Length: ";
  for (;;) {
    const std::string_view received = member.received;
    const std::size_t head = received.find("\r\n\r\n");
    const std::size_t length_at = received.find(kLength);
    if (head == std::string_view::npos || length_at > head) return;
    std::size_t length = 0;
    std::from_chars(received.data() + length_at + kLength.size(), received.data() + head, length);
    if (received.size() < head + 4 + length) return;
    ++(received.starts_with("HTTP/1.1 200 ") ? good_ : other_);
    member.received.erase(0, head + 4 + length);
    if (!std::exchange(member.settled, true)) ++settled_;
    if (manners_.asks_on) {
      ::send(member.socket, manners_.opening.data(), manners_.opening.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
}

void Crowd::drip_all() {
  const char byte = manners_.drip[dripped_++ % manners_.drip.size()];
  for (const auto& member : members_) {
    if (member->socket >= 0) ::send(member->socket, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

void Crowd::run() {
  for (const auto& member : members_) open(*member);
  auto next_drip = steady_clock::now() + manners_.pause;
  std::array<epoll_event, 256> events;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_drip - steady_clock::now()).count();
    const int timeout = manners_.drip.empty() ? -1 : static_cast<int>(std::max<std::int64_t>(left, 0));
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), timeout);
    for (int i = 0; i < count; ++i) {
      auto* const member = static_cast<Member*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (member == nullptr) return;
      if (manners_.is_deaf) {
        close(*member);
      } else {
        read(*member);
      }
    }
    if (!manners_.drip.empty() && steady_clock::now() >= next_drip) {
      drip_all();
      next_drip += manners_.pause;
    }
  }
}

UsualTraffic::UsualTraffic(std::uint16_t port, std::size_t threads, std::string path, std::string content_type,
                           std::string body)
    : port_(port),
      path_(std::move(path)),
      content_type_(std::move(content_type)),
      body_(std::move(body)),
      took_(threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(took_[i]); });
}

void UsualTraffic::run(std::vector<std::chrono::microseconds>& took) {
  const auto client = http::make_client({"127.0.0.1", port_, ""}, std::chrono::seconds(30));
  http::Request request;
  request.method = "POST";
  request.target = path_;
  request.headers.add("Content-Type", content_type_);
  request.body = body_;
  while (!stopped_) {
    const auto began = steady_clock::now();
    const auto answer = client->send(request);
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began));
    ++(answer && answer->status == 200 ? good_ : bad_);
  }
}

void UsualTraffic::stop() {
  stopped_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::chrono::microseconds UsualTraffic::percentile(double part) {
  std::vector<std::chrono::microseconds> all;
  for (const auto& some : took_) all.insert(all.end(), some.begin(), some.end());
  if (all.empty()) return {};
  const auto at = static_cast<std::size_t>(part * static_cast<double>(all.size() - 1));
  std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(at));
  return all[at];
}

std::uint64_t resident_bytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace pinflow::testing
