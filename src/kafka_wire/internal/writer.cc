#include "kafka_wire/internal/writer.h"

namespace pinflow::kafka_wire {

void Writer::text(std::string_view text) {
  constexpr std::size_t kLongest = 0x7fff;
  if (text.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // Not inside a character.
    text = text.substr(0, end);
  }
  if (flexible_)
    varint(static_cast<std::uint32_t>(text.size()) + 1);
  else
    integer(static_cast<std::int16_t>(text.size()));
  raw(text);
}

void Writer::records(std::string_view records) {
  length(records.size());
  if (records.size() < EncodedFrame::kBorrowFrom)
    raw(records);
  else
    out_.borrowed.push_back({out_.bytes.size(), records});
}

}  // namespace pinflow::kafka_wire
