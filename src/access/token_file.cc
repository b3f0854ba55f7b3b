#include "access/token_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "access/digest.h"
#include "access/grants.h"
#include "base/json.h"

namespace pinflow::access {

namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMaxTokens = 100'000;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kCorrupt, std::string(what));
}

Result<std::string> text_of(const dom::element& object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return damaged(fmt::format("'{}' is not a text", key));
  return std::string(text);
}

// Absent is null.
Result<std::optional<std::uint64_t>> number_of(const dom::element& object, std::string_view key) {
  dom::element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::optional<std::uint64_t>();
  std::uint64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number > std::uint64_t{1} << 60)
    return damaged(fmt::format("'{}' is not a whole number that can be", key));
  return std::optional(number);
}

Result<std::string> hash_of(std::string_view hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (hex.size() != 64 || hex.find_first_not_of(kDigits) != std::string_view::npos)
    return damaged("'sha256' is not 64 hexadecimal digits in lower case");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(kDigits.find(hex[i]) << 4 | kDigits.find(hex[i + 1]));
  return bytes;
}

WallTime time_of(std::uint64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

Result<Token> token_of(const dom::element& object) {
  Token token;
  TRY_ASSIGN(token.id, text_of(object, "id"));
  TRY_ASSIGN(token.name, text_of(object, "name"));
  TRY_ASSIGN(const std::string hex, text_of(object, "sha256"));
  TRY_ASSIGN(token.sha256, hash_of(hex));
  dom::array grants;
  if (object["grants"].get(grants) != simdjson::SUCCESS) return damaged("'grants' is not a list");
  for (const dom::element grant : grants) {
    std::string_view text;
    if (grant.get(text) != simdjson::SUCCESS) return damaged("a grant is not a text");
    auto parsed = parse_grant(text);
    if (!parsed) return damaged(parsed.error().message);
    token.grants.push_back(std::move(*parsed));
  }
  TRY_ASSIGN(const auto created, number_of(object, "created"));
  if (!created) return damaged("'created' is missing");
  token.created = time_of(*created);
  TRY_ASSIGN(const auto expires, number_of(object, "expires"));
  if (expires) token.expires = time_of(*expires);
  TRY_ASSIGN(token.limits.requests, number_of(object, "requests_per_second"));
  TRY_ASSIGN(token.limits.bytes, number_of(object, "bytes_per_second"));
  TRY_ASSIGN(token.limits.records, number_of(object, "records_per_second"));
  return token;
}

void write_number(JsonWriter& json, std::string_view key, const std::optional<std::uint64_t>& number) {
  if (number) json.key(key).integer(static_cast<std::int64_t>(*number));
}

void write_token(JsonWriter& json, const Token& token) {
  json.begin_object().key("id").string(token.id).key("name").string(token.name);
  json.key("sha256").string(to_hex(token.sha256)).key("grants").begin_array();
  for (const Grant& grant : token.grants) json.string(to_string(grant));
  json.end_array().key("created").integer(token.created.time_since_epoch().count());
  if (token.expires) json.key("expires").integer(token.expires->time_since_epoch().count());
  write_number(json, "requests_per_second", token.limits.requests);
  write_number(json, "bytes_per_second", token.limits.bytes);
  write_number(json, "records_per_second", token.limits.records);
  json.end_object();
}

}  // namespace

Result<std::vector<Token>> parse_tokens(std::string_view text) {
  dom::parser parser;
  dom::element root;
  if (const auto error = parser.parse(simdjson::padded_string(text)).get(root); error != simdjson::SUCCESS)
    return damaged(fmt::format("not JSON: {}", simdjson::error_message(error)));
  TRY_ASSIGN(const auto format, number_of(root, "format"));
  if (!format) return damaged("'format' is missing");
  if (*format != kFormat)
    return fail(ErrorCode::kInvalid, fmt::format("of format {}, which this pinflow does not know", *format));
  dom::array list;
  if (root["tokens"].get(list) != simdjson::SUCCESS) return damaged("'tokens' is not a list");
  std::vector<Token> tokens;
  for (const dom::element object : list) {
    if (tokens.size() == kMaxTokens) return damaged(fmt::format("more than {} tokens", kMaxTokens));
    auto token = token_of(object);
    if (!token) return damaged(fmt::format("token {}: {}", tokens.size() + 1, token.error().message));
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

std::string write_tokens(const std::vector<Token>& tokens) {
  JsonWriter json;
  json.begin_object().key("format").integer(kFormat).key("tokens").begin_array();
  for (const Token& token : tokens) write_token(json, token);
  json.end_array().end_object();
  return std::move(json).take() + "\n";
}

}  // namespace pinflow::access
