// Certificates and keys from DER, into objects of one library context. Private to this folder;
// cold.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/tls/handles.h"

namespace brink::tls {

// A leaf, what it is sent with, and its private key.
struct Identity {
  X509Ptr leaf;
  CertificatesPtr above;
  KeyPtr key;
};

// One or more certificates, DER, one behind the other; `what` names them in the error.
base::Result<CertificatesPtr> parse_certificates(OSSL_LIB_CTX* library,
                                                 std::span<const std::uint8_t> der,
                                                 const std::string& what);

// The key has to belong to the leaf.
base::Result<Identity> parse_identity(OSSL_LIB_CTX* library, std::span<const std::uint8_t> chain,
                                      std::span<const std::uint8_t> private_key,
                                      const std::string& what);

// What trusts exactly these: each is an anchor, whether or not it is signed by itself.
base::Result<StorePtr> make_store(OSSL_LIB_CTX* library, std::span<const std::uint8_t> der,
                                  const std::string& what);

}  // namespace brink::tls
