#include <algorithm>

#include "doors/kinesis/protocol.h"

namespace pinflow::doors::kinesis {

namespace {
const Value kAbsent;
}

const Value& Value::operator[](std::string_view member) const {
  const auto& members = std::get<Structure>(value_);
  const auto found = std::ranges::find(members, member, &Structure::value_type::first);
  return found == members.end() ? kAbsent : found->second;
}

Value Value::take(std::string_view member) {
  auto& members = std::get<Structure>(value_);
  const auto found = std::ranges::find(members, member, &Structure::value_type::first);
  return found == members.end() ? Value() : std::exchange(found->second, Value());
}

std::optional<std::string_view> Value::text_of(std::string_view member) const {
  const Value& value = (*this)[member];
  if (value.is_null()) return std::nullopt;
  return value.text();
}

std::optional<std::int64_t> Value::integer_of(std::string_view member) const {
  const Value& value = (*this)[member];
  if (value.is_null()) return std::nullopt;
  return value.integer();
}

}  // namespace pinflow::doors::kinesis
