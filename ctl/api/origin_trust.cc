// /client/v4/zones/:zone/acm/custom_trust_store: authorities that the zone trusts to sign
// certificates of its origins, in place of those that the edge trusts by itself.
#include "ctl/api/audit.h"
#include "ctl/api/certificate_input.h"
#include "ctl/api/change.h"
#include "ctl/api/paging.h"

namespace brink::ctl::api {
namespace {

using model::CertificatePurpose;
using model::Outcome;
using model::Zone;
using model::ZoneCertificate;
using store::ZoneCertificates;

constexpr auto kTrust = CertificatePurpose::kOriginTrust;

Json trust_json(const ZoneCertificate& certificate, const char* status = "active") {
  const model::Certificate& facts = certificate.certificate;
  return {{"id", certificate.id.hex()},
          {"certificate", facts.pem},
          {"issuer", facts.issuer},
          {"signature", facts.signature},
          {"status", status},
          {"expires_on", facts.expires_on.rfc3339()},
          {"uploaded_on", certificate.uploaded_on.rfc3339()},
          {"updated_at", certificate.modified_on.rfc3339()}};
}

void audit_trust(Service& service, const Zone& zone, const char* action,
                 const ZoneCertificate& certificate, const Json& before, const Json& after) {
  audit(service, {zone.account, action, "origin_trust", certificate.id.hex(),
                  certificate.certificate.subject.common_name, before, after, zone.name.text()});
}

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto paging = read_paging(request, kCertificatesPerPage, kCertificatesPerPageMax);
  if (!paging) return refuse(paging.error());
  const auto page = ZoneCertificates(service.store)
                        .list(zone.value().id, {.purpose = kTrust, .paging = paging.value()});
  return page_of(page, paging.value(), [](const auto& each) { return trust_json(each); });
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found = find_certificate(service, request, zone.value(), kTrust, "trust");
  if (!found) return refuse(found.error());
  return answer(to_text(trust_json(found.value())));
}

// Stores nothing.
Outcome<ZoneCertificate> read_authority(Service& service, const Zone& zone, const Json& body) {
  std::string pem;
  FieldReader fields(body, Nulls::kRefused);
  fields.text("certificate", pem);
  if (fields.fault()) return *fields.fault();
  ZoneCertificate trusted;
  trusted.id = model::Id::random(service.entropy);
  trusted.zone = zone.id;
  trusted.purpose = kTrust;
  trusted.uploaded_on = trusted.modified_on = service.clock();
  auto authorities = certificate::read_authorities(pem, trusted.uploaded_on);
  if (!authorities) return about_field("certificate", authorities.error());
  trusted.certificate = std::move(authorities).value();
  if (auto fault = twice_fault(service, trusted)) return *fault;
  if (auto fault = room_fault(service, trusted)) return *fault;
  std::size_t size = trusted.certificate.pem.size();
  const auto page =
      ZoneCertificates(service.store)
          .list(zone.id, {.purpose = kTrust, .paging = {1, model::kZoneCertificatesMax}});
  for (const auto& each : page.items) size += each.certificate.pem.size();
  if (size <= model::kTrustPemMax) return trusted;
  return model::Refusal{400,
                        model::kCodeCertificateLimit,
                        "The zone's authorities have " + std::to_string(size) +
                            " octets together, " + std::to_string(model::kTrustPemMax) +
                            " at most; delete some first.",
                        {}};
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto trusted = read_authority(service, zone.value(), body.value());
  if (!trusted) return refuse(trusted.error());
  const Json json = trust_json(trusted.value());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ZoneCertificates(service.store).insert(trusted.value());
  audit_trust(service, zone.value(), "create", trusted.value(), nullptr, json);
  return committed(service, transaction, answer(to_text(json)));
}

Reply remove(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found = find_certificate(service, request, zone.value(), kTrust, "trust");
  if (!found) return refuse(found.error());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ZoneCertificates(service.store).remove(found.value().id);
  audit_trust(service, zone.value(), "delete", found.value(), trust_json(found.value()), nullptr);
  return committed(service, transaction, answer(to_text(trust_json(found.value(), "deleted"))));
}

}  // namespace

void add_origin_trust(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/zones/:zone/acm/custom_trust_store";
  router.add("GET", all, kSslRead, bound(service, list));
  router.add("POST", all, kSslEdit, bound(service, create));
  router.add("GET", all + "/:trust", kSslRead, bound(service, show));
  router.add("DELETE", all + "/:trust", kSslEdit, bound(service, remove));
}

}  // namespace brink::ctl::api
