// The text that BIND's dnssec-keygen writes to `K<zone>+<algorithm>+<tag>.private`, and ldns and
// Knot after it: lines of "Field: value", numbers in base64. Private to this folder.
#pragma once

#include <string_view>

#include "dataplane/base/result.h"
#include "dns/dnssec/openssl_key.h"

namespace brink::dns::dnssec {

struct PrivateKey {
  Algorithm algorithm = Algorithm::kEcdsaP256Sha256;
  Pkey key;
};

// Reads version 1 in any minor version. Unknown fields are passed over. That the halves of the key
// belong together is the caller's to check. Errors name the field, never its value.
base::Result<PrivateKey> read_private_key_format(std::string_view text);

}  // namespace brink::dns::dnssec
