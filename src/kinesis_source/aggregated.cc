#include "kinesis_source/aggregated.h"

#include <cstdint>

namespace pinflow::kinesis_source {

namespace {

constexpr std::string_view kMagic = "\xf3\x89\x9a\xc2";
constexpr std::size_t kDigestBytes = 16;

// A message in the wire format of Protocol Buffers, field by field.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  // Goes to the next field. False: there is none, or what follows is none (ok()).
  bool next() {
    if (!ok_ || rest_.empty()) return false;
    const std::uint64_t tag = varint();
    number = tag >> 3;
    is_bytes = (tag & 7) == 2;
    switch (tag & 7) {
      case 0:
        value = varint();
        break;
      case 1:
        take(8);
        break;
      case 2:
        bytes = take(varint());
        break;
      case 5:
        take(4);
        break;
      default:
        ok_ = false;
    }
    return ok_;
  }
  bool ok() const { return ok_; }

  std::uint64_t number = 0;
  bool is_bytes = false;  // Otherwise `value`.
  std::uint64_t value = 0;
  std::string_view bytes;

 private:
  std::uint64_t varint() {
    std::uint64_t read = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      read |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return read;
    }
    ok_ = false;
    return 0;
  }
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool ok_ = true;
};

struct Message {
  std::vector<std::string_view> keys;
  std::vector<std::string_view> hashes;
  std::vector<std::string_view> records;
};

std::optional<Message> read_message(std::string_view bytes) {
  Message message;
  Fields fields(bytes);
  while (fields.next()) {
    if (!fields.is_bytes) continue;
    if (fields.number == 1) message.keys.push_back(fields.bytes);
    if (fields.number == 2) message.hashes.push_back(fields.bytes);
    if (fields.number == 3) message.records.push_back(fields.bytes);
  }
  if (!fields.ok() || message.records.empty()) return std::nullopt;
  return message;
}

std::optional<PackedRecord> read_record(const Message& message, std::string_view bytes, aws::KeyHasher& hasher) {
  std::optional<std::uint64_t> key, hash;
  std::optional<std::string_view> data;
  Fields fields(bytes);
  while (fields.next()) {
    if (fields.number == 1 && !fields.is_bytes) key = fields.value;
    if (fields.number == 2 && !fields.is_bytes) hash = fields.value;
    if (fields.number == 3 && fields.is_bytes) data = fields.bytes;
  }
  if (!fields.ok() || !key || *key >= message.keys.size() || !data) return std::nullopt;
  PackedRecord record{.key = std::string(message.keys[*key]), .hash = 0, .data = std::string(*data)};
  if (!hash) {
    record.hash = hasher(record.key);
    return record;
  }
  if (*hash >= message.hashes.size()) return std::nullopt;
  const auto given = aws::parse_hash_key(message.hashes[*hash]);
  if (!given) return std::nullopt;
  record.hash = *given;
  return record;
}

}  // namespace

std::optional<std::vector<PackedRecord>> unpack(std::string_view data, aws::KeyHasher& hasher) {
  if (!data.starts_with(kMagic) || data.size() < kMagic.size() + kDigestBytes) return std::nullopt;
  const std::string_view body = data.substr(kMagic.size(), data.size() - kMagic.size() - kDigestBytes);
  aws::HashKey sum = 0;
  for (const char byte : data.substr(data.size() - kDigestBytes)) sum = sum << 8 | static_cast<std::uint8_t>(byte);
  if (hasher(body) != sum) return std::nullopt;
  const auto message = read_message(body);
  if (!message) return std::nullopt;
  std::vector<PackedRecord> records;
  for (const std::string_view bytes : message->records) {
    auto record = read_record(*message, bytes, hasher);
    if (!record) return std::nullopt;
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace pinflow::kinesis_source
