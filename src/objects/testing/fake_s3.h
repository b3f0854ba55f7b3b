#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/canonical.h"
#include "aws/http.h"

namespace pinflow::objects::testing {

// A bucket in memory behind the transport, and what can go wrong on the way to it.
class FakeS3 final : public aws::HttpTransport {
 public:
  enum class Fault {
    kNone,
    kLostBefore,
    kLostAfter,
    kServerError,
    kSlowDown,
    kTruncated,
    kConflict,
    kSkewed,
    kExpired
  };

  Result<aws::HttpResponse> send(const aws::HttpRequest& request) override {
    const std::scoped_lock lock(mutex_);
    calls.push_back(request.method + " " + request.url);
    last_headers = request.headers;
    Fault fault = Fault::kNone;
    if (!faults.empty()) {
      fault = faults.front();
      faults.pop_front();
    }
    switch (fault) {
      case Fault::kLostBefore:
        return fail(ErrorCode::kUnavailable, "reset");
      case Fault::kServerError:
        return error(500, "InternalError");
      case Fault::kSlowDown:
        return error(503, "SlowDown");
      case Fault::kConflict:
        return error(409, "ConditionalRequestConflict");
      case Fault::kSkewed:
        return error(403, "RequestTimeTooSkewed");
      case Fault::kExpired:
        return error(400, "ExpiredToken");
      case Fault::kNone:
      case Fault::kLostAfter:
      case Fault::kTruncated:
        break;
    }
    if (before) std::exchange(before, nullptr)();
    aws::HttpResponse response = answer(request);
    if (fault == Fault::kLostAfter) return fail(ErrorCode::kUnavailable, "reset");
    const std::size_t size = response.body.size();
    response.headers.emplace_back("content-length", std::to_string(size));
    if (fault == Fault::kTruncated) response.body.resize(size / 2);
    if (request.sink && response.status == 200) {
      for (std::size_t at = 0; at < response.body.size(); at += 7) {
        TRY(request.sink(std::string_view(response.body).substr(at, 7)));
      }
      response.body.clear();
    }
    return response;
  }

  std::map<std::string, std::string> objects;  // By key.
  std::deque<Fault> faults;
  std::function<void()> before;
  bool honours_conditions = true;
  std::size_t page = 1'000;
  std::vector<std::string> calls;
  aws::Headers last_headers;
  std::map<std::string, std::map<int, std::string>> uploads;
  std::vector<std::size_t> parts;

 private:
  static aws::HttpResponse error(int status, const std::string& code) {
    return {status,
            {{"date", "Tue, 14 Nov 2023 23:00:00 GMT"}},
            "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>it &amp; that</Message></Error>"};
  }
  static std::string tag(const std::string& bytes) { return fmt::format("\"{:x}\"", std::hash<std::string>()(bytes)); }
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
    return out;
  }

  aws::HttpResponse answer(const aws::HttpRequest& request) {
    const std::string start = "http://store:9000/bucket";
    EXPECT_TRUE(request.url.starts_with(start)) << request.url;
    const std::string rest = request.url.substr(start.size());
    const std::size_t mark = std::min(rest.find('?'), rest.size());
    const auto query = aws::parse_query(rest.substr(std::min(mark + 1, rest.size())));
    const auto parameter = [&](std::string_view name) {
      const std::string* const value = aws::find_parameter(query, name);
      return value == nullptr ? std::string() : *value;
    };
    const auto path = aws::parse_query(rest.substr(0, mark));  // Decodes.
    const std::string key =
        path.empty() || mark < 2 ? "" : path[0].first.substr(1) + (path[0].second.empty() ? "" : "=" + path[0].second);
    if (key.empty()) return list(parameter);
    if (request.method == "POST" || !parameter("uploadId").empty()) return parted(request, key, parameter);
    const auto condition =
        std::ranges::find(request.headers, "If-None-Match", &std::pair<std::string, std::string>::first);
    const auto there = objects.find(key);
    if (request.method == "PUT") {
      if (condition != request.headers.end() && honours_conditions && there != objects.end()) {
        return error(412, "PreconditionFailed");
      }
      objects[key] = request.body;
      return {200, {{"etag", tag(objects[key])}}, ""};
    }
    if (request.method == "DELETE") {
      objects.erase(key);
      return {204, {}, ""};
    }
    if (there == objects.end())
      return request.method == "HEAD" ? aws::HttpResponse{404, {}, ""} : error(404, "NoSuchKey");
    aws::HttpResponse found{
        200, {{"etag", tag(there->second)}, {"last-modified", "Tue, 14 Nov 2023 22:13:20 GMT"}}, there->second};
    if (condition != request.headers.end() && condition->second == tag(there->second)) return {304, found.headers, ""};
    if (request.method == "HEAD") {
      found.headers.emplace_back("content-length", std::to_string(found.body.size()));
      found.body.clear();
    }
    return found;
  }

  template <class Parameter>
  aws::HttpResponse list(const Parameter& parameter) {
    const std::string after = std::max(parameter("start-after"), parameter("continuation-token"));
    const std::size_t most = std::min<std::size_t>(page, std::stoul(parameter("max-keys")));
    std::string body = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    std::size_t count = 0;
    std::string last;
    bool truncated = false;
    for (const auto& [key, bytes] : objects) {
      if (!key.starts_with(parameter("prefix")) || key <= after) continue;
      if (count++ == most) {
        truncated = true;
        break;
      }
      last = key;
      body += fmt::format(
          "<Contents><Key>{}</Key><LastModified>2023-11-14T22:13:20.123Z</LastModified><Size>{}</Size></Contents>",
          escaped(key), bytes.size());
    }
    body += fmt::format("<IsTruncated>{}</IsTruncated>", truncated);
    if (truncated) body += "<NextContinuationToken>" + escaped(last) + "</NextContinuationToken>";
    return {200, {}, body + "</ListBucketResult>"};
  }

  template <class Parameter>
  aws::HttpResponse parted(const aws::HttpRequest& request, const std::string& key, const Parameter& parameter) {
    const std::string id = parameter("uploadId");
    if (id.empty()) {
      uploads["u1"];
      return {200, {}, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"};
    }
    if (request.method == "DELETE") {
      uploads.erase(id);
      return {204, {}, ""};
    }
    if (!uploads.contains(id)) return error(404, "NoSuchUpload");
    if (request.method == "PUT") {
      uploads[id][std::stoi(parameter("partNumber"))] = request.body;
      parts.push_back(request.body.size());
      return {200, {{"etag", "\"p" + parameter("partNumber") + "\""}}, ""};
    }
    std::string whole;
    for (const auto& [number, bytes] : uploads[id]) whole += bytes;
    objects[key] = whole;
    uploads.erase(id);
    return {200, {}, "<CompleteMultipartUploadResult><ETag>" + tag(whole) + "</ETag></CompleteMultipartUploadResult>"};
  }

  std::mutex mutex_;
};

}  // namespace pinflow::objects::testing
