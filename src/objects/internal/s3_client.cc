#include "objects/internal/s3_client.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "objects/internal/xml.h"

namespace pinflow::objects::internal {

namespace {

constexpr std::chrono::milliseconds kLeastPause{100};
constexpr std::chrono::milliseconds kMostPause{20'000};

// What S3 and those who speak like it answer when they have too much to do or are in between.
bool is_passing(int status) {
  return status == 429 || (status >= 500 && status != 501);
}

std::string host_of(std::string_view endpoint) {
  const std::size_t scheme = endpoint.find("://");
  return std::string(scheme == endpoint.npos ? endpoint : endpoint.substr(scheme + 3));
}

std::string scheme_of(std::string_view endpoint) {
  return endpoint.starts_with("http://") ? "http://" : "https://";
}

// Whether all of the body came that was told; a HEAD tells and sends none.
bool is_whole(const S3Request& request, const aws::HttpResponse& response, std::uint64_t received) {
  const std::string* const told = response.header("content-length");
  if (request.method == "HEAD" || told == nullptr) return true;
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(told->data(), told->data() + told->size(), length);
  return error == std::errc() && end == told->data() + told->size() && length == received;
}

}  // namespace

S3Fault read_fault(const aws::HttpResponse& response) {
  const auto root = parse_xml(response.body);
  if (!root || root->name != "Error") return {};
  return {std::string(root->child("Code")), std::string(root->child("Message"))};
}

S3Client::S3Client(S3Address address, aws::HttpTransport& http, aws::CredentialSource& credentials, const Clock& clock,
                   Random random, Pause pause)
    : address_(std::move(address)),
      http_(http),
      credentials_(credentials),
      clock_(clock),
      pause_(std::move(pause)),
      random_(random) {}

Result<aws::HttpResponse> S3Client::send(const S3Request& request) {
  TRY_ASSIGN(const aws::Credentials credentials, credentials_.get());
  WallTime now = clock_.now();
  {
    const std::scoped_lock lock(mutex_);
    now += skew_;
  }
  std::string host = host_of(address_.endpoint);
  std::string path = "/";
  if (address_.path_style) {
    path += aws::uri_encode(address_.bucket, false) + "/";
  } else {
    host = address_.bucket + "." + host;
  }
  path += aws::uri_encode(request.key, true);
  if (address_.path_style && request.key.empty()) path.pop_back();
  std::string query;
  for (const auto& [name, value] : request.query) {
    query +=
        fmt::format("{}{}={}", query.empty() ? "" : "&", aws::uri_encode(name, false), aws::uri_encode(value, false));
  }
  aws::HttpRequest sent{.method = request.method,
                        .url = scheme_of(address_.endpoint) + host + path + (query.empty() ? "" : "?" + query),
                        .headers = request.headers,
                        .body = request.body};
  const std::string payload = aws::to_hex(aws::sha256(request.body));
  const std::string time = aws::format_amz_time(now);
  sent.headers.emplace_back("Host", host);
  sent.headers.emplace_back("x-amz-date", time);
  sent.headers.emplace_back("x-amz-content-sha256", payload);
  if (!credentials.session_token.empty()) sent.headers.emplace_back("x-amz-security-token", credentials.session_token);
  sent.headers.emplace_back(
      "Authorization", aws::sign({request.method, path, query, sent.headers}, credentials.key,
                                 {time.substr(0, 8), address_.region, "s3"}, now, payload, aws::PathForm::kAsSent));
  std::uint64_t received = 0;
  if (request.sink) {
    sent.sink = [&](std::string_view piece) {
      received += piece.size();
      return request.sink(piece);
    };
  }
  TRY_ASSIGN(aws::HttpResponse response, http_.send(sent));
  if (!is_whole(request, response, received + response.body.size())) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} {}: the answer ends before it is whole", sent.method, sent.url));
  }
  return response;
}

bool S3Client::mend(const aws::HttpResponse& response) {
  if (response.status != 400 && response.status != 401 && response.status != 403) return false;
  const std::string code = read_fault(response).code;
  if (code == "RequestTimeTooSkewed") {
    const std::string* const date = response.header("date");
    const auto theirs = date == nullptr ? std::nullopt : parse_http_date(*date);
    if (!theirs) return false;
    const std::scoped_lock lock(mutex_);
    skew_ = *theirs - clock_.now();
    return true;
  }
  if (code == "ExpiredToken" || code == "ExpiredTokenException" || code == "InvalidToken" ||
      code == "TokenRefreshRequired") {
    credentials_.refused();
    return true;
  }
  return false;
}

Result<aws::HttpResponse> S3Client::call_once(const S3Request& request) {
  auto response = send(request);
  if (!response || !mend(*response)) return response;
  if (request.restart) TRY(request.restart());
  return send(request);
}

Result<aws::HttpResponse> S3Client::call(const S3Request& request) {
  std::string last;
  for (int tries = 0; tries < kTries; ++tries) {
    if (tries > 0) {
      pause(tries);
      if (request.restart) TRY(request.restart());
    }
    auto response = call_once(request);
    if (response && !is_passing(response->status)) return response;
    if (!response && response.error().code != ErrorCode::kUnavailable) return response;
    last = response ? error_of(request, *response).message : response.error().message;
  }
  return fail(ErrorCode::kUnavailable, fmt::format("{} (after {} tries)", last, kTries));
}

void S3Client::pause(int tries) {
  const auto longest = std::min(kMostPause, kLeastPause * (1 << std::min(tries, 12)));
  std::chrono::milliseconds chosen;
  {
    const std::scoped_lock lock(mutex_);
    // Half for sure and half by chance: those who failed together do not come back together.
    chosen =
        longest / 2 + std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(longest.count()) / 2 + 1));
  }
  pause_(chosen);
}

Error S3Client::error_of(const S3Request& request, const aws::HttpResponse& response) const {
  const S3Fault fault = read_fault(response);
  const std::string where = fmt::format("s3://{}/{}", address_.bucket, request.key);
  std::string what = fmt::format("{} {}: status {} {}{}{}", request.method, where, response.status, fault.code,
                                 fault.message.empty() ? "" : ": ", fault.message);
  if (response.status == 301 || response.status == 307) {
    const std::string* const region = response.header("x-amz-bucket-region");
    return {ErrorCode::kInvalid, fmt::format("{}; the bucket is in region {}, set s3.region to it", what,
                                             region == nullptr ? "another" : *region)};
  }
  if (fault.code == "NoSuchBucket") return {ErrorCode::kInvalid, what + "; make the bucket first"};
  if (response.status == 404) return {ErrorCode::kNotFound, fmt::format("there is no object {}", where)};
  if (response.status == 401 || response.status == 403 || is_passing(response.status)) {
    return {ErrorCode::kUnavailable, what};
  }
  return {ErrorCode::kInvalid, what};
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  // Sun, 22 Nov 2026 10:15:00 GMT
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = -1;
    const char* const from = text.data() + at;
    const auto [end, error] = std::from_chars(from, from + count, value);
    return error == std::errc() && end == from + count ? value : -1;
  };
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const int day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2),
            second = number(23, 2);
  if (month == kMonths.end() || day < 1 || year < 1 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                  std::chrono::seconds(second));
}

}  // namespace pinflow::objects::internal
