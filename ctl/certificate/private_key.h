// Private keys in PEM: PKCS #8 (RFC 5958) or the older forms, not encrypted. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ctl/model/certificate.h"

namespace brink::ctl::certificate {

// Of a text that is empty or too large to be a key; empty: it may be one.
std::optional<model::Refusal> key_size_fault(std::string_view key_pem);

// The key as PKCS #8, if it is the one of the chain's first certificate and of a sensible kind and
// size (RSA of 2048 to 8192 bits; P-256, P-384, P-521; Ed25519). The refusal never quotes it. The
// caller wipes what it has no use for any more.
model::Outcome<std::string> read_key(std::string_view key_pem, const std::string& chain_pem);

}  // namespace brink::ctl::certificate
