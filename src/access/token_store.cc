#include "access/token_store.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "access/digest.h"
#include "access/grants.h"
#include "access/private_file.h"
#include "base/names.h"

namespace pinflow::access {

namespace {

constexpr std::string_view kPrefix = "pft_";
constexpr std::size_t kIdBytes = 5;       // 8 letters.
constexpr std::size_t kSecretBytes = 32;  // 256 bits: 52 letters.
constexpr std::size_t kIdSize = 8;

// "pft_<id>_<secret>"; empty: not of that form.
std::string_view id_of(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() < kPrefix.size() + kIdSize + 2) return {};
  if (text[kPrefix.size() + kIdSize] != '_') return {};
  return text.substr(kPrefix.size(), kIdSize);
}

}  // namespace

struct TokenStore::Entry {
  Token token;
  std::shared_ptr<const Caller> caller;
};

// Never changes once it is in place.
struct TokenStore::Table {
  std::map<std::string, Entry, std::less<>> by_id;
  std::map<std::string, std::string, std::less<>> id_by_name;

  const Entry* find(std::string_view id) const {
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : &found->second;
  }
  const Entry* find_named(std::string_view id_or_name) const {
    if (const Entry* const entry = find(id_or_name)) return entry;
    const auto named = id_by_name.find(id_or_name);
    return named == id_by_name.end() ? nullptr : find(named->second);
  }
};

TokenStore::TokenStore(const disk::Path& folder, disk::Disk& disk, const Clock& clock, Logger& logger)
    : folder_(folder),
      disk_(disk),
      clock_(clock),
      logger_(logger),
      file_(folder / "tokens.json", disk, clock),
      table_(std::make_shared<const Table>()) {}

Result<std::unique_ptr<TokenStore>> TokenStore::open(const disk::Path& folder, disk::Disk& disk, const Clock& clock,
                                                     Logger& logger) {
  std::unique_ptr<TokenStore> store(new TokenStore(folder, disk, clock, logger));
  TRY(store->reload());
  return store;
}

Result<std::vector<Token>> TokenStore::read() const {
  const auto text = disk_.read_file(file_.path());
  if (!text && text.error().code == ErrorCode::kNotFound) return std::vector<Token>();
  if (!text) return fail(text.error());
  auto tokens = parse_tokens(*text);
  if (tokens) return tokens;
  return fail(tokens.error().code,
              fmt::format("{} is not a file of tokens: {}. Restore it from a backup, or remove it: then no token is "
                          "worth anything, and new ones can be made with `pinflow tokens create`.",
                          file_.path().native(), tokens.error().message));
}

// Called with mutex_ held. Who had limits keeps what is left of them, or a reload would be a way around.
void TokenStore::adopt(std::vector<Token> tokens) {
  auto table = std::make_shared<Table>();
  for (Token& token : tokens) {
    const Entry* const before = table_->find(token.id);
    std::shared_ptr<Allowance> allowance;
    if (token.limits.any()) {
      allowance = before != nullptr && before->token.limits == token.limits
                      ? before->caller->allowance()
                      : std::make_shared<Allowance>(token.limits, clock_);
    }
    auto caller = std::make_shared<const Caller>(token.name, token.grants, std::move(allowance));
    table->id_by_name.emplace(token.name, token.id);
    std::string id = token.id;
    table->by_id.insert_or_assign(std::move(id), Entry{std::move(token), std::move(caller)});
  }
  table_ = std::move(table);
}

Result<void> TokenStore::reload() {
  const std::scoped_lock lock(mutex_);
  file_.changed(true);
  TRY_ASSIGN(auto tokens, read());
  adopt(std::move(tokens));
  return {};
}

std::shared_ptr<const TokenStore::Table> TokenStore::table(bool look_now) {
  const std::scoped_lock lock(mutex_);
  if (!file_.changed(look_now)) return table_;
  if (auto tokens = read()) {
    adopt(*std::move(tokens));
    logger_.info("tokens were read again", {{"file", file_.path().native()}, {"tokens", table_->by_id.size()}});
  } else {
    logger_.error("the tokens of before stay in force: their file cannot be read", {{"why", tokens.error().message}});
  }
  return table_;
}

