#pragma once

#include <unistd.h>
#include <utility>

namespace pinflow {

// Owns the number of an open file, socket or pipe, and closes it. Moved, never copied. Linux frees the number even where close is
// interrupted, so that is never repeated.
class Descriptor final {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor gone(std::move(other));
    std::swap(number_, gone.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  // Closes it now.
  void close() { *this = Descriptor(); }
  // Hands the number over to somebody else.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace pinflow
