#include "objects/s3_store.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/timestamp.h"
#include "base/uuid.h"
#include "objects/internal/local_cache.h"
#include "objects/internal/object_name.h"
#include "objects/internal/s3_client.h"
#include "objects/internal/s3_upload.h"
#include "objects/internal/xml.h"

namespace pinflow::objects {

namespace {

using namespace internal;
using aws::HttpResponse;
using disk::Path;

constexpr std::size_t kListedAtOnce = 1'000;
// Tries of a put_new whose outcome stays unknown; each looks at what is there before the next.
constexpr int kNewTries = 4;
const std::pair<std::string, std::string> kOnlyNew{"If-None-Match", "*"};

std::uint64_t whole_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// A download on its way into a scratch file.
class Download {
 public:
  Download(disk::Disk& disk, Path path) : disk_(disk), path_(std::move(path)) {}
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;
  ~Download() {
    file_.reset();
    if (!kept_) (void)disk_.remove(path_);
  }
  Result<void> begin() {
    file_.reset();
    TRY(disk_.remove(path_));
    TRY_ASSIGN(file_, disk_.open_append(path_));
    return {};
  }
  Result<void> add(std::string_view piece) {
    size_ += piece.size();
    return file_->append(piece);
  }
  Result<void> restart() {
    size_ = 0;
    return begin();
  }
  std::uint64_t size() const { return size_; }
  const Path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  disk::Disk& disk_;
  const Path path_;
  std::unique_ptr<disk::File> file_;
  std::uint64_t size_ = 0;
  bool kept_ = false;
};

class S3Store final : public ObjectStore {
 public:
  S3Store(const S3Options& options, S3Address address, const S3Context& context)
      : context_(context),
        prefix_(options.prefix.empty() ? std::string() : options.prefix + "/"),
        credentials_(options.credentials, context.environment, context.http, context.disk, context.clock,
                     context.logger),
        client_(std::move(address), context.http, credentials_, context.clock, Random(entropy_seed()), context.pause),
        cache_(context.disk, context.clock, options.local, options.cache_size) {}

  Result<void> put(const std::string& name, std::string_view bytes) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    TRY(upload_bytes(client_, key, bytes));
    cache_.forget(name);
    return {};
  }

  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    TRY(probe());
    return put_new_key(key, bytes);
  }

