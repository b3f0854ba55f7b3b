#include "aws/curl_http.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

#include <curl/curl.h>
#include <fmt/format.h>

#include "aws/canonical.h"
#include "base/check.h"

namespace pinflow::aws {

namespace {

constexpr std::size_t kMostBody = std::size_t{16} << 20;
constexpr long kConnectMillis = 10'000;
constexpr long kStallSeconds = 30;

struct CurlDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, CurlDelete>;
using List = std::unique_ptr<curl_slist, CurlDelete>;

void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start"); });
}

// One call under way, as the callbacks of libcurl see it.
struct Call {
  const HttpRequest& request;
  CURL* handle;
  HttpResponse response;
  std::size_t sent = 0;
  std::optional<Error> error = {};
  char reason[CURL_ERROR_SIZE] = {};
};

std::size_t on_read(char* into, std::size_t size, std::size_t count, void* context) {
  Call& call = *static_cast<Call*>(context);
  const std::size_t bytes = std::min(size * count, call.request.body.size() - call.sent);
  std::memcpy(into, call.request.body.data() + call.sent, bytes);
  call.sent += bytes;
  return bytes;
}

// A kept connection may turn out to be closed when the body is on its way: libcurl begins again then.
int on_seek(void* context, curl_off_t offset, int origin) {
  Call& call = *static_cast<Call*>(context);
  if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > call.request.body.size()) {
    return CURL_SEEKFUNC_CANTSEEK;
  }
  call.sent = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t on_write(char* bytes, std::size_t size, std::size_t count, void* context) {
  Call& call = *static_cast<Call*>(context);
  const std::string_view piece(bytes, size * count);
  long status = 0;
  curl_easy_getinfo(call.handle, CURLINFO_RESPONSE_CODE, &status);
  if (call.request.sink && (status == 200 || status == 206)) {
    if (auto taken = call.request.sink(piece); !taken) {
      call.error = std::move(taken).error();
      return CURL_WRITEFUNC_ERROR;
    }
    return piece.size();
  }
  if (call.response.body.size() + piece.size() > kMostBody) {
    call.error = Error{ErrorCode::kOverloaded, fmt::format("the answer is larger than {} bytes", kMostBody)};
    return CURL_WRITEFUNC_ERROR;
  }
  call.response.body.append(piece);
  return piece.size();
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* context) {
  Call& call = *static_cast<Call*>(context);
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) {  // Those of an interim answer do not count.
    call.response.headers.clear();
    return line.size();
  }
  const std::size_t colon = line.find(':');
  if (colon != line.npos) {
    call.response.headers.emplace_back(lower(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
  }
  return line.size();
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK, "libcurl takes its options");
}

class CurlHttp final : public HttpTransport {
 public:
  CurlHttp() { start_library(); }

  Result<HttpResponse> send(const HttpRequest& request) override {
    Handle handle = take();
    if (handle == nullptr) return fail(ErrorCode::kOverloaded, "libcurl has no memory for a call");
    Call call{request, handle.get(), {}};
    const List headers = prepare(call);
    const CURLcode code = curl_easy_perform(handle.get());
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    call.response.status = static_cast<int>(status);
    give_back(std::move(handle));
    if (call.error) return fail(*std::move(call.error));
    if (code == CURLE_OK) return std::move(call.response);
    const std::string_view what = call.reason[0] != '\0' ? call.reason : curl_easy_strerror(code);
    return fail(ErrorCode::kUnavailable, fmt::format("{} {}: {}", request.method, request.url, what));
  }

 private:
  List prepare(Call& call) {
    CURL* const handle = call.handle;
    const HttpRequest& request = call.request;
    curl_easy_reset(handle);  // Keeps the connections.
    set(handle, CURLOPT_URL, request.url.c_str());
    set(handle, CURLOPT_PATH_AS_IS, 1L);
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
    set(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(handle, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    set(handle, CURLOPT_ERRORBUFFER, call.reason);
    if (request.direct) set(handle, CURLOPT_NOPROXY, "*");
    if (const char* authorities = std::getenv("AWS_CA_BUNDLE"); authorities != nullptr && *authorities != '\0') {
      set(handle, CURLOPT_CAINFO, authorities);
    }
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.method == "HEAD") set(handle, CURLOPT_NOBODY, 1L);
    if (!request.body.empty() || request.method == "PUT" || request.method == "POST") {
      set(handle, CURLOPT_UPLOAD, 1L);
      set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(handle, CURLOPT_READFUNCTION, on_read);
      set(handle, CURLOPT_READDATA, &call);
      set(handle, CURLOPT_SEEKFUNCTION, on_seek);
      set(handle, CURLOPT_SEEKDATA, &call);
    }
    set(handle, CURLOPT_WRITEFUNCTION, on_write);
    set(handle, CURLOPT_WRITEDATA, &call);
    set(handle, CURLOPT_HEADERFUNCTION, on_header);
    set(handle, CURLOPT_HEADERDATA, &call);
    // Headers of libcurl's own that are not signed, and the wait for "100 Continue".
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    list = curl_slist_append(list, "Accept:");
    for (const auto& [name, value] : request.headers) {
      list = curl_slist_append(list, fmt::format("{}: {}", name, value).c_str());
    }
    set(handle, CURLOPT_HTTPHEADER, list);
    return List(list);
  }

  Handle take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) return Handle(curl_easy_init());
    Handle handle = std::move(idle_.back());
    idle_.pop_back();
    return handle;
  }
  void give_back(Handle handle) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(handle));
  }

  std::mutex mutex_;
  std::vector<Handle> idle_;  // Each with its connections. The one that was used last is taken first.
};

}  // namespace

const std::string* HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::unique_ptr<HttpTransport> make_curl_http() {
  return std::make_unique<CurlHttp>();
}

}  // namespace pinflow::aws
