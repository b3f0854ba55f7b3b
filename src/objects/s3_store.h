#pragma once

#include <functional>
#include <memory>
#include <string>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/strong.h"
#include "objects/object_store.h"

namespace pinflow::objects {

struct S3Options {
  std::string bucket = {};
  std::string prefix = {};    // Of all names, without slashes at its ends; empty: none.
  std::string endpoint = {};  // "http://127.0.0.1:9000"; empty: AWS's own of the region.
  std::string region = "us-east-1";
  // Whether the bucket stands in the path of URLs; none: with an endpoint of one's own, and where the bucket's name has dots.
  std::optional<bool> path_style = {};
  aws::CredentialOptions credentials = {};
  disk::Path local = {};  // Folder for scratch files and local copies; several stores may share it.
  ByteCount cache_size{std::uint64_t{4} << 30};  // Of local copies.
  bool probe = true;                             // At once, or else before the first put_new.
};

// What a store stands on; all of it outlives the store.
struct S3Context {
  aws::HttpTransport& http;
  disk::Disk& disk;
  const Clock& clock;
  Logger& logger;
  aws::Environment environment;
  std::function<void(std::chrono::milliseconds)> pause;  // Waits between two tries of a call.
};

// A bucket of S3, or of a store that speaks like it, as an object store. Calls are signed (SigV4, the body's hash included) and tried
// again with back-off; an answer that got lost is looked for. put_new rests on `If-None-Match: *`: a store that passes over it would
// let two writers of one Delta table overwrite each other's commits, so it is asked with a probe object and, if need be, refused
// (kInvalid). Files above 16 MiB go up in parts. local_copy keeps files below `local`. Listing is one call a thousand names.
// Memory: 16 MiB a call at most, and the whole object for get.
Result<std::unique_ptr<ObjectStore>> open_s3_store(const S3Options& options, const S3Context& context);

// "s3://bucket/some/prefix" taken apart; kInvalid names what is wrong with it. `text` begins with "s3://".
struct S3Location {
  std::string bucket, prefix;
};
Result<S3Location> parse_s3_location(const std::string& text);

}  // namespace pinflow::objects
