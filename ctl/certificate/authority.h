// The authority that issues client certificates: making one, and what it signs (RFC 5280). Keys are
// P-256. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "ctl/model/certificate.h"

namespace brink::ctl::certificate {

inline constexpr std::uint32_t kValidityDaysMax = 5475;

struct NewAuthority {
  model::Certificate certificate;
  std::string key;  // PKCS #8, PEM; the caller seals and wipes it
};

// A self-signed authority for client certificates, with a new key, for 15 years and some more: so
// that it outlives what it signs at first. Its key is made by the library's own generator.
NewAuthority make_authority(const std::string& name, const model::Entropy& entropy,
                            model::Timestamp now);

// A client certificate for the subject and public key of `csr` (PKCS #10, PEM), valid from `now` on
// for `validity_days` (1 to kValidityDaysMax), but no longer than the authority. Of the request's
// extensions none is taken over. Refuses a request that is malformed, not signed by its own key,
// has a weak key, or has no subject.
model::Outcome<model::Certificate> issue(std::string_view csr, std::uint32_t validity_days,
                                         const std::string& authority_pem,
                                         const std::string& authority_key,
                                         const model::Entropy& entropy, model::Timestamp now);

}  // namespace brink::ctl::certificate