std::expected<std::shared_ptr<const Caller>, TokenRefusal> TokenStore::find(std::string_view text, bool look) {
  const std::string_view id = id_of(text);
  if (id.empty()) return std::unexpected(TokenRefusal::kUnknown);
  auto tokens = table(false);
  if (tokens->find(id) == nullptr && look) tokens = table(true);
  const Entry* const entry = tokens->find(id);
  if (entry == nullptr || !same_secret(sha256(text), entry->token.sha256))
    return std::unexpected(TokenRefusal::kUnknown);
  if (entry->token.expires && clock_.now() >= *entry->token.expires) return std::unexpected(TokenRefusal::kExpired);
  return entry->caller;
}

std::expected<std::shared_ptr<const Caller>, TokenRefusal> TokenStore::find_basic(std::string_view user,
                                                                                  std::string_view password,
                                                                                  bool look) {
  if (!id_of(password).empty()) return find(password, look);
  if (!id_of(user).empty()) return find(user, look);
  auto tokens = table(false);
  if (tokens->find_named(user) == nullptr && look) tokens = table(true);
  const Entry* const entry = tokens->find_named(user);
  if (entry == nullptr) return std::unexpected(TokenRefusal::kUnknown);
  return find(fmt::format("{}{}_{}", kPrefix, entry->token.id, password), false);
}

std::string TokenStore::claimed_id(std::string_view text) {
  const auto tokens = table(false);
  const std::string_view id = id_of(text);
  const Entry* const entry = tokens->find_named(id.empty() ? text : id);
  return entry == nullptr ? std::string() : entry->token.id;
}

template <class Change>
Result<void> TokenStore::change(Change change_tokens) {
  TRY(create_private_folder(disk_, folder_));
  const auto lock = disk_.lock_folder(folder_);
  if (!lock && lock.error().code == ErrorCode::kConflict)
    return fail(ErrorCode::kConflict,
                fmt::format("another process changes the tokens in {} at this moment; try again", folder_.native()));
  if (!lock) return fail(lock.error());
  TRY_ASSIGN(auto tokens, read());
  TRY(change_tokens(tokens));
  TRY(write_private_file(disk_, file_.path(), write_tokens(tokens)));
  return reload();
}

Result<IssuedToken> TokenStore::create(const NewToken& wanted) {
  TRY(check_name("token", wanted.name));
  if (wanted.grants.empty())
    return fail(ErrorCode::kInvalid,
                fmt::format("the token '{}' would be good for nothing: give it at least one grant, "
                            "such as produce:*",
                            wanted.name));
  IssuedToken issued;
  TRY(change([&](std::vector<Token>& tokens) -> Result<void> {
    if (std::ranges::find(tokens, wanted.name, &Token::name) != tokens.end())
      return fail(ErrorCode::kConflict,
                  fmt::format("a token '{}' is there already; revoke it first, or choose another name", wanted.name));
    do {
      issued.token.id = to_base32(random_bytes(kIdBytes));
    } while (std::ranges::find(tokens, issued.token.id, &Token::id) != tokens.end());
    issued.text = fmt::format("{}{}_{}", kPrefix, issued.token.id, to_base32(random_bytes(kSecretBytes)));
    issued.token.name = wanted.name;
    issued.token.sha256 = sha256(issued.text);
    issued.token.grants = wanted.grants;
    issued.token.created = clock_.now();
    issued.token.expires = wanted.expires;
    issued.token.limits = wanted.limits;
    tokens.push_back(issued.token);
    return {};
  }));
  return issued;
}

Result<Token> TokenStore::revoke(std::string_view id_or_name) {
  Token revoked;
  TRY(change([&](std::vector<Token>& tokens) -> Result<void> {
    auto found = std::ranges::find(tokens, id_or_name, &Token::id);
    if (found == tokens.end()) found = std::ranges::find(tokens, id_or_name, &Token::name);
    if (found == tokens.end()) {
      std::vector<std::string> names;
      for (const Token& token : tokens) names.push_back(token.name);
      const auto near = nearest(id_or_name, names);
      return fail(ErrorCode::kNotFound, fmt::format("there is no token '{}'{}", id_or_name,
                                                    near ? fmt::format(". Did you mean '{}'?", *near) : ""));
    }
    revoked = std::move(*found);
    tokens.erase(found);
    return {};
  }));
  return revoked;
}

Result<std::vector<Token>> TokenStore::list() {
  return read();
}

}  // namespace pinflow::access
