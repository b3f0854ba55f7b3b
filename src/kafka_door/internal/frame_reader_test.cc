#include "kafka_door/internal/frame_reader.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace pinflow::kafka_door::internal {
namespace {

std::string framed(std::string_view content) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(content.size() >> shift);
  return out.append(content);
}

// Feeds a stream as a loop does, in pieces of at most `piece` bytes, and keeps all frames.
struct Feeder {
  explicit Feeder(std::size_t max_frame) : reader(max_frame) {}

  void feed(std::string_view stream, std::size_t piece) {
    while (!stream.empty() && reader.failure().empty()) {
      std::span<char> room = reader.room();
      if (room.empty()) {
        const BlockPtr shared = pool->take();
        const std::size_t count = std::min({piece, stream.size(), shared->capacity});
        std::memcpy(shared->bytes.get(), stream.data(), count);
        reader.receive(shared, count);
        stream.remove_prefix(count);
      } else {
        const std::size_t count = std::min({piece, stream.size(), room.size()});
        std::memcpy(room.data(), stream.data(), count);
        reader.received(count);
        stream.remove_prefix(count);
      }
      while (auto frame = reader.next()) frames.push_back(std::move(*frame));
      reader.settle();
      most_held = std::max(most_held, reader.held_bytes());
    }
  }

  std::shared_ptr<BlockPool> pool = std::make_shared<BlockPool>(std::size_t{256} << 10, 2);
  FrameReader reader;
  std::vector<Frame> frames;
  std::size_t most_held = 0;
};

TEST(FrameReader, GivesTheSameFramesHoweverTheBytesAreCut) {
  Random random(7);
  std::vector<std::string> contents;
  std::string stream;
  for (const std::size_t size : {1u, 8u, 100u, 70'000u, 3u, 300'000u, 65'536u, 5'000u, 1'200'000u, 9u}) {
    std::string content(size, '\0');
    for (char& byte : content) byte = static_cast<char>(random());
    stream += framed(content);
    contents.push_back(std::move(content));
  }
  for (const std::size_t piece : {3u, 1'000u, 4'096u, 70'001u, 262'144u, 10'000'000u}) {
    Feeder feeder(2 << 20);
    feeder.feed(stream, piece);
    ASSERT_EQ(feeder.frames.size(), contents.size()) << piece;
    for (std::size_t i = 0; i < contents.size(); ++i) {
      ASSERT_EQ(feeder.frames[i].bytes, contents[i]) << "frame " << i << " in pieces of " << piece;
    }
    EXPECT_FALSE(feeder.reader.has_bytes());
    EXPECT_EQ(feeder.reader.held_bytes(), 0u) << "an idle connection holds no buffer";
  }
}

TEST(FrameReader, HoldsMemoryOnlyForBytesThatCame) {
  Feeder feeder(100 << 20);
  const std::string frame = framed(std::string(90 << 20, 'x'));
  feeder.feed(std::string_view(frame).substr(0, 10), 10);
  EXPECT_LE(feeder.reader.held_bytes(), 4096u) << "a length is only a promise";
  feeder.feed(std::string_view(frame).substr(10, 1 << 20), 100'000);
  EXPECT_LE(feeder.most_held, 5u << 20);
  EXPECT_TRUE(feeder.frames.empty());
}

TEST(FrameReader, RefusesLengthsThatAreNegativeOverTheLimitOrZero) {
  for (const auto& [bytes, word] : {std::pair{std::string("\xff\xff\xff\xff", 4), "-1 bytes"},
                                    std::pair{std::string("\x06\x40\x00\x01", 4), "104857601"},
                                    std::pair{std::string("\x00\x00\x00\x00", 4), "empty"}}) {
    Feeder feeder(100 << 20);
    feeder.feed(bytes + std::string(20, 'x'), 100);
    EXPECT_TRUE(feeder.frames.empty());
    EXPECT_NE(feeder.reader.failure().find(word), std::string::npos) << feeder.reader.failure();
    EXPECT_EQ(feeder.reader.held_bytes(), 0u);
  }
}

TEST(FrameReader, KeepsFramesThatWaitOutOfTheSharedBlock) {
  Feeder feeder(1 << 20);
  const BlockPtr shared = feeder.pool->take();
  const std::string two = framed("first") + framed("second");
  std::memcpy(shared->bytes.get(), two.data(), two.size());
  feeder.reader.receive(shared, two.size());
  ASSERT_EQ(feeder.reader.next()->bytes, "first");
  feeder.reader.settle();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(feeder.reader.peek(), "second");
  EXPECT_LE(feeder.reader.held_bytes(), 4096u);
  std::memset(shared->bytes.get(), 0, two.size());
  EXPECT_EQ(feeder.reader.next()->bytes, "second");
}

}  // namespace
}  // namespace pinflow::kafka_door::internal
