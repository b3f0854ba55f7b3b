#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "http/message.h"

namespace pinflow::doors::kafka_rest_v3 {

// Percent-encodes what may not stand in a segment of a path.
std::string url_encode(std::string_view text);

// The URL of a cluster as this client reaches it: from its Host, or a path alone where there is none.
std::string cluster_url(const http::Request& request, std::string_view cluster);

// Writes the resources of API v3 into one JSON document: {"kind","metadata":{"self","resource_name"},"cluster_id", ...}, and lists
// of them. Links are given as paths below the cluster ("/topics/t").
class ResourceWriter {
 public:
  ResourceWriter(const http::Request& request, std::string_view cluster)
      : url_(cluster_url(request, cluster)), cluster_(cluster) {}

  // `name` continues "crn:///kafka=<cluster>": "/topic=t".
  ResourceWriter& begin(std::string_view kind, std::string_view path, std::string_view name);
  ResourceWriter& end();
  ResourceWriter& begin_list(std::string_view kind, std::string_view path);
  ResourceWriter& end_list();
  ResourceWriter& related(std::string_view relation, std::string_view path);
  ResourceWriter& text(std::string_view name, std::string_view value);
  ResourceWriter& number(std::string_view name, std::int64_t value);
  ResourceWriter& flag(std::string_view name, bool value);
  ResourceWriter& null(std::string_view name);
  JsonWriter& json() { return json_; }
  const std::string& url() const { return url_; }
  std::string take() && { return std::move(json_).take(); }

 private:
  const std::string url_;
  const std::string cluster_;
  JsonWriter json_;
};

}  // namespace pinflow::doors::kafka_rest_v3
