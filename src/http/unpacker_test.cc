#include "http/internal/unpacker.h"

#include <zlib.h>
#include <zstd.h>

#include <gtest/gtest.h>

#include "http/internal/body_intake.h"

namespace pinflow::http::internal {
namespace {

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

// Text that packs, but not to next to nothing.
std::string sample(std::size_t size) {
  std::string out;
  for (std::uint32_t i = 0; out.size() < size; ++i)
    out += std::to_string(i * 2654435761U) + (i % 3 == 0 ? "," : "aaaa");
  out.resize(size);
  return out;
}

struct Outcome {
  int status = 200;
  std::string body;
};

// Takes a packed body in, `step` bytes at a time, as a session does.
Outcome collect(Packing packing, std::string_view packed, std::size_t step = SIZE_MAX,
                const UnpackLimits& limits = {}) {
  BodyIntake intake;
  intake.collect(packing, limits, packed.size());
  std::optional<Failure> failure;
  while (!failure && !packed.empty()) {
    const auto part = packed.substr(0, step);
    packed.remove_prefix(part.size());
    intake.inbox().append(part);
    failure = intake.settle();
  }
  if (!failure) failure = intake.end();
  if (failure) return {failure->status, ""};
  return {200, intake.take()};
}

Outcome stream(Packing packing, std::string_view packed, std::size_t step = SIZE_MAX, const UnpackLimits& limits = {}) {
  BodyIntake intake;
  Outcome outcome{0, ""};
  std::size_t read = 0;
  const auto body = intake.stream(packing, limits, [&](std::size_t count) { read += count; });
  std::function<void()> read_on = [&] {
    body->next([&](BodyStream::Piece piece) {
      if (!piece) {
        outcome = {400, piece.error().message};
      } else if (!*piece) {
        outcome.status = 200;
      } else {
        EXPECT_FALSE((*piece)->empty());
        EXPECT_LE((*piece)->size(), 256U << 10);
        outcome.body += **piece;
        read_on();
      }
    });
  };
  read_on();
  const std::size_t size = packed.size();
  while (outcome.status == 0 && !packed.empty()) {
    const auto part = packed.substr(0, step);
    packed.remove_prefix(part.size());
    intake.inbox().append(part);
    intake.settle();
    intake.deliver();
  }
  intake.end();
  intake.deliver();
  if (outcome.status == 200) EXPECT_EQ(read, size);
  return outcome;
}

class Unpacking : public testing::TestWithParam<Packing> {
 protected:
  static std::string pack(std::string_view bytes) { return GetParam() == Packing::kGzip ? gzip(bytes) : zstd(bytes); }
};
INSTANTIATE_TEST_SUITE_P(All, Unpacking, testing::Values(Packing::kGzip, Packing::kZstd));

TEST_P(Unpacking, GivesTheBodyHoweverItsBytesAreCut) {
  for (const std::size_t size : {0UZ, 1UZ, 100UZ, 64UZ << 10, (64UZ << 10) + 1, 300'000UZ}) {
    const auto body = sample(size);
    const auto packed = pack(body);
    for (const std::size_t step : {1UZ, 1000UZ, SIZE_MAX}) {
      if (step == 1 && size > 1000) continue;
      const auto collected = collect(GetParam(), packed, step);
      EXPECT_EQ(collected.status, 200) << size << " by " << step;
      EXPECT_TRUE(collected.body == body) << size << " by " << step;
      const auto streamed = stream(GetParam(), packed, step);
      EXPECT_EQ(streamed.status, 200) << size << " by " << step;
      EXPECT_TRUE(streamed.body == body) << size << " by " << step;
    }
  }
}

TEST_P(Unpacking, TakesSeveralMembersAsOneBody) {
  const auto packed = pack("one,") + pack("two,") + pack("");
  for (const std::size_t step : {1UZ, SIZE_MAX}) {
    EXPECT_EQ(collect(GetParam(), packed, step).body, "one,two,");
    EXPECT_EQ(stream(GetParam(), packed, step).body, "one,two,");
  }
}

TEST_P(Unpacking, AnEmptyBodyIsEmpty) {
  EXPECT_EQ(collect(GetParam(), "").status, 200);
  EXPECT_EQ(stream(GetParam(), "").status, 200);
}

TEST_P(Unpacking, RefusesABodyThatIsCutShortDamagedOrFollowedByMore) {
  auto packed = pack(sample(1000));
  std::vector<std::string> broken{packed.substr(0, packed.size() - 1),
                                  packed.substr(0, packed.size() / 2),
                                  packed.substr(0, 3),
                                  packed + "garbage",
                                  packed + "x",
                                  "plain text"};
  if (GetParam() == Packing::kGzip) {
    packed[packed.size() - 6] ^= 1;  // Its checksum.
    broken.push_back(packed);
  }
  for (const auto& bytes : broken) {
    for (const std::size_t step : {1UZ, SIZE_MAX}) {
      EXPECT_EQ(collect(GetParam(), bytes, step).status, 400) << bytes.size();
      EXPECT_EQ(stream(GetParam(), bytes, step).status, 400) << bytes.size();
    }
  }
}

TEST_P(Unpacking, HoldsTheLimitOfTheUnpackedSize) {
  const auto body = sample(10'000);
  EXPECT_EQ(collect(GetParam(), pack(body), 100, {.max_bytes = 10'000, .max_ratio = 100}).status, 200);
  EXPECT_EQ(collect(GetParam(), pack(body), 100, {.max_bytes = 9'999, .max_ratio = 100}).status, 413);
}

TEST_P(Unpacking, ABombIsSeenBeforeItGoesOff) {
  const auto bomb = pack(std::string(100 << 20, 'x'));
  BodyIntake intake;
  intake.collect(GetParam(), {.max_bytes = 1 << 30, .max_ratio = 100}, 0);
  intake.inbox().append(bomb);
  EXPECT_EQ(intake.settle()->status, 413);
  EXPECT_LT(intake.held_bytes(), bomb.size() * 100 + (20 << 20));
  EXPECT_EQ(stream(GetParam(), bomb).status, 400);
  // What repeats a lot but is short is no bomb.
  EXPECT_EQ(collect(GetParam(), pack(std::string(60'000, 'x'))).status, 200);
}

TEST(ZstdUnpacking, RefusesAWindowThatTakesTheMemory) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  std::string out(1 << 10, '\0');
  ZSTD_inBuffer in{"x", 1, 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  EXPECT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush)));
  ZSTD_freeCCtx(context);
  EXPECT_EQ(collect(Packing::kZstd, std::string_view(out).substr(0, to.pos)).status, 400);
}

TEST(ReadPacking, KnowsOnePackingAtMost) {
  const auto status = [](std::vector<std::string> values) {
    Headers headers;
    for (auto& value : values) headers.add("content-encoding", value);
    Packing packing{};
    const auto failure = read_packing(headers, packing);
    return std::pair(failure ? failure->status : 200, packing);
  };
  EXPECT_EQ(status({}), std::pair(200, Packing::kNone));
  EXPECT_EQ(status({"identity"}), std::pair(200, Packing::kNone));
  EXPECT_EQ(status({"GZip"}), std::pair(200, Packing::kGzip));
  EXPECT_EQ(status({"x-gzip"}), std::pair(200, Packing::kGzip));
  EXPECT_EQ(status({"zstd"}), std::pair(200, Packing::kZstd));
  for (const auto* unknown : {"deflate", "br", "gzip, gzip", "gzip,identity", ""}) {
    EXPECT_EQ(status({unknown}).first, 415) << unknown;
  }
  EXPECT_EQ(status({"gzip", "gzip"}).first, 415);
}

TEST(BodyIntake, ASlowReaderOfAPackedBodyCostsItsPackedSizeAlone) {
  const auto packed = gzip(sample(2 << 20));
  BodyIntake intake;
  const auto body = intake.stream(Packing::kGzip, {}, [](std::size_t) {});
  intake.inbox().append(packed);
  intake.settle();
  EXPECT_LE(intake.held_bytes(), packed.size() + (64 << 10));
  std::size_t got = 0;
  body->next([&](BodyStream::Piece piece) { got = (*piece)->size(); });
  EXPECT_EQ(got, 64U << 10);
}

}  // namespace
}  // namespace pinflow::http::internal
