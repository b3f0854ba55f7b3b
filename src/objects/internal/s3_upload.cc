#include "objects/internal/s3_upload.h"

#include <algorithm>

#include <fmt/format.h>

#include "objects/internal/xml.h"

namespace pinflow::objects::internal {

namespace {

constexpr std::uint64_t kPart = std::uint64_t{16} << 20;
constexpr std::uint64_t kMostParts = 10'000;  // S3's bound.

Result<std::string> read_range(const disk::File& file, std::uint64_t offset, std::uint64_t size,
                               const disk::Path& path) {
  std::string bytes(size, '\0');
  TRY_ASSIGN(const std::size_t read, file.read_at(offset, bytes));
  if (read != size) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} became shorter while it was read", path.native()));
  }
  return bytes;
}

std::string tag_of(const aws::HttpResponse& response) {
  const std::string* const tag = response.header("etag");
  return tag == nullptr ? std::string() : *tag;
}

// An upload in parts, from its begin to its end.
class PartedUpload {
 public:
  PartedUpload(S3Client& client, const std::string& key) : client_(client), key_(key) {}

  Result<void> begin() {
    const S3Request request{.method = "POST", .key = key_, .query = {{"uploads", ""}}};
    TRY_ASSIGN(const auto response, client_.call(request));
    if (response.status != 200) return fail(client_.error_of(request, response));
    const auto root = parse_xml(response.body);
    if (root) id_ = root->child("UploadId");
    if (id_.empty()) return fail(ErrorCode::kUnavailable, "the store begins an upload in parts without naming it");
    return {};
  }

  Result<void> put_part(std::string_view bytes) {
    const S3Request request{.method = "PUT",
                            .key = key_,
                            .query = {{"partNumber", std::to_string(tags_.size() + 1)}, {"uploadId", id_}},
                            .headers = {},
                            .body = bytes};
    TRY_ASSIGN(const auto response, client_.call(request));
    if (response.status != 200) return fail(client_.error_of(request, response));
    tags_.push_back(tag_of(response));
    return {};
  }

  Result<std::string> complete() {
    std::string body = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < tags_.size(); ++i) {
      body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, tags_[i]);
    }
    body += "</CompleteMultipartUpload>";
    const S3Request request{.method = "POST", .key = key_, .query = {{"uploadId", id_}}, .headers = {}, .body = body};
    TRY_ASSIGN(const auto response, client_.call(request));
    // Done already by a try whose answer got lost.
    if (response.status == 404 && read_fault(response).code == "NoSuchUpload") {
      const S3Request look{.method = "HEAD", .key = key_};
      TRY_ASSIGN(const auto there, client_.call(look));
      if (there.status == 200) return tag_of(there);
    }
    if (response.status != 200) return fail(client_.error_of(request, response));
    // This call answers 200 before it knows its end; the body tells.
    const auto root = parse_xml(response.body);
    if (!root || root->name != "CompleteMultipartUploadResult") {
      return fail(ErrorCode::kUnavailable, fmt::format("the store did not put {} together: {} {}", key_,
                                                       read_fault(response).code, read_fault(response).message));
    }
    return std::string(root->child("ETag"));
  }

  void give_up() { (void)client_.call({.method = "DELETE", .key = key_, .query = {{"uploadId", id_}}}); }

 private:
  S3Client& client_;
  const std::string& key_;
  std::string id_;
  std::vector<std::string> tags_;
};

Result<std::string> upload_parts(PartedUpload& upload, const disk::File& file, std::uint64_t size,
                                 const disk::Path& path) {
  const std::uint64_t part = std::max(kPart, size / kMostParts + 1);
  for (std::uint64_t offset = 0; offset < size; offset += part) {
    TRY_ASSIGN(const std::string bytes, read_range(file, offset, std::min(part, size - offset), path));
    TRY(upload.put_part(bytes));
  }
  return upload.complete();
}

}  // namespace

Result<Uploaded> upload_bytes(S3Client& client, const std::string& key, std::string_view bytes) {
  const S3Request request{.method = "PUT", .key = key, .query = {}, .headers = {}, .body = bytes};
  TRY_ASSIGN(const auto response, client.call(request));
  if (response.status != 200) return fail(client.error_of(request, response));
  return Uploaded{tag_of(response), bytes.size()};
}

Result<Uploaded> upload_file(S3Client& client, disk::Disk& disk, const std::string& key, const disk::Path& path) {
  TRY_ASSIGN(const auto file, disk.open_read(path));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size <= kPart) {
    TRY_ASSIGN(const std::string bytes, read_range(*file, 0, size, path));
    return upload_bytes(client, key, bytes);
  }
  PartedUpload upload(client, key);
  TRY(upload.begin());
  auto tag = upload_parts(upload, *file, size, path);
  if (tag) return Uploaded{*std::move(tag), size};
  upload.give_up();
  return fail(std::move(tag).error());
}

}  // namespace pinflow::objects::internal
