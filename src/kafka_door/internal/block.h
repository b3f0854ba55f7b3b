#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace pinflow::kafka_door::internal {

// Bytes of a fixed capacity, not initialised.
struct Block {
  explicit Block(std::size_t size) : bytes(std::make_unique_for_overwrite<char[]>(size)), capacity(size) {}
  std::unique_ptr<char[]> bytes;
  std::size_t capacity;
};

// Shared: a request that is stored from where it lies keeps its block after the connection has moved on.
using BlockPtr = std::shared_ptr<Block>;

// Lends blocks of one size, and takes them back from whichever thread drops them last. Keeps a few spare ones, because the system
// takes as long to map fresh memory as to fill it.
class BlockPool final : public std::enable_shared_from_this<BlockPool> {
 public:
  BlockPool(std::size_t block_size, std::size_t max_spare) : block_size_(block_size), max_spare_(max_spare) {}

  BlockPtr take() {
    std::unique_ptr<Block> block;
    {
      const std::scoped_lock lock(mutex_);
      if (!spare_.empty()) {
        block = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    if (block == nullptr) block = std::make_unique<Block>(block_size_);
    return BlockPtr(block.release(), [pool = shared_from_this()](Block* returned) {
      pool->give_back(std::unique_ptr<Block>(returned));
    });
  }

 private:
  void give_back(std::unique_ptr<Block> block) {
    const std::scoped_lock lock(mutex_);
    if (spare_.size() < max_spare_) spare_.push_back(std::move(block));
  }

  const std::size_t block_size_;
  const std::size_t max_spare_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> spare_;
};

}  // namespace pinflow::kafka_door::internal
