#pragma once

#include <expected>
#include <string>

namespace pinflow::doors::kafka_rest {

// Why a request is refused, in the form of the REST Proxy: {"error_code": code, "message": message}.
struct Refusal {
  int status = 400;
  int code = 400;
  std::string message;
};

template <class T>
using Checked = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(int status, int code, std::string message) {
  return std::unexpected(Refusal{status, code, std::move(message)});
}

}  // namespace pinflow::doors::kafka_rest
