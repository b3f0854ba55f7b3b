#pragma once

#include <memory>

#include "access/signature_verifier.h"
#include "access/token_store.h"
#include "app/environment.h"
#include "doors/guard.h"

namespace pinflow::app {

// Who may do what at the HTTP doors, as the settings say. The doors must not outlive it.
struct AccessParts {
  std::unique_ptr<access::TokenStore> tokens;           // Null: http.authentication = off.
  std::unique_ptr<access::SignatureVerifier> verifier;  // Null: kinesis.verify_signatures = false.
  doors::GuardOptions guard;

  // Reads tokens and access keys again. What cannot be read is told in the log and changes nothing. From any thread.
  void reload(Logger& logger) const;
};

// Where the tokens of a data folder lie.
disk::Path access_folder(const Environment& environment);

// Reads the files that the settings name. At the first start with authentication it makes a token that may do everything, writes it to a
// file that its owner alone can read and tells where. kInvalid: a setting or a file that cannot be, with what is wrong.
Result<AccessParts> open_access(Environment& environment);

}  // namespace pinflow::app
