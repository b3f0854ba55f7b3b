#include <gtest/gtest.h>

#include "doors/kinesis/protocol.h"

namespace pinflow::doors::kinesis {
namespace {

using std::chrono::milliseconds;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string written(Encoding encoding, const std::function<void(Writer&)>& write) {
  Writer out(encoding);
  write(out);
  return std::move(out).take();
}

void write_example(Writer& out) {
  out.begin_structure().member("Records").begin_list();
  out.begin_structure().member("Data").blob(std::string_view("\x01\x02", 2)).end_structure();
  out.begin_structure().end_structure().end_list();
  out.member("Time").time(WallTime(milliseconds(1'790'000'000'007)));
  out.member("Behind").integer(-500).member("More").boolean(true).member("Name").text("a\"").end_structure();
}

TEST(KinesisWriter, WritesJson) {
  EXPECT_EQ(written(Encoding::kJson, write_example),
            R"({"Records":[{"Data":"AQI="},{}],"Time":1790000000.007,"Behind":-500,"More":true,"Name":"a\""})");
}

TEST(KinesisWriter, WritesCborAsAwsDoes) {
  EXPECT_EQ(hex(written(Encoding::kCbor, write_example)),
            "bf675265636f7264739fbf6444617461420102ffbfffff"
            "6454696d65c11b000001a0c4506c07"
            "66426568696e643901f3644d6f7265f5644e616d65626122ff");
}

TEST(KinesisWriter, WritesTimesInPlainDecimals) {
  const std::pair<std::int64_t, std::string_view> cases[] = {{0, "0.000"},
                                                             {5, "0.005"},
                                                             {-1, "-0.001"},
                                                             {-61'234, "-61.234"},
                                                             {1'700'000'000'000, "1700000000.000"},
                                                             {253'402'300'799'999, "253402300799.999"}};
  for (const auto& [ms, text] : cases) {
    EXPECT_EQ(written(Encoding::kJson, [&](Writer& out) { out.time(WallTime(milliseconds(ms))); }), text);
  }
}

TEST(KinesisWriter, WritesNumbersShortly) {
  const std::pair<std::int64_t, std::string_view> cases[] = {{0, "00"},
                                                             {23, "17"},
                                                             {24, "1818"},
                                                             {255, "18ff"},
                                                             {256, "190100"},
                                                             {65'536, "1a00010000"},
                                                             {1LL << 32, "1b0000000100000000"},
                                                             {-1, "20"},
                                                             {-25, "3818"}};
  for (const auto& [number, bytes] : cases) {
    EXPECT_EQ(hex(written(Encoding::kCbor, [&](Writer& out) { out.integer(number); })), bytes) << number;
  }
  EXPECT_EQ(written(Encoding::kJson, [](Writer& out) { out.decimal(1e21); }), "1000000000000000000000");
  EXPECT_EQ(written(Encoding::kJson, [](Writer& out) { out.decimal(0.25); }), "0.25");
  EXPECT_EQ(hex(written(Encoding::kCbor, [](Writer& out) { out.decimal(1.5); })), "fb3ff8000000000000");
}

}  // namespace
}  // namespace pinflow::doors::kinesis
