#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "access/internal/watched_file.h"
#include "access/token_file.h"
#include "base/logger.h"

namespace pinflow::access {

struct NewToken {
  std::string name;
  std::vector<Grant> grants;
  std::optional<WallTime> expires{};
  RateLimits limits{};
};

struct IssuedToken {
  Token token;
  std::string text;  // "pft_k3x7q2ma_...": what its holder shows. Told this once, kept nowhere.
};

enum class TokenRefusal { kUnknown, kExpired };

// The bearer tokens of a data folder. A token is 256 random bits; what is kept of it is one SHA-256. A slow hash (scrypt, argon2) is for
// secrets that people choose: nobody can try 2^256 of these however fast the hash is, and a slow one would cost each request milliseconds.
//
// Any number of processes may use one folder. Changes go to the file under the folder's lock; each process looks at the file when
// a token is shown, once a second at most and for an unknown token at once, so what another process makes works with its first
// request and what it revokes is refused a second later. reload() does it now.
//
// Safe from any thread. `disk`, `clock` and `logger` must outlive it. Limits: 100,000 tokens.
class TokenStore final {
 public:
  // `folder` is made when the first token is. kCorrupt, kInvalid: there is a file but not one of tokens.
  static Result<std::unique_ptr<TokenStore>> open(const disk::Path& folder, disk::Disk& disk, const Clock& clock,
                                                  Logger& logger);

  // kInvalid: the name or a grant cannot be; kConflict: a token of that name is there, or another process changes tokens just now.
  Result<IssuedToken> create(const NewToken& wanted);
  // By id or name; gives what was there. kNotFound names the nearest.
  Result<Token> revoke(std::string_view id_or_name);
  // In the order in which they were made, expired ones too.
  Result<std::vector<Token>> list();
  Result<void> reload();

  // Whose token this is. `look` false: an unknown one is not looked for in the file at once (who guesses shall cost nothing).
  std::expected<std::shared_ptr<const Caller>, TokenRefusal> find(std::string_view text, bool look = true);
  // The same for the two parts of Basic authentication. The token may be the password (the user is then not looked at) or the user; or
  // the user is its id or name, and the password its secret part.
  std::expected<std::shared_ptr<const Caller>, TokenRefusal> find_basic(std::string_view user,
                                                                        std::string_view password, bool look = true);
  // The id that a text claims if there is such a token, else "". For telling guesses at one token from each other.
  std::string claimed_id(std::string_view text);

  const disk::Path& file() const { return file_.path(); }

 private:
  struct Entry;
  struct Table;
  TokenStore(const disk::Path& folder, disk::Disk& disk, const Clock& clock, Logger& logger);
  std::shared_ptr<const Table> table(bool look_now);
  Result<std::vector<Token>> read() const;
  void adopt(std::vector<Token> tokens);
  template <class Change>
  Result<void> change(Change change_tokens);

  const disk::Path folder_;
  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  std::mutex mutex_;  // Of the two below.
  internal::WatchedFile file_;
  std::shared_ptr<const Table> table_;  // Shared with those who look something up while it is replaced.
};

}  // namespace pinflow::access
