#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/uuid.h"
#include "kafka_wire/internal/reader.h"
#include "kafka_wire/internal/schema.h"
#include "kafka_wire/internal/writer.h"

// The two walks over field tables, and the least size of an element on the wire. One function template per kind of type; a
// table adds no code of its own.
namespace pinflow::kafka_wire {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsText = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;

template <class T>
std::size_t min_struct_size(std::int16_t version, bool flexible);

// The fewest bytes that a value can take.
template <class T, Wire W = Wire::kPlain>
std::size_t min_size(std::int16_t version, bool flexible) {
  if constexpr (kIsOptional<T>)
    return min_size<typename T::value_type, W>(version, flexible);
  else if constexpr (kIsText<T>)
    return flexible ? 1 : (W == Wire::kPlain ? 2 : 4);
  else if constexpr (kIsVector<T>)
    return flexible ? 1 : 4;
  else if constexpr (HasTable<T>)
    return min_struct_size<T>(version, flexible);
  else
    return sizeof(T);
}

template <class T>
std::size_t min_struct_size(std::int16_t version, bool flexible) {
  std::size_t size = flexible ? 1 : 0;  // The count of tagged fields.
  for_each_field<T>([&]<std::size_t I>() {
    constexpr auto kField = std::get<I>(Table<T>::fields);
    using Member = std::remove_cvref_t<decltype(T{}.*(kField.member))>;
    if constexpr (kField.place.tag < 0)
      if (kField.in(version)) size += min_size<Member, kField.place.wire>(version, flexible);
  });
  return size;
}

// ---- decode

template <class T>
void get_struct(Reader& reader, T& out);

// Reads the length of something that may be null. Gives -1 for null where that is allowed.
template <class T, Wire W>
std::int64_t get_length(Reader& reader, bool nullable) {
  std::int64_t length;
  if constexpr (kIsVector<T>)
    length = reader.count(min_size<typename T::value_type>(reader.version(), reader.flexible()),
                          sizeof(typename T::value_type));
  else if constexpr (W == Wire::kPlain)
    length = reader.text_length();
  else
    length = reader.bytes_length();
  if (length < 0 && !nullable) {
    reader.fail("is null, which this version does not allow", length);
    return 0;
  }
  return length;
}

template <class T>
void get_scalar(Reader& reader, T& out) {
  if constexpr (std::is_same_v<T, bool>) {
    out = reader.integer<std::uint8_t>() != 0;
  } else if constexpr (std::is_enum_v<T>) {
    out = static_cast<T>(reader.integer<std::underlying_type_t<T>>());
  } else if constexpr (std::is_same_v<T, Uuid>) {
    const std::string_view bytes = reader.take(out.bytes.size());
    if (!bytes.empty()) std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
  } else {
    out = reader.integer<T>();
  }
}

template <class T, Wire W>
void get(Reader& reader, T& out, bool nullable);

// Reads what stands behind a length.
template <class T>
void get_content(Reader& reader, T& out, std::size_t length) {
  if constexpr (kIsVector<T>) {
    out.clear();
    out.reserve(length);  // The count was checked against bytes and memory.
    for (std::size_t i = 0; i < length && !reader.failed(); ++i)
      get<typename T::value_type, Wire::kPlain>(reader, out.emplace_back(), false);
  } else {
    out = reader.take(length);
  }
}

template <class T, Wire W>
void get(Reader& reader, T& out, bool nullable) {
  if constexpr (kIsOptional<T>) {
    using Value = typename T::value_type;
    const std::int64_t length = get_length<Value, W>(reader, nullable);
    if (length < 0)
      out.reset();
    else
      get_content(reader, out.emplace(), static_cast<std::size_t>(length));
  } else if constexpr (kIsText<T> || kIsVector<T>) {
    get_content(reader, out, static_cast<std::size_t>(get_length<T, W>(reader, false)));
  } else if constexpr (HasTable<T>) {
    get_struct(reader, out);
  } else {
    get_scalar(reader, out);
  }
}

template <class T>
void get_tags(Reader& reader, T& out) {
  reader.at_field("tagged fields");
  for (std::uint32_t count = reader.varint(); count > 0 && !reader.failed(); --count) {
    const std::uint32_t tag = reader.varint();
    const std::size_t outer_end = reader.enter(reader.varint());
    for_each_field<T>([&]<std::size_t I>() {
      constexpr auto kField = std::get<I>(Table<T>::fields);
      using Member = std::remove_cvref_t<decltype(out.*(kField.member))>;
      if constexpr (kField.place.tag >= 0) {
        if (tag != static_cast<std::uint32_t>(kField.place.tag) || !kField.in(reader.version())) return;
        reader.at_field(kField.name);
        get<Member, kField.place.wire>(reader, out.*(kField.member), true);
      }
    });
    reader.leave(outer_end);
  }
}

template <class T>
void get_struct(Reader& reader, T& out) {
  for_each_field<T>([&]<std::size_t I>() {
    constexpr auto kField = std::get<I>(Table<T>::fields);
    using Member = std::remove_cvref_t<decltype(out.*(kField.member))>;
    if constexpr (kField.place.tag < 0) {
      if (!kField.in(reader.version())) return;
      reader.at_field(kField.name);
      get<Member, kField.place.wire>(reader, out.*(kField.member), reader.version() >= kField.place.nullable);
    }
  });
  if (reader.flexible()) get_tags(reader, out);
}

// ---- encode

template <class T>
void put_struct(Writer& writer, const T& value);

template <class T, Wire W>
void put(Writer& writer, const T& value, bool nullable) {
  if constexpr (kIsOptional<T>) {
    using Value = typename T::value_type;
    if (value)
      put<Value, W>(writer, *value, nullable);
    else if (!nullable)
      put<Value, W>(writer, Value{}, nullable);
    else if constexpr (kIsText<Value> && W == Wire::kPlain)
      writer.null_text();
    else
      writer.null_length();
  } else if constexpr (kIsText<T>) {
    if constexpr (W == Wire::kPlain)
      writer.text(value);
    else if constexpr (W == Wire::kBytes)
      writer.opaque(value);
    else
      writer.records(value);
  } else if constexpr (kIsVector<T>) {
    writer.length(value.size());
    for (const auto& element : value) put<typename T::value_type, Wire::kPlain>(writer, element, false);
  } else if constexpr (HasTable<T>) {
    put_struct(writer, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    writer.integer<std::uint8_t>(value ? 1 : 0);
  } else if constexpr (std::is_enum_v<T>) {
    writer.integer(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_same_v<T, Uuid>) {
    writer.raw({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
  } else {
    writer.integer(value);
  }
}

// Writes the tagged fields that differ from their default, in a buffer of their own first: their size stands before them.
template <class T>
void put_tags(Writer& writer, const T& value) {
  static const T kDefault;
  EncodedFrame tags;
  std::uint32_t count = 0;
  for_each_field<T>([&]<std::size_t I>() {
    constexpr auto kField = std::get<I>(Table<T>::fields);
    using Member = std::remove_cvref_t<decltype(value.*(kField.member))>;
    if constexpr (kField.place.tag >= 0) {
      static_assert(kField.place.wire != Wire::kRecords, "records are never tagged");
      if (!kField.in(writer.version()) || value.*(kField.member) == kDefault.*(kField.member)) return;
      EncodedFrame content;
      Writer inner(content, writer.version(), true);
      put<Member, kField.place.wire>(inner, value.*(kField.member), true);
      Writer outer(tags, writer.version(), true);
      outer.varint(static_cast<std::uint32_t>(kField.place.tag));
      outer.varint(static_cast<std::uint32_t>(content.bytes.size()));
      outer.raw(content.bytes);
      ++count;
    }
  });
  writer.varint(count);
  writer.raw(tags.bytes);
}

template <class T>
void put_struct(Writer& writer, const T& value) {
  for_each_field<T>([&]<std::size_t I>() {
    constexpr auto kField = std::get<I>(Table<T>::fields);
    using Member = std::remove_cvref_t<decltype(value.*(kField.member))>;
    if constexpr (kField.place.tag < 0)
      if (kField.in(writer.version()))
        put<Member, kField.place.wire>(writer, value.*(kField.member), writer.version() >= kField.place.nullable);
  });
  if (writer.flexible()) put_tags(writer, value);
}

}  // namespace pinflow::kafka_wire
