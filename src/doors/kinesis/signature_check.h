#pragma once

#include <expected>
#include <memory>
#include <string>

#include "access/signature_verifier.h"
#include "doors/kinesis/protocol.h"
#include "http/message.h"

namespace pinflow::doors::kinesis {

// Who sent a request, as far as its signature says.
struct Signer {
  std::shared_ptr<const access::Caller> caller;
  std::string key_id;
  std::string region;  // Of the scope; empty if it names none that could be one.
};

// Checks the signature of a call, in the order and words of AWS. Without a verifier only that there is one, and the caller stays who the server
// found. Whom the server knows already, by a token or certificate of ours, needs no signature.
std::expected<Signer, Fault> check_signature(const http::Request& request, access::SignatureVerifier* verifier);

// The account of a key: the key itself where it is twelve digits, as emulators have it; else `usual`.
std::string account_of(std::string_view key_id, std::string_view usual);

}  // namespace pinflow::doors::kinesis
