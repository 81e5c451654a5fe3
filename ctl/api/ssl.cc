// /client/v4/zones/:zone/ssl: whether a zone wants certificates made for it, and which it has.
#include "ctl/api/audit.h"
#include "ctl/api/certificate_input.h"
#include "ctl/api/change.h"
#include "ctl/api/paging.h"

namespace brink::ctl::api {
namespace {

using model::CertificatePurpose;
using model::ZoneCertificate;
using store::ZoneCertificates;

constexpr const char* kNotIssued =
    "No certificates are issued by this node; upload one as a custom certificate.";

constexpr TlsSwitch kUniversal = {&store::ZoneTls::universal, "universal_ssl_settings",
                                  [](Service&, const model::Zone&) { return kNotIssued; }};

Reply show_universal(Service& service, const Request& request) {
  return show_switch(service, request, kUniversal);
}

Reply edit_universal(Service& service, const Request& request) {
  return edit_switch(service, request, kUniversal);
}

// A custom certificate is a pack of its own.
Json pack_json(const ZoneCertificate& certificate, model::Timestamp now) {
  const Json inner = custom_certificate_json(certificate, now);
  return {{"id", inner["id"]},
          {"type", inner["type"]},
          {"hosts", inner["hosts"]},
          {"status", inner["status"]},
          {"primary_certificate", inner["id"]},
          {"certificates", Json::array({inner})}};
}

Reply list_packs(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto paging = read_paging(request, kCertificatesPerPage, kCertificatesPerPageMax);
  if (!paging) return refuse(paging.error());
  store::ZoneCertificateQuery query{.now = service.clock(), .paging = paging.value()};
  const auto* status = request.query_value("status");
  if (status != nullptr && *status != "all") {
    return refuse(bad_parameter("status", *status, "all"));
  }
  if (status == nullptr) query.expired = false;
  const auto page = ZoneCertificates(service.store).list(zone.value().id, query);
  return page_of(page, paging.value(),
                 [&](const auto& each) { return pack_json(each, query.now); });
}

Reply show_pack(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found =
      find_certificate(service, request, zone.value(), CertificatePurpose::kEdge, "custom");
  if (!found) return refuse(found.error());
  return answer(to_text(pack_json(found.value(), service.clock())));
}

Reply order(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return refuse({501, kCodeNotProvided, kNotIssued, {}});
}

}  // namespace

void add_ssl(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/zones/:zone/ssl";
  router.add("GET", all + "/universal/settings", kSslRead, bound(service, show_universal));
  router.add("PATCH", all + "/universal/settings", kSslEdit, bound(service, edit_universal));
  router.add("GET", all + "/certificate_packs", kSslRead, bound(service, list_packs));
  router.add("POST", all + "/certificate_packs", kSslEdit, bound(service, order));
  router.add("POST", all + "/certificate_packs/order", kSslEdit, bound(service, order));
  router.add("GET", all + "/certificate_packs/:custom", kSslRead, bound(service, show_pack));
}

}  // namespace brink::ctl::api
