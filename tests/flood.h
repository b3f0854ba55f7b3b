#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pinflow::testing {

// What each connection of a crowd does, again and again; when the server closes it, another takes its place.
struct Manners {
  std::string opening;  // Sent at once.
  std::string drip{};   // Then one byte of it each `pause`, round and round. Empty: nothing more.
  std::chrono::milliseconds pause{1'000};
  bool asks_on = false;  // Sends `opening` again whenever its answer is whole.
  bool is_deaf = false;  // Reads nothing.
};

// Many connections to a server on loopback, of one thread.
class Crowd final {
 public:
  Crowd(std::uint16_t port, std::size_t count, Manners manners);
  ~Crowd();  // Closes them all.
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Waits until all are connected and, unless deaf or dripping, have had one answer. False: not within a minute.
  bool wait_until_settled() const;
  std::uint64_t good_answers() const { return good_; }
  std::uint64_t other_answers() const { return other_; }  // Of a status other than 200.
  std::uint64_t closed_by_server() const { return closed_; }
  std::uint64_t failed_to_connect() const { return failed_; }

 private:
  struct Member;
  void run();
  void open(Member& member);
  void close(Member& member);
  void read(Member& member);
  void take_answers(Member& member);
  void drip_all();

  const std::uint16_t port_;
  const Manners manners_;
  int epoll_ = -1;
  int stop_ = -1;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t dripped_ = 0;
  std::atomic<std::size_t> settled_ = 0;
  std::atomic<std::uint64_t> good_ = 0;
  std::atomic<std::uint64_t> other_ = 0;
  std::atomic<std::uint64_t> closed_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::thread thread_;
};

// Threads that ask as usual clients do: one request after another on a connection that stays open.
class UsualTraffic final {
 public:
  UsualTraffic(std::uint16_t port, std::size_t threads, std::string path, std::string content_type, std::string body);
  ~UsualTraffic() { stop(); }
  void stop();
  // After stop().
  std::uint64_t good() const { return good_; }
  std::uint64_t bad() const { return bad_; }
  double success() const {
    return static_cast<double>(good_) / static_cast<double>(std::max<std::uint64_t>(good_ + bad_, 1));
  }
  std::chrono::microseconds percentile(double part);

 private:
  void run(std::vector<std::chrono::microseconds>& took);
  const std::uint16_t port_;
  const std::string path_;
  const std::string content_type_;
  const std::string body_;
  std::atomic<bool> stopped_ = false;
  std::atomic<std::uint64_t> good_ = 0;
  std::atomic<std::uint64_t> bad_ = 0;
  std::vector<std::vector<std::chrono::microseconds>> took_;
  std::vector<std::thread> threads_;
};

// Memory that a process holds, in bytes.
std::uint64_t resident_bytes(int pid);

}  // namespace pinflow::testing
