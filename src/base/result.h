#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/error.h"

namespace pinflow {

// A value or an Error. What only our own mistakes can break is a CHECK instead (base/check.h).
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

// Makes the failing side of any Result: `return fail(ErrorCode::kInvalid, fmt::format(...))`.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

}  // namespace pinflow

#define PINFLOW_CONCAT_INNER(a, b) a##b
#define PINFLOW_CONCAT(a, b) PINFLOW_CONCAT_INNER(a, b)

// Returns the error of `expression` to the caller, or goes on. A statement.
#define TRY(expression)                                                               \
  do {                                                                                \
    if (auto pinflow_result = (expression); !pinflow_result.has_value()) [[unlikely]] \
      return std::unexpected<::pinflow::Error>(std::move(pinflow_result).error());    \
  } while (false)

#define PINFLOW_TRY_ASSIGN(temporary, declaration, expression)              \
  auto temporary = (expression);                                            \
  if (!temporary.has_value()) [[unlikely]]                                  \
    return std::unexpected<::pinflow::Error>(std::move(temporary).error()); \
  declaration = std::move(*temporary)

// Declares or assigns from a Result, or returns its error: `TRY_ASSIGN(auto file, disk.open_read(path));`
#define TRY_ASSIGN(declaration, expression) \
  PINFLOW_TRY_ASSIGN(PINFLOW_CONCAT(pinflow_tmp_, __LINE__), declaration, expression)
