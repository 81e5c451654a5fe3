// What the endpoints of certificates share: reading them out of a body, sealing their keys, paging.
#pragma once

#include <string>
#include <vector>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"
#include "ctl/certificate/chain.h"
#include "ctl/model/certificate.h"
#include "ctl/store/zone_certificates.h"

namespace brink::ctl::api {

inline constexpr std::uint64_t kCertificatesPerPage = 20, kCertificatesPerPageMax = 1000;

// A body that may hold a private key: an object as of parse_object, whose "private_key" is
// overwritten when it goes.
class KeyBody {
 public:
  explicit KeyBody(const std::string& text) : parsed_(parse_object(text)) {}
  ~KeyBody();
  KeyBody(const KeyBody&) = delete;
  KeyBody& operator=(const KeyBody&) = delete;

  explicit operator bool() const { return parsed_.ok(); }
  [[nodiscard]] const Json& value() const { return parsed_.value(); }
  [[nodiscard]] const model::Refusal& error() const { return parsed_.error(); }

 private:
  model::Outcome<Json> parsed_;
};

inline constexpr int kCodeCertificateNote = 12026;  // message: what a certificate does not do yet

// Of a key that is missing or too large, before the chain is taken apart; a chain that is so
// itself is named first, by whoever reads it.
std::optional<model::Refusal> missing_key_fault(const std::string& chain_pem,
                                                const std::string& key_pem);

// Checks that `key_pem`, the field "private_key", is the key of the certificate and gives it sealed
// for `id`.
model::Outcome<std::vector<std::uint8_t>> seal_key(Service& service, const model::Id& id,
                                                   const model::Certificate& certificate,
                                                   const std::string& key_pem);
// The other way round; throws store::Failure when the key file is not the one it was sealed with.
std::string open_key(Service& service, const model::Id& id, std::span<const std::uint8_t> sealed);

certificate::Order order_of(model::BundleMethod method);

// Seconds of the clock, by which certificates are judged.
bool is_expired(const model::Certificate& certificate, model::Timestamp now);

// A leaf for `purpose`, with its key, out of "certificate" and "private_key"; stores nothing.
// Refuses one that the zone has already, and too many.
model::Outcome<model::ZoneCertificate> read_pull_certificate(Service& service,
                                                             const model::Zone& zone,
                                                             const Json& body,
                                                             model::CertificatePurpose purpose);
// Refuses one more than a zone may have for a purpose.
std::optional<model::Refusal> room_fault(Service& service,
                                         const model::ZoneCertificate& certificate);
// Refuses what the zone has already.
std::optional<model::Refusal> twice_fault(Service& service,
                                          const model::ZoneCertificate& certificate);

// The certificate that a path names by its `parameter`.
model::Outcome<model::ZoneCertificate> find_certificate(Service& service, const Request& request,
                                                        const model::Zone& zone,
                                                        model::CertificatePurpose purpose,
                                                        const char* parameter);

model::Refusal no_such_certificate(const std::string& id);

// GET and PUT or PATCH of one of a zone's switches: {"enabled": true or false}.
struct TlsSwitch {
  bool store::ZoneTls::*member;
  const char* object;  // in the audit log
  // What is to be said to who turns it on; none: nullptr.
  const char* (*note)(Service& service, const model::Zone& zone);
};
Reply show_switch(Service& service, const Request& request, const TlsSwitch& which);
Reply edit_switch(Service& service, const Request& request, const TlsSwitch& which);

// A custom certificate as the API shows it.
Json custom_certificate_json(const model::ZoneCertificate& certificate, model::Timestamp now);

}  // namespace brink::ctl::api
