// Facts: what rules can ask about a request, and later about its response. All of it is borrowed.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/ip.h"
#include "l7/country/code.h"
#include "l7/http/head.h"

namespace brink::l7::rewrite {

// Of the client's certificate. Without one all is empty and false. Hexadecimal is lower case.
struct ClientCertificate {
  bool is_presented = false;
  bool is_verified = false;  // against the authorities of the host
  bool is_revoked = false;
  std::string_view sha1, sha256;  // fingerprints
  std::string_view subject_dn, issuer_dn;
  std::string_view serial, issuer_serial;
  std::string_view key_id, issuer_key_id;
  std::string_view not_before, not_after;  // as text
  std::string_view rfc9440, chain_rfc9440;
  bool is_rfc9440_too_large = false;
  bool is_chain_rfc9440_too_large = false;
};

struct Facts {
  std::string_view method;
  std::string_view host;    // normalised, without port
  std::string_view target;  // path and query
  std::string_view user_agent;
  http::Version version = http::Version::http_1_1;
  bool is_tls = false;
  base::IpAddress client;
  country::Code country;  // of the client
  std::uint16_t status = 0;                        // of the response; 0: there is none yet
  const ClientCertificate* certificate = nullptr;  // null: none was asked for
};

// Those of a parsed request, which they borrow from.
inline Facts facts_of(const http::RequestHead& head, const base::IpAddress& client,
                      bool is_tls) noexcept {
  Facts facts;
  facts.method = head.fields.text(head.method_text);
  facts.host = head.authority.host();
  facts.target = head.fields.text(head.target);
  const http::Field* agent = head.fields.find(http::FieldName::user_agent);
  if (agent != nullptr) facts.user_agent = head.fields.value(*agent);
  facts.version = head.version;
  facts.is_tls = is_tls;
  facts.client = client;
  return facts;
}

}  // namespace brink::l7::rewrite
