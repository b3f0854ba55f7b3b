#include "kafka_door/internal/frame_reader.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kafka_wire/frame.h"

namespace pinflow::kafka_door::internal {

namespace {
constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kCopyBelow = 64 << 10;  // Copying so much costs less than tying up a shared block.
constexpr std::size_t kFirstBlock = 4 << 10;
constexpr std::size_t kGrowth = 4;
}  // namespace

std::span<char> FrameReader::room() {
  if (block_ == nullptr) return {};
  return {block_->bytes.get() + end_, block_->capacity - end_};
}

void FrameReader::receive(BlockPtr shared, std::size_t count) {
  CHECK(block_ == nullptr && count <= shared->capacity, "a shared block is received while bytes are kept");
  block_ = std::move(shared);
  shared_ = true;
  begin_ = 0;
  end_ = count;
}

std::size_t FrameReader::front_size() {
  if (!failure_.empty()) return 0;
  if (available() < kLengthSize) return kLengthSize;
  const auto size = kafka_wire::frame_size({block_->bytes.get() + begin_, kLengthSize}, max_frame_);
  if (size) return size->value_or(0);
  failure_ = size.error().message;
  return 0;
}

std::string_view FrameReader::peek() {
  const std::size_t size = front_size();
  if (size == 0 || available() < size) return {};
  if (size == kLengthSize) failure_ = "an empty request came";
  return {block_->bytes.get() + begin_ + kLengthSize, size - kLengthSize};
}

std::optional<Frame> FrameReader::next() {
  const std::string_view bytes = peek();
  if (bytes.empty()) return std::nullopt;
  begin_ += kLengthSize + bytes.size();
  if (bytes.size() > kCopyBelow) return Frame{bytes, block_};
  std::shared_ptr<char[]> copy = std::make_shared_for_overwrite<char[]>(bytes.size());
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  const std::string_view copied(copy.get(), bytes.size());
  return Frame{copied, std::shared_ptr<const void>(std::move(copy))};
}

void FrameReader::settle() {
  if (block_ == nullptr) return;
  const std::size_t have = available();
  if (have == 0 || !failure_.empty()) {
    block_.reset();
    shared_ = false;
    begin_ = end_ = 0;
    return;
  }
  const std::size_t size = front_size();
  const bool whole = have >= kLengthSize && have >= size;
  const bool has_room = begin_ + size <= block_->capacity || (begin_ == 0 && end_ < block_->capacity);
  if (!shared_ && (whole || has_room)) return;
  const std::size_t room = have < kLengthSize ? kFirstBlock : std::min(size, std::max(kGrowth * have, kFirstBlock));
  move_to(std::make_shared<Block>(std::max(have, room)));
}

void FrameReader::move_to(BlockPtr block) {
  const std::size_t have = available();
  std::memcpy(block->bytes.get(), block_->bytes.get() + begin_, have);
  block_ = std::move(block);
  shared_ = false;
  begin_ = 0;
  end_ = have;
}

}  // namespace pinflow::kafka_door::internal
