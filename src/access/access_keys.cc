#include "access/access_keys.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "access/grants.h"
#include "access/internal/pattern.h"

namespace pinflow::access {

namespace {

constexpr std::string_view kBlank = " \t\r";

// Takes the next word off `line`; empty at its end.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, std::min(line.find_first_of(kBlank), line.size()));
  line.remove_prefix(word.size());
  return word;
}

// Calls `read` with each line that says something; its error is told with the line's number.
template <class Read>
Result<void> for_each_line(std::string_view text, Read read) {
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const Result<void> good = read(line);
    if (!good) return fail(ErrorCode::kInvalid, fmt::format("line {}: {}", number, good.error().message));
  }
  return {};
}

Result<void> read_number(std::string_view text, std::optional<std::uint64_t>& into) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0)
    return fail(ErrorCode::kInvalid, fmt::format("'{}' is not a whole number from 1 on", text));
  into = number;
  return {};
}

Result<void> read_extra(std::string_view word, AccessKey& key) {
  const std::size_t equals = std::min(word.find('='), word.size());
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(std::min(equals + 1, word.size()));
  if (name == "requests") return read_number(value, key.limits.requests);
  if (name == "bytes") return read_number(value, key.limits.bytes);
  if (name == "records") return read_number(value, key.limits.records);
  if (name != "session" || value.empty())
    return fail(ErrorCode::kInvalid,
                fmt::format("behind the grants stand session=TOKEN, requests=N, bytes=N or records=N, not '{}'", name));
  key.session_token = value;
  return {};
}

Result<AccessKey> read_key(std::string_view line) {
  AccessKey key;
  key.id = next_word(line);
  key.secret = next_word(line);
  key.name = next_word(line);
  const std::string_view grants = next_word(line);
  if (grants.empty()) return fail(ErrorCode::kInvalid, "expected ID SECRET NAME GRANT[,GRANT...]");
  if (key.id.find('/') != std::string::npos) return fail(ErrorCode::kInvalid, "an access key's id has no '/'");
  TRY_ASSIGN(key.grants, parse_grants(grants));
  while (true) {
    const std::string_view word = next_word(line);
    if (word.empty()) return key;
    TRY(read_extra(word, key));
  }
}

}  // namespace

Result<std::vector<AccessKey>> parse_access_keys(std::string_view text) {
  std::vector<AccessKey> keys;
  TRY(for_each_line(text, [&](std::string_view line) -> Result<void> {
    TRY_ASSIGN(auto key, read_key(line));
    if (std::ranges::find(keys, key.id, &AccessKey::id) != keys.end())
      return fail(ErrorCode::kInvalid, fmt::format("the access key '{}' is there twice", key.id));
    keys.push_back(std::move(key));
    return {};
  }));
  return keys;
}

Result<std::vector<CertificateGrant>> parse_certificate_grants(std::string_view text) {
  std::vector<CertificateGrant> all;
  TRY(for_each_line(text, [&](std::string_view line) -> Result<void> {
    TRY_ASSIGN(auto grants, parse_grants(next_word(line)));
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlank) + 1);
    if (line.empty()) return fail(ErrorCode::kInvalid, "expected GRANT[,GRANT...] SUBJECT");
    all.push_back({std::string(line), std::move(grants)});
    return {};
  }));
  return all;
}

const CertificateGrant* find_certificate(const std::vector<CertificateGrant>& grants, std::string_view subject) {
  const auto found = std::ranges::find_if(
      grants, [&](const CertificateGrant& grant) { return internal::fits(grant.subject, subject); });
  return found == grants.end() ? nullptr : &*found;
}

}  // namespace pinflow::access
