#pragma once

#include <deque>
#include <string>

#include "base/random.h"
#include "kafka_wire/internal/configs_tables.h"
#include "kafka_wire/internal/groups_tables.h"
#include "kafka_wire/internal/produce_fetch_tables.h"
#include "kafka_wire/internal/session_tables.h"
#include "kafka_wire/internal/topics_tables.h"
#include "kafka_wire/internal/walk.h"
#include "kafka_wire/messages/all.h"

namespace pinflow::kafka_wire {

// Fills messages with arbitrary values where a version has a field, so that a round trip must give the same struct back. Owns what
// string_view members point to; must outlive the messages.
class Filler {
 public:
  explicit Filler(std::uint64_t seed) : random_(seed) {}

  template <class M>
  M message(std::int16_t version) {
    M message;
    fill_struct(message, version);
    return message;
  }

 private:
  template <class T>
  void fill_struct(T& out, std::int16_t version) {
    for_each_field<T>([&]<std::size_t I>() {
      constexpr auto kField = std::get<I>(Table<T>::fields);
      if (!kField.in(version)) return;
      if (kField.place.tag >= 0 && random_.chance(0.3)) return;  // Left at its default.
      fill<kField.place.wire>(out.*(kField.member), version, version >= kField.place.nullable);
    });
  }

  template <Wire W, class T>
  void fill(T& out, std::int16_t version, bool nullable) {
    if constexpr (kIsOptional<T>) {
      out.reset();
      if (nullable && random_.chance(0.25)) return;
      fill<W>(out.emplace(), version, false);
    } else if constexpr (std::is_same_v<T, std::string>) {
      out = bytes(W);
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      out = texts_.emplace_back(bytes(W));
    } else if constexpr (kIsVector<T>) {
      out.resize(random_.below(4));
      for (auto& element : out) fill<Wire::kPlain>(element, version, false);
    } else if constexpr (HasTable<T>) {
      fill_struct(out, version);
    } else if constexpr (std::is_same_v<T, bool>) {
      out = random_.chance(0.5);
    } else if constexpr (std::is_same_v<T, Uuid>) {
      out = Uuid::random(random_);
    } else {
      out = static_cast<T>(random_() >> random_.below(64));
    }
  }

  std::string bytes(Wire wire) {
    const bool large = random_.chance(0.2);  // From 128 on, a compact length takes a second byte.
    std::string text(random_.below(large ? (wire == Wire::kRecords ? 5000 : 300) : 12), '\0');
    for (char& c : text) c = static_cast<char>(wire == Wire::kPlain ? 'a' + random_.below(26) : random_.below(256));
    return text;
  }

  Random random_;
  std::deque<std::string> texts_;
};

}  // namespace pinflow::kafka_wire
