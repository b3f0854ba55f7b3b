#include "live/refusal.h"

namespace pinflow::live {

http::Response refusal(int status, std::string_view message) {
  constexpr int kCodesOfStatus = 100;  // 404 is 40401: the codes of the other doors.
  http::Response response = http::Response::failure(status, status * kCodesOfStatus + 1, message);
  response.headers.add("Cache-Control", "no-store");
  if (status == 503) response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace pinflow::live
