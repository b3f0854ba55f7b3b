#pragma once

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access_keys.h"
#include "access/caller.h"
#include "access/internal/watched_file.h"
#include "access/sigv4.h"
#include "base/logger.h"

namespace pinflow::access {

struct VerifierOptions {
  SignatureRules rules;
  // Takes any session token with a key that has none of its own: for clients that get temporary credentials from elsewhere and were
  // given the secret. Otherwise such a request is refused.
  bool accept_session_tokens = false;
};

// Who signed a request.
struct Verified {
  std::shared_ptr<const Caller> caller;
  std::string key_id;
  std::string region;  // Of the scope; any is taken.
};

// Checks the signatures of AWS clients against the access keys of a file, which is read again when it changed (looked at when a request
// comes, once a second at most, and at once for an unknown key). Safe from any thread; `disk`, `clock` and `logger` must outlive it.
class SignatureVerifier final {
 public:
  // kNotFound, kInvalid: a file that is missing or cannot be understood.
  static Result<std::unique_ptr<SignatureVerifier>> open(VerifierOptions options, const disk::Path& file,
                                                         disk::Disk& disk, const Clock& clock, Logger& logger);

  // The faults are those of AWS: besides what sigv4.h names UnrecognizedClientException (an unknown key), ExpiredTokenException (another
  // session token than the key's) and ThrottlingException (the key's limits). `body` as it came over the wire.
  std::expected<Verified, SignatureFault> verify(const SignedRequest& request, std::string_view body);
  Result<void> reload();

 private:
  struct Known {
    AccessKey key;
    std::shared_ptr<const Caller> caller;
  };
  using Table = std::map<std::string, Known, std::less<>>;
  SignatureVerifier(VerifierOptions options, const disk::Path& file, disk::Disk& disk, const Clock& clock,
                    Logger& logger);
  std::shared_ptr<const Table> table(bool look_now);
  Result<std::vector<AccessKey>> read() const;
  void adopt(std::vector<AccessKey> keys);
  std::optional<SignatureFault> check_session(const ShownSignature& shown, const AccessKey& key) const;

  const VerifierOptions options_;
  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  std::mutex mutex_;  // Of the two below.
  internal::WatchedFile file_;
  std::shared_ptr<const Table> table_;  // Shared with those who look something up while it is replaced.
};

}  // namespace pinflow::access