  Result<void> put_file(const std::string& name, const Path& local) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    TRY_ASSIGN(const Uploaded uploaded, upload_file(client_, context_.disk, key, local));
    // What was just written is often read next: a checkpoint is compared, small files are put together.
    if (!cache_.add(name, uploaded.tag, local, uploaded.size, false)) return context_.disk.remove(local);
    return {};
  }

  Result<std::string> get(const std::string& name) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    return get_key(key);
  }

  Result<ObjectInfo> describe(const std::string& name) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    const S3Request request{.method = "HEAD", .key = key};
    TRY_ASSIGN(const HttpResponse response, client_.call(request));
    if (response.status != 200) return fail(client_.error_of(request, response));
    const std::string* const length = response.header("content-length");
    const std::string* const modified = response.header("last-modified");
    const auto time = modified == nullptr ? std::nullopt : parse_http_date(*modified);
    if (length == nullptr || !time) {
      return fail(ErrorCode::kUnavailable, fmt::format("the store tells no size or time of {}", name));
    }
    return ObjectInfo{name, whole_number(*length), *time};
  }

  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& start_after,
                                       std::size_t limit) override {
    TRY(check_prefix(prefix));
    std::vector<ObjectInfo> found;
    std::string token;
    while (found.size() < limit) {
      S3Request request{.method = "GET", .key = {}, .query = {{"list-type", "2"}}};
      request.query.emplace_back("max-keys", std::to_string(std::min(limit - found.size(), kListedAtOnce)));
      request.query.emplace_back("prefix", prefix_ + prefix);
      if (!token.empty()) {
        request.query.emplace_back("continuation-token", token);
      } else if (!start_after.empty()) {
        request.query.emplace_back("start-after", prefix_ + start_after);
      }
      TRY_ASSIGN(const HttpResponse response, client_.call(request));
      if (response.status != 200) return fail(client_.error_of(request, response));
      const auto root = parse_xml(response.body);
      if (!root || root->name != "ListBucketResult") {
        return fail(ErrorCode::kUnavailable, fmt::format("the store's list of s3://{}/{} cannot be understood",
                                                         client_.address().bucket, prefix_ + prefix));
      }
      TRY(add_listed(*root, start_after, found));
      token = root->child("NextContinuationToken");
      if (root->child("IsTruncated") != "true" || token.empty()) break;
    }
    // S3 lists in order; not every store that speaks like it does.
    if (!std::ranges::is_sorted(found, {}, &ObjectInfo::name)) std::ranges::sort(found, {}, &ObjectInfo::name);
    if (found.size() > limit) found.resize(limit);
    return found;
  }

  Result<void> remove(const std::string& name) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    const S3Request request{.method = "DELETE", .key = key};
    TRY_ASSIGN(const HttpResponse response, client_.call(request));
    if (response.status >= 300 && response.status != 404) return fail(client_.error_of(request, response));
    cache_.forget(name);
    return {};
  }

  // One call whether the copy is there or not: it is asked for unless it is the one at hand.
  Result<Path> local_copy(const std::string& name) override {
    TRY_ASSIGN(const std::string key, key_of(name));
    S3Request request{.method = "GET", .key = key};
    const auto held = cache_.find(name);
    if (held && !held->tag.empty()) request.headers.emplace_back("If-None-Match", held->tag);
    const std::size_t dot = name.rfind('.');
    TRY_ASSIGN(Path path, cache_.scratch(dot == name.npos || name.find('/', dot) != name.npos ? "" : name.substr(dot)));
    Download download(context_.disk, std::move(path));
    TRY(download.begin());
    request.sink = [&](std::string_view piece) { return download.add(piece); };
    request.restart = [&] { return download.restart(); };
    TRY_ASSIGN(const HttpResponse response, client_.call(request));
    if (response.status == 304 && held) return held->path;
    if (response.status != 200) return fail(client_.error_of(request, response));
    const std::string* const tag = response.header("etag");
    auto added = cache_.add(name, tag == nullptr ? "" : *tag, download.path(), download.size(), true);
    if (added) download.keep();
    return added;
  }

  Result<Path> scratch(std::string_view suffix) override {
    if (!suffix.empty() && !is_part(fmt::format("0{}", suffix)))
      return fail(ErrorCode::kInvalid, "the suffix of a scratch file must be part of an object's name");
    return cache_.scratch(suffix);
  }

  // Puts one object twice as new: the second time must be refused.
  Result<void> probe() {
    const std::scoped_lock lock(probe_mutex_);
    if (probed_) return {};
    Random random(entropy_seed());
    const std::string key = prefix_ + ".pinflow-probe-" + Uuid::random(random).to_string();
    TRY(put_new_key(key, "first"));
    S3Request request{.method = "PUT", .key = key, .query = {}, .headers = {kOnlyNew}, .body = "second"};
    auto second = client_.call(request);
    TRY_ASSIGN(const std::string there, get_key(key));
    TRY(client_.call({.method = "DELETE", .key = key}));
    if (!second) return fail(std::move(second).error());
    if (second->status == 412 && there == "first") {
      probed_ = true;
      return {};
    }
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the object store at {} passes over `If-None-Match: *` when an object is put (it answers {} "
                    "where the object exists). Two writers would overwrite each other's commits of Delta tables and "
                    "lose rows, so pinflow does not write there. Use a store that honours it, such as AWS S3",
                    client_.address().endpoint, second->status));
  }

 private:
  Result<std::string> key_of(const std::string& name) const {
    TRY(check_object_name(name));
    return prefix_ + name;
  }

  Result<std::string> get_key(const std::string& key) {
    std::string bytes;
    S3Request request{.method = "GET", .key = key};
    request.sink = [&](std::string_view piece) -> Result<void> {
      bytes += piece;
      return {};
    };
    request.restart = [&]() -> Result<void> {
      bytes.clear();
      return {};
    };
    TRY_ASSIGN(const HttpResponse response, client_.call(request));
    if (response.status != 200) return fail(client_.error_of(request, response));
    return bytes;
  }

  // Whether an answer that did not come was yes: what lies there tells.
  Result<bool> is_ours(const std::string& key, std::string_view bytes) {
    const auto there = get_key(key);
    if (there && *there == bytes) return true;
    if (there) return fail(exists(key));
    if (there.error().code == ErrorCode::kNotFound) return false;
    return fail(ErrorCode::kUnknownOutcome, fmt::format("whether s3://{}/{} was put is not known: {}",
                                                        client_.address().bucket, key, there.error().message));
  }

  Error exists(const std::string& key) const {
    return {ErrorCode::kConflict, fmt::format("object s3://{}/{} exists", client_.address().bucket, key)};
  }

  Result<void> put_new_key(const std::string& key, std::string_view bytes) {
    const S3Request request{.method = "PUT", .key = key, .query = {}, .headers = {kOnlyNew}, .body = bytes};
    bool in_doubt = false;
    for (int tries = 0; tries < kNewTries; ++tries) {
      if (tries > 0) client_.pause(tries);
      const auto response = client_.call_once(request);
      if (!response && response.error().code != ErrorCode::kUnavailable) return fail(response.error());
      if (response && response->status >= 200 && response->status < 300) return {};
      if (response && response->status == 412 && !in_doubt) return fail(exists(key));
      // No answer, one that says nothing, or one to a try after such: 409 is a put of somebody else under way.
      const bool is_open = !response || response->status == 412 || response->status == 409 || response->status == 429 ||
                           (response->status >= 500 && response->status != 501);
      if (!is_open) return fail(refused_new(request, *response));
      in_doubt = true;
      TRY_ASSIGN(const bool ours, is_ours(key, bytes));
      if (ours) return {};
    }
    return fail(ErrorCode::kUnknownOutcome,
                fmt::format("s3://{}/{} was not there when it was looked for, but one of {} puts may still arrive",
                            client_.address().bucket, key, kNewTries));
  }

  Error refused_new(const S3Request& request, const HttpResponse& response) const {
    Error error = client_.error_of(request, response);
    if (response.status == 501) {
      error.message +=
          "; the store does not know `If-None-Match: *`, without which writers would overwrite each other's commits";
    }
    return error;
  }

  Result<void> add_listed(const XmlElement& answer, const std::string& start_after,
                          std::vector<ObjectInfo>& found) const {
    for (const XmlElement& entry : answer.children) {
      if (entry.name != "Contents") continue;
      const std::string_view key = entry.child("Key");
      if (!key.starts_with(prefix_)) continue;
      std::string name(key.substr(prefix_.size()));
      // Folder markers and hidden names are no objects of ours.
      if (!check_object_name(name) || name <= start_after) continue;
      const auto time = parse_iso8601(entry.child("LastModified"));
      if (!time) return fail(ErrorCode::kUnavailable, fmt::format("the store's list tells no time of {}", name));
      found.push_back({std::move(name), whole_number(entry.child("Size")), *time});
    }
    return {};
  }

  const S3Context context_;
  const std::string prefix_;  // With its '/'.
  aws::CredentialSource credentials_;
  S3Client client_;
  LocalCache cache_;
  std::mutex probe_mutex_;
  bool probed_ = false;  // Protected by probe_mutex_.
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3_store(const S3Options& options, const S3Context& context) {
  S3Address address;
  address.bucket = options.bucket;
  address.region = options.region;
  const bool is_own = !options.endpoint.empty();
  address.endpoint = is_own ? options.endpoint : fmt::format("https://s3.{}.amazonaws.com", options.region);
  while (address.endpoint.ends_with('/')) address.endpoint.pop_back();
  if (!address.endpoint.starts_with("http://") && !address.endpoint.starts_with("https://")) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the endpoint {} of the object store must begin with https:// or http://", address.endpoint));
  }
  address.path_style = options.path_style.value_or(is_own || options.bucket.find('.') != std::string::npos);
  auto store = std::make_unique<S3Store>(options, std::move(address), context);
  if (options.probe) TRY(store->probe());
  return store;
}

Result<S3Location> parse_s3_location(const std::string& text) {
  std::string rest = text.substr(std::string_view("s3://").size());
  while (rest.ends_with('/')) rest.pop_back();
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  S3Location location{rest.substr(0, slash), slash == rest.size() ? std::string() : rest.substr(slash + 1)};
  const bool is_bucket =
      location.bucket.size() >= 3 && location.bucket.size() <= 63 && std::ranges::all_of(location.bucket, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
      });
  if (!is_bucket || (!location.prefix.empty() && !check_object_name(location.prefix))) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is no place in S3: write s3://bucket/prefix, the bucket in 3 to 63 "
                            "lower-case letters, digits, '-' and '.'",
                            text));
  }
  return location;
}

}  // namespace pinflow::objects
