// Certificates for tests, made at run time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/tls/handles.h"
#include "dataplane/tls/server.h"

namespace brink::tls::test {

using Bytes = std::vector<std::uint8_t>;

enum class KeyKind { kEcdsa, kRsa };

class Certificate;

struct Request {
  std::string common_name = "test";
  std::vector<std::string> names = {};  // DNS, or "IP:192.0.2.1"
  KeyKind kind = KeyKind::kEcdsa;
  const Certificate* issuer = nullptr;  // null: signs itself
  bool is_authority = false;
  bool for_clients = false;
  long from_seconds = -3600, to_seconds = 86400;  // from now
};

class Certificate {
 public:
  explicit Certificate(const Request& request);

  [[nodiscard]] const Bytes& der() const { return der_; }
  [[nodiscard]] const Bytes& private_key() const { return private_key_; }
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string private_key_pem() const;
  [[nodiscard]] X509* x509() const { return x509_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] CertificateBytes bytes() const {
    return {.chain = der_, .private_key = private_key_, .ocsp = ocsp};
  }

  Bytes ocsp;  // stapled, if there is one

 private:
  KeyPtr key_;
  X509Ptr x509_;
  Bytes der_, private_key_;
};

// An authority named `common_name`.
Certificate authority(const std::string& common_name = "Test CA");
Certificate leaf(const Certificate& issuer, std::vector<std::string> names,
                 KeyKind kind = KeyKind::kEcdsa);
// "good", signed by the issuer.
Bytes ocsp_response(const Certificate& of, const Certificate& issuer);

}  // namespace brink::tls::test
