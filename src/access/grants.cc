#include "access/grants.h"

#include <algorithm>

#include <fmt/format.h>

namespace pinflow::access {

namespace {
constexpr std::string_view kForms =
    "'produce:TOPICS', 'consume:TOPICS' (a '*' in TOPICS stands for any characters), "
    "'query' or 'admin'";

bool is_pattern(std::string_view topics) {
  return !topics.empty() && topics.size() <= 249 && std::ranges::all_of(topics, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '*';
  });
}
}  // namespace

std::string_view to_string(Right right) {
  switch (right) {
    case Right::kProduce:
      return "produce";
    case Right::kConsume:
      return "consume";
    case Right::kQuery:
      return "query";
    case Right::kAdmin:
      return "admin";
  }
  return "query";
}

Result<Grant> parse_grant(std::string_view text) {
  if (text == "query") return Grant{Right::kQuery, "*"};
  if (text == "admin") return Grant{Right::kAdmin, "*"};
  for (const Right right : {Right::kProduce, Right::kConsume}) {
    const std::string_view word = to_string(right);
    if (!text.starts_with(word)) continue;
    const std::string_view rest = text.substr(word.size());
    if (rest.starts_with(':') && is_pattern(rest.substr(1))) return Grant{right, std::string(rest.substr(1))};
  }
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is no grant: expected {}", text, kForms));
}

Result<std::vector<Grant>> parse_grants(std::string_view text) {
  std::vector<Grant> grants;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    TRY_ASSIGN(auto grant, parse_grant(text.substr(0, comma)));
    grants.push_back(std::move(grant));
    if (comma == text.size()) return grants;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const Grant& grant) {
  switch (grant.right) {
    case Right::kProduce:
    case Right::kConsume:
      return fmt::format("{}:{}", to_string(grant.right), grant.topics);
    case Right::kQuery:
    case Right::kAdmin:
      return std::string(to_string(grant.right));
  }
  return {};
}

std::string to_string(const std::vector<Grant>& grants) {
  std::string text;
  for (const Grant& grant : grants) text += (text.empty() ? "" : ",") + to_string(grant);
  return text;
}

}  // namespace pinflow::access
