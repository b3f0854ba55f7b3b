#pragma once

#include <unistd.h>
#include <utility>

namespace pinflow::net {

// Owns a socket's number, and closes it.
class Descriptor final {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  // Hands the number over to somebody else.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace pinflow::net
