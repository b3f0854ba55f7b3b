#include "doors/kafka_rest_v3/resource_writer.h"

#include <algorithm>

#include <fmt/format.h>

namespace pinflow::doors::kafka_rest_v3 {

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string cluster_url(const http::Request& request, std::string_view cluster) {
  const auto host = request.headers.get("Host").value_or("");
  const auto path = fmt::format("/v3/clusters/{}", url_encode(cluster));
  if (host.empty()) return path;
  return fmt::format("{}://{}{}", request.peer.encrypted ? "https" : "http", host, path);
}

ResourceWriter& ResourceWriter::begin(std::string_view kind, std::string_view path, std::string_view name) {
  json_.begin_object().key("kind").string(kind);
  json_.key("metadata").begin_object().key("self").string(fmt::format("{}{}", url_, path));
  json_.key("resource_name").string(fmt::format("crn:///kafka={}{}", url_encode(cluster_), name)).end_object();
  return text("cluster_id", cluster_);
}

ResourceWriter& ResourceWriter::end() {
  json_.end_object();
  return *this;
}

ResourceWriter& ResourceWriter::begin_list(std::string_view kind, std::string_view path) {
  json_.begin_object().key("kind").string(kind);
  json_.key("metadata").begin_object().key("self").string(fmt::format("{}{}", url_, path));
  json_.key("next").null().end_object();
  json_.key("data").begin_array();
  return *this;
}

ResourceWriter& ResourceWriter::end_list() {
  json_.end_array().end_object();
  return *this;
}

ResourceWriter& ResourceWriter::related(std::string_view relation, std::string_view path) {
  json_.key(relation).begin_object().key("related").string(fmt::format("{}{}", url_, path)).end_object();
  return *this;
}

ResourceWriter& ResourceWriter::text(std::string_view name, std::string_view value) {
  json_.key(name).string(value);
  return *this;
}

ResourceWriter& ResourceWriter::number(std::string_view name, std::int64_t value) {
  json_.key(name).integer(value);
  return *this;
}

ResourceWriter& ResourceWriter::flag(std::string_view name, bool value) {
  json_.key(name).boolean(value);
  return *this;
}

ResourceWriter& ResourceWriter::null(std::string_view name) {
  json_.key(name).null();
  return *this;
}

}  // namespace pinflow::doors::kafka_rest_v3
