// /brink/v1/zones/:zone/stapling: what is known of the OCSP responses that a zone's certificates
// are shown with.
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/api/service.h"
#include "ctl/certificate/ocsp.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/zone_certificates.h"

namespace brink::ctl::api {
namespace {

using model::Stapling;

Json time_json(std::int64_t unix_s) {
  constexpr std::int64_t kMicrosPerSecond = 1'000'000;
  if (unix_s == 0 || unix_s == model::kNoLook) return nullptr;
  return model::Timestamp{unix_s * kMicrosPerSecond}.rfc3339();
}

const char* state_of(const Stapling& stapling, const certificate::OcspSubject& subject,
                     std::int64_t now_s) {
  if (subject.responder.empty()) return "none";
  if (stapling.response.empty()) return stapling.fault.empty() ? "pending" : "failed";
  if (stapling.next_update_s <= now_s) return "expired";
  return stapling.status == model::OcspStatus::kRevoked ? "revoked" : "good";
}

Json stapling_json(const model::ZoneCertificate& certificate, const Stapling& stapling,
                   std::int64_t now_s) {
  const auto subject = certificate::ocsp_subject(certificate.certificate.pem);
  return {{"certificate_id", certificate.id.hex()},
          {"status", state_of(stapling, subject, now_s)},
          {"must_staple", subject.must_staple},
          {"responder", subject.responder},
          {"this_update", time_json(stapling.this_update_s)},
          {"next_update", time_json(stapling.next_update_s)},
          {"fetched_on", time_json(stapling.fetched_on_s)},
          {"next_fetch", time_json(stapling.look_on_s)},
          {"failures", stapling.failures},
          {"problem", stapling.fault}};
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const std::int64_t now_s = service.clock().micros / 1'000'000;
  Json result = Json::array();
  store::ZoneCertificates certificates(service.store);
  for (const Stapling& each : store::OcspResponses(service.store).list(zone.value().id)) {
    const auto certificate =
        certificates.find(zone.value().id, model::CertificatePurpose::kEdge, each.certificate);
    if (certificate) result.push_back(stapling_json(*certificate, each, now_s));
  }
  return answer(to_text(result));
}

}  // namespace

void add_stapling(Router& router, Service& service) {
  router.add("GET", "/brink/v1/zones/:zone/stapling", identity::Permission::kSslRead,
             bound(service, show));
}

}  // namespace brink::ctl::api
