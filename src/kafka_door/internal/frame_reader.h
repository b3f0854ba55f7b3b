#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kafka_door/internal/block.h"

namespace pinflow::kafka_door::internal {

// One request as it came, without its length. The bytes live as long as `owner` or a copy of it.
struct Frame {
  std::string_view bytes;
  std::shared_ptr<const void> owner;  // Shared: batches are stored from where they lie, on another thread.
};

// Cuts the byte stream of one connection into frames, sans-I/O. The owner reads either into room(), where a frame has begun
// that is not whole yet, or into a block that all connections share; settle() moves what is left over out of that. So an idle
// connection holds no buffer, and a frame's buffer grows only as its bytes really come.
class FrameReader final {
 public:
  explicit FrameReader(std::size_t max_frame) : max_frame_(max_frame) {}

  // Where to put the next bytes; empty: in a shared block, for receive().
  std::span<char> room();
  void received(std::size_t count) { end_ += count; }
  // Takes the first `count` bytes of a shared block. Only when room() is empty.
  void receive(BlockPtr shared, std::size_t count);

  // The first bytes of the next whole frame, without taking it; empty: there is none.
  std::string_view peek();
  std::optional<Frame> next();
  // Due after each series of next().
  void settle();

  // Why the stream cannot be read on; empty while it can.
  const std::string& failure() const { return failure_; }
  bool has_bytes() const { return end_ > begin_; }
  std::size_t held_bytes() const { return block_ == nullptr ? 0 : block_->capacity; }

 private:
  std::size_t available() const { return end_ - begin_; }
  // Of the frame at the front with its length field; 4 as long as that is not whole. 0: the stream is broken.
  std::size_t front_size();
  void move_to(BlockPtr block);

  const std::size_t max_frame_;
  BlockPtr block_;
  bool shared_ = false;  // block_ is not ours to keep.
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string failure_;
};

}  // namespace pinflow::kafka_door::internal
