#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinflow::http {

// Header fields in order; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string name, std::string value);
  std::optional<std::string_view> get(std::string_view name) const;  // The first of that name.
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method;
  std::string target;                 // As sent: path and query, still encoded.
  std::vector<std::string> segments;  // The path split at '/', each percent-decoded; empty parts dropped.
  std::vector<std::pair<std::string, std::string>> query;       // Decoded, in order.
  std::vector<std::pair<std::string, std::string>> parameters;  // {name} parts of the route, set by the Router.
  Headers headers;
  std::string body;

  std::optional<std::string_view> query_value(std::string_view name) const;
  // The part of the path that stands for {name} in the route. That the route has one is the caller's promise.
  const std::string& parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Date and Connection are the server's.
  std::string body;

  static Response json(int status, std::string body, std::string_view content_type = "application/json");
  // {"error_code": code, "message": message}: the form in which the server and most doors say no.
  static Response failure(int status, int code, std::string_view message,
                          std::string_view content_type = "application/json");
};

}  // namespace pinflow::http
