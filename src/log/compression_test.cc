#include "log/compression.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "log/foreign_batches_fixture.h"

namespace pinflow::log {
namespace {

constexpr Codec kCodecs[] = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr std::size_t kMuch = 64 << 20;

std::string pack(Codec codec, std::string_view bytes) {
  std::string packed;
  EXPECT_TRUE(compress(codec, bytes, packed));
  return packed;
}

// What comes out, or the error's code.
std::expected<std::string, ErrorCode> unpack(Codec codec, std::string_view bytes, std::size_t limit = kMuch) {
  std::string out = "left from before";
  const auto done = decompress(codec, bytes, limit, out);
  if (!done) return std::unexpected(done.error().code);
  return out;
}

std::string noise(std::size_t size) {
  Random random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

TEST(Compression, GivesBackWhatWasCompressed) {
  for (const Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    for (const std::size_t size : {0, 1, 60, 32767, 32768, 32769, 65536, 65537, 400'000}) {
      const std::string random = noise(size);
      const std::string even(size, 'a');
      EXPECT_EQ(unpack(codec, pack(codec, random)), random) << codec_name(codec) << ' ' << size;
      EXPECT_EQ(unpack(codec, pack(codec, even)), even) << codec_name(codec) << ' ' << size;
    }
  }
}

TEST(Compression, TakesGzipOfSeveralMembers) {
  const std::string first = from_hex("1f8b08000000000002034bcb2c2a2e51c84dcd4d4a2dd2510000deff0a620e000000");
  const std::string second = from_hex("1f8b08000000000002032b4e4dcecf4b51c84dcd4d4a2d02002474fa9f0d000000");
  EXPECT_EQ(unpack(Codec::kGzip, first + second), "first member, second member");
  EXPECT_EQ(unpack(Codec::kGzip, first + "garbage"), std::unexpected(ErrorCode::kCorrupt));
}

TEST(Compression, TakesZstdOfUnknownSizeAndSeveralFrames) {
  // As the command line tool writes a stream.
  const std::string streamed = from_hex("28b52ffd0458710000756e6b6e6f776e2073697a652c20c8135fa7");
  EXPECT_EQ(unpack(Codec::kZstd, streamed + pack(Codec::kZstd, "known size")), "unknown size, known size");
}

TEST(Compression, TakesLz4OfSeveralFrames) {
  EXPECT_EQ(unpack(Codec::kLz4, pack(Codec::kLz4, "one ") + pack(Codec::kLz4, "two")), "one two");
}

TEST(Compression, TakesSnappyWithAndWithoutFraming) {
  // The framed block of the Java client, alone, is what librdkafka sends.
  const std::string framed = java_batch(Codec::kSnappy).substr(61);
  const auto records = unpack(Codec::kSnappy, framed);
  EXPECT_EQ(records, java_batch(Codec::kNone).substr(61));
  EXPECT_EQ(unpack(Codec::kSnappy, framed.substr(20)), records);
  EXPECT_EQ(unpack(Codec::kSnappy, framed + framed), *records + *records);
}

TEST(Compression, StopsAtTheLimit) {
  const std::string zeros(1 << 20, '\0');
  for (const Codec codec : kCodecs) {
    const std::string bomb = pack(codec, zeros);
    EXPECT_EQ(unpack(codec, bomb, zeros.size()), zeros) << codec_name(codec);
    EXPECT_EQ(unpack(codec, bomb, zeros.size() - 1), std::unexpected(ErrorCode::kInvalid)) << codec_name(codec);
    EXPECT_EQ(unpack(codec, bomb, 0), std::unexpected(ErrorCode::kInvalid)) << codec_name(codec);
    EXPECT_EQ(unpack(codec, bomb, 70'000), std::unexpected(ErrorCode::kInvalid)) << codec_name(codec);
  }
}

TEST(Compression, HoldsNoMoreThanTheLimit) {
  const std::string bomb = pack(Codec::kGzip, std::string(64 << 20, '\0'));
  std::string out;
  EXPECT_FALSE(decompress(Codec::kGzip, bomb, 1 << 20, out));
  EXPECT_LE(out.capacity(), std::size_t{2} << 20);
}

TEST(Compression, TakesNoMemoryForALengthThatCannotBe) {
  std::string lie = from_hex("ffffff1f");  // Claims 64 MiB.
  lie += "abc";
  std::string out;
  EXPECT_FALSE(decompress(Codec::kSnappy, lie, kMuch, out));
  EXPECT_LE(out.capacity(), std::size_t{1} << 20);
}

TEST(Compression, WhatIsCutShortIsCorrupt) {
  const std::string text = noise(300) + std::string(300, 'x');
  for (const Codec codec : kCodecs) {
    const std::string packed = pack(codec, text);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      const auto got = unpack(codec, std::string_view(packed).substr(0, size));
      // The Java framing of snappy has no end mark: the header alone is an empty stream.
      if (codec == Codec::kSnappy && got == "") continue;
      EXPECT_EQ(got, std::unexpected(ErrorCode::kCorrupt)) << codec_name(codec) << ' ' << size;
    }
  }
}

TEST(Compression, DamageNeverReadsOutsideAndTheDecoderGoesOnAfterIt) {
  Random random(7);
  const std::string text = noise(2000) + std::string(2000, 'x');
  for (const Codec codec : kCodecs) {
    const std::string packed = pack(codec, text);
    for (int round = 0; round < 500; ++round) {
      std::string damaged = packed;
      for (int i = 0; i < 3; ++i) damaged[random.below(damaged.size())] ^= static_cast<char>(1 << random.below(8));
      (void)unpack(codec, damaged, 8192);
    }
    EXPECT_EQ(unpack(codec, packed), text) << codec_name(codec);
  }
}

TEST(Compression, UnknownCodecsAreRefused) {
  EXPECT_EQ(codec_of(4), Codec::kZstd);
  EXPECT_FALSE(codec_of(5));
  EXPECT_FALSE(codec_of(-1));
}

}  // namespace
}  // namespace pinflow::log
