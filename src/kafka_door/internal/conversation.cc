#include "kafka_door/internal/conversation.h"

#include <utility>

#include "base/check.h"
#include "kafka_wire/api.h"

namespace pinflow::kafka_door::internal {

namespace {
bool is_produce(std::string_view frame) {
  static constexpr std::string_view kKey("\0\0", 2);
  static_assert(static_cast<int>(kafka_wire::ApiKey::kProduce) == 0);
  return frame.starts_with(kKey);
}
}  // namespace

bool Conversation::may_start(std::string_view frame) const {
  if (ending_ || !output_.empty()) return false;
  if (slots_.empty()) return true;
  return slots_.back().pipelined && is_produce(frame) && slots_.size() < max_in_flight_;
}

std::optional<Conversation::Started> Conversation::next() {
  if (ending_) return std::nullopt;
  const std::string_view bytes = reader_.peek();
  if (!reader_.failure().empty()) {
    end(reader_.failure());
    return std::nullopt;
  }
  if (bytes.empty() || !may_start(bytes)) return std::nullopt;
  auto frame = reader_.next();
  slots_.push_back({.pipelined = is_produce(frame->bytes), .bytes = frame->bytes.size(), .answer = std::nullopt});
  in_hand_bytes_ += frame->bytes.size();
  return Started{first_ + slots_.size() - 1, std::move(*frame)};
}

void Conversation::answer(std::uint64_t request, Answer answer) {
  if (request < first_ || request - first_ >= slots_.size()) return;
  Slot& slot = slots_[request - first_];
  CHECK(!slot.answer && answer.kind != Answer::Kind::kWait, "a Kafka request is answered twice, or not really");
  slot.answer = std::move(answer);
  while (!slots_.empty() && slots_.front().answer) {
    Answer ready = std::move(*slots_.front().answer);
    in_hand_bytes_ -= slots_.front().bytes;
    slots_.pop_front();
    ++first_;
    if (ready.kind == Answer::Kind::kNothing) continue;
    if (ready.kind == Answer::Kind::kClose) return end(std::move(ready.reason));
    const bool last = ready.then_close;
    output_bytes_ += ready.frame.size();
    output_.push_back({std::move(ready), {}});
    output_.back().pieces = output_.back().answer.frame.pieces();
    if (last) return end({});
  }
}

void Conversation::finish() {
  ending_ = true;
}

void Conversation::end(std::string reason) {
  ending_ = true;
  reason_ = std::move(reason);
  first_ += slots_.size();
  slots_.clear();
  in_hand_bytes_ = 0;
}

bool Conversation::wants_bytes() {
  if (ending_ || !output_.empty()) return false;
  if (!slots_.empty() && (!slots_.back().pipelined || slots_.size() >= max_in_flight_)) return false;
  return reader_.peek().empty();  // A whole frame that may not start has to wait, and what follows with it.
}

void Conversation::sent(std::size_t count) {
  while (count > 0) {
    auto& pieces = output_.front().pieces;
    std::size_t done = 0;
    while (done < pieces.size() && count >= pieces[done].size()) count -= pieces[done++].size();
    pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(done));
    if (!pieces.empty()) {
      pieces.front().remove_prefix(count);
      return;
    }
    output_bytes_ -= output_.front().answer.frame.size();
    output_.pop_front();
  }
}

}  // namespace pinflow::kafka_door::internal
