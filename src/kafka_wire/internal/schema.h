#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

namespace pinflow::kafka_wire {

// How a std::string or std::string_view stands on the wire; all other types say it by themselves.
enum class Wire : std::uint8_t {
  kPlain,    // Text: int16 length, compact from the flexible versions on.
  kBytes,    // Opaque bytes: int32 length, compact likewise.
  kRecords,  // As kBytes; when written, a large one is borrowed, not copied.
};

// Where and how a member stands. Versions are closed ranges.
struct Place {
  std::int16_t first = 0;
  std::int16_t last = 0x7fff;
  std::int16_t nullable = 0;  // From here on an optional may be null; before, null is refused or written as empty.
  std::int16_t tag = -1;      // The number of a tagged field; it is left out when it has its default.
  Wire wire = Wire::kPlain;
};

// One line of a table: the member of a struct that holds the field. The value of a freshly made struct is the default.
template <class Struct, class Member>
struct Field {
  const char* name;
  Member Struct::* member;
  Place place;

  constexpr bool in(std::int16_t version) const { return version >= place.first && version <= place.last; }
};

template <class Struct, class Member>
constexpr Field<Struct, Member> field(const char* name, Member Struct::* member, Place place = {}) {
  return {name, member, place};
}

// The field table of a struct: `static constexpr auto fields`, a tuple of Field in the order of the wire. Tagged fields
// stand in the order of their numbers.
template <class Struct>
struct Table;

template <class T>
concept HasTable = requires { Table<T>::fields; };

// Calls visit.operator()<I>() for each line of T's table.
template <class T, class Visit>
constexpr void for_each_field(Visit&& visit) {
  constexpr std::size_t kCount = std::tuple_size_v<decltype(Table<T>::fields)>;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (visit.template operator()<I>(), ...);
  }(std::make_index_sequence<kCount>{});
}

}  // namespace pinflow::kafka_wire

// Inside a Table whose struct is called T: FIELD(name), FIELD(name, .first = 3, .last = 7).
#define FIELD(member_name, ...) \
  ::pinflow::kafka_wire::field(#member_name, &T::member_name __VA_OPT__(, ::pinflow::kafka_wire::Place{__VA_ARGS__}))
