#include "query/refusal.h"

namespace pinflow::query {

http::Response refusal(int status, std::string_view message) {
  constexpr int kCodesOfStatus = 100;  // 404 is 40401: the codes of the other doors.
  http::Response response = http::Response::failure(status, status * kCodesOfStatus + 1, message);
  response.headers.add("Cache-Control", "no-store");
  if (status == 503) response.headers.add("Retry-After", "1");
  return response;
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kOverloaded:
      return 422;  // The statement is understood and asks for too much: it would next time too.
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kCorrupt:
      return 500;
  }
  return 500;
}

}  // namespace pinflow::query
