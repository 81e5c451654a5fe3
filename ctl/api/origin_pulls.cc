// /client/v4/zones/:zone/origin_tls_client_auth: authenticated origin pulls. What an edge shows to
// an origin as its client certificate is decided by the name, else by the zone, else by the zone
// setting tls_client_auth.
#include "ctl/api/audit.h"
#include "ctl/api/certificate_input.h"
#include "ctl/api/change.h"

namespace brink::ctl::api {
namespace {

using model::CertificatePurpose;
using model::HostPull;
using model::Outcome;
using model::Refusal;
using model::Zone;
using model::ZoneCertificate;
using store::ZoneCertificates;

// The two levels that have certificates of their own.
struct Level {
  CertificatePurpose purpose;
  const char* parameter;      // of the path
  const char* resource_type;  // in the audit log
};
constexpr Level kOfZone = {CertificatePurpose::kZonePull, "pull", "origin_pull_certificate"};
constexpr Level kOfHosts = {CertificatePurpose::kHostPull, "host_pull",
                            "origin_pull_host_certificate"};

Json certificate_json(Service& service, const ZoneCertificate& certificate,
                      const char* status = "active") {
  const model::Certificate& facts = certificate.certificate;
  Json json = {{"id", certificate.id.hex()},
               {"certificate", facts.pem},
               {"issuer", facts.issuer},
               {"signature", facts.signature},
               {"serial_number", facts.serial},
               {"status", status},
               {"expires_on", facts.expires_on.rfc3339()},
               {"uploaded_on", certificate.uploaded_on.rfc3339()}};
  if (certificate.purpose == CertificatePurpose::kZonePull) {
    json["enabled"] = ZoneCertificates(service.store).tls(certificate.zone).origin_pulls;
  }
  return json;
}

void audit_certificate(Service& service, const Zone& zone, const Level& level, const char* action,
                       const ZoneCertificate& certificate, const Json& before, const Json& after) {
  audit(service, {zone.account, action, level.resource_type, certificate.id.hex(),
                  certificate.certificate.subject.common_name, before, after, zone.name.text()});
}

Reply list_of(Service& service, const Request& request, const Level& level) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto page = ZoneCertificates(service.store)
                        .list(zone.value().id, {.purpose = level.purpose,
                                                .paging = {1, model::kZoneCertificatesMax}});
  Json result = Json::array();
  for (const auto& each : page.items) result.push_back(certificate_json(service, each));
  return answer(to_text(result));
}

Reply show_of(Service& service, const Request& request, const Level& level) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found =
      find_certificate(service, request, zone.value(), level.purpose, level.parameter);
  if (!found) return refuse(found.error());
  return answer(to_text(certificate_json(service, found.value())));
}

Reply create_of(Service& service, const Request& request, const Level& level) {
  const KeyBody body(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto certificate =
      read_pull_certificate(service, zone.value(), body.value(), level.purpose);
  if (!certificate) return refuse(certificate.error());
  const Json json = certificate_json(service, certificate.value());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ZoneCertificates(service.store).insert(certificate.value());
  audit_certificate(service, zone.value(), level, "create", certificate.value(), nullptr, json);
  return committed(service, transaction, answer(to_text(json)));
}

std::optional<Refusal> in_use_fault(Service& service, const ZoneCertificate& certificate) {
  const auto hosts = ZoneCertificates(service.store).hosts_with(certificate.id);
  if (hosts.empty()) return std::nullopt;
  return Refusal{400,
                 model::kCodeCertificateInUse,
                 "The certificate is used for " + std::to_string(hosts.size()) +
                     " host(s), among them " + hosts.front() +
                     "; give them another one or enabled null first.",
                 {}};
}

Reply remove_of(Service& service, const Request& request, const Level& level) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found =
      find_certificate(service, request, zone.value(), level.purpose, level.parameter);
  if (!found) return refuse(found.error());
  if (auto fault = in_use_fault(service, found.value())) return refuse(*fault);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ZoneCertificates(service.store).remove(found.value().id);
  audit_certificate(service, zone.value(), level, "delete", found.value(),
                    certificate_json(service, found.value()), nullptr);
  return committed(service, transaction, answer(to_text(certificate_json(service, found.value(), "deleted"))));
}

constexpr TlsSwitch kPulls = {
    &store::ZoneTls::origin_pulls, "origin_pull_settings",
    [](Service& service, const Zone& zone) -> const char* {
      const bool any =
          ZoneCertificates(service.store).count(zone.id, CertificatePurpose::kZonePull) != 0;
      return any ? nullptr : "The zone has no certificate to show to origins; upload one.";
    }};

Reply show_settings(Service& service, const Request& request) {
  return show_switch(service, request, kPulls);
}

Reply edit_settings(Service& service, const Request& request) {
  return edit_switch(service, request, kPulls);
}

Json pull_json(const HostPull& pull, const ZoneCertificate& certificate,
               const char* status = "active") {
  const model::Certificate& facts = certificate.certificate;
  return {{"hostname", pull.host},
          {"cert_id", pull.certificate.hex()},
          {"enabled", pull.enabled},
          {"status", status},
          {"created_at", pull.created_on.rfc3339()},
          {"updated_at", pull.updated_on.rfc3339()},
          {"cert_status", "active"},
          {"cert_uploaded_on", certificate.uploaded_on.rfc3339()},
          {"cert_updated_at", certificate.modified_on.rfc3339()},
          {"certificate", facts.pem},
          {"issuer", facts.issuer},
          {"serial_number", facts.serial},
          {"signature", facts.signature},
          {"expires_on", facts.expires_on.rfc3339()}};
}

// What there is about a host that shows a certificate; its certificate is there as long as it is.
Json stored_pull_json(Service& service, const Zone& zone, const HostPull& pull) {
  const auto certificate = ZoneCertificates(service.store)
                               .find(zone.id, CertificatePurpose::kHostPull, pull.certificate);
  CHECK(certificate.has_value());
  return pull_json(pull, *certificate);
}

Reply show_host(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const std::string& text = request.parameters.at("hostname");
  const auto host = model::host_within(text, zone.value().name, false);
  if (!host) return refuse(host.error());
  const auto pull = ZoneCertificates(service.store).host_pull(zone.value().id, host.value());
  if (pull) return answer(to_text(stored_pull_json(service, zone.value(), *pull)));
  return refuse({404,
                 model::kCodeNotFound,
                 "The host " + host.value() + " has no origin pull settings of its own.",
                 {}});
}

struct WantedPull {
  std::string host;
  std::optional<bool> enabled;                 // none: the host follows the zone again
  std::optional<ZoneCertificate> certificate;  // none: the one it has
};

Outcome<WantedPull> read_pull(Service& service, const Zone& zone, const Json& item,
                              const std::string& place) {
  if (!item.is_object()) return wrong_field(place, "an object");
  std::string host_text, id_text;
  FieldReader fields(item, Nulls::kRefused, place + ".");
  fields.text("hostname", host_text);
  fields.text("cert_id", id_text);
  if (fields.fault()) return *fields.fault();
  auto host = model::host_within(host_text, zone.name, false);
  if (!host) return about_field(place + ".hostname", host.error());
  WantedPull wanted{std::move(host).value(), std::nullopt, std::nullopt};
  const auto enabled = item.find("enabled");
  if (enabled == item.end() || (!enabled->is_boolean() && !enabled->is_null())) {
    return wrong_field(place + ".enabled", "true, false or null");
  }
  if (enabled->is_boolean()) wanted.enabled = enabled->get<bool>();
  if (id_text.empty()) return wanted;
  const auto id = model::Id::parse(id_text);
  if (!id) return wrong_field(place + ".cert_id", kIdForm);
  wanted.certificate =
      ZoneCertificates(service.store).find(zone.id, CertificatePurpose::kHostPull, *id);
  if (!wanted.certificate) return about_field(place + ".cert_id", no_such_certificate(id_text));
  return wanted;
}

void audit_host(Service& service, const Zone& zone, const std::string& host, const Json& before,
                const Json& after) {
  const char* action = before.is_null() ? "create" : after.is_null() ? "delete" : "update";
  audit(service,
        {zone.account, action, "origin_pull_host", host, host, before, after, zone.name.text()});
}

// What became of the host.
Outcome<Json> apply_pull(Service& service, const Zone& zone, const WantedPull& wanted) {
  ZoneCertificates certificates(service.store);
  const auto former = certificates.host_pull(zone.id, wanted.host);
  const Json before = former ? stored_pull_json(service, zone, *former) : Json(nullptr);
  if (!wanted.enabled) {
    if (!former) {
      return Refusal{404,
                     model::kCodeNotFound,
                     "The host " + wanted.host + " has no origin pull settings of its own.",
                     {}};
    }
    certificates.remove_host_pull(zone.id, wanted.host);
    audit_host(service, zone, wanted.host, before, nullptr);
    Json json = before;
    json["enabled"] = nullptr;
    json["status"] = "deleted";
    return json;
  }
  if (!former && !wanted.certificate) {
    return Refusal{400, kCodeBadBody, "The host " + wanted.host + " needs a \"cert_id\".", {}};
  }
  HostPull pull = former.value_or(HostPull{});
  pull.host = wanted.host;
  pull.enabled = *wanted.enabled;
  pull.updated_on = service.clock();
  if (!former) pull.created_on = pull.updated_on;
  if (wanted.certificate) pull.certificate = wanted.certificate->id;
  certificates.put_host_pull(zone.id, pull);
  Json after = stored_pull_json(service, zone, pull);
  audit_host(service, zone, wanted.host, before, after);
  return after;
}

// All or nothing.
Reply edit_hosts(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  FieldReader fields(body.value(), Nulls::kRefused);
  const Json* items = fields.array("config");
  if (fields.fault()) return refuse(*fields.fault());
  if (items == nullptr || items->empty() || items->size() > model::kHostsMax) {
    return refuse(
        wrong_field("config", "an array of 1 to " + std::to_string(model::kHostsMax) + " hosts"));
  }
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  Json result = Json::array();
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string place = item_name("config", i);
    const auto wanted = read_pull(service, zone.value(), (*items)[i], place);
    if (!wanted) return refuse(wanted.error());
    auto done = apply_pull(service, zone.value(), wanted.value());
    if (!done) return refuse(about_field(place, done.error()));
    result.push_back(std::move(done).value());
  }
  return committed(service, transaction, answer(to_text(result)));
}

template <Reply (*handler)(Service&, const Request&, const Level&), const Level& level>
Reply at(Service& service, const Request& request) {
  return handler(service, request, level);
}

}  // namespace

void add_origin_pulls(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/zones/:zone/origin_tls_client_auth";
  const std::string of_hosts = all + "/hostnames/certificates";
  router.add("GET", all + "/settings", kSslRead, bound(service, show_settings));
  router.add("PUT", all + "/settings", kSslEdit, bound(service, edit_settings));
  router.add("GET", of_hosts, kSslRead, bound(service, at<list_of, kOfHosts>));
  router.add("POST", of_hosts, kSslEdit, bound(service, at<create_of, kOfHosts>));
  router.add("GET", of_hosts + "/:host_pull", kSslRead, bound(service, at<show_of, kOfHosts>));
  router.add("DELETE", of_hosts + "/:host_pull", kSslEdit, bound(service, at<remove_of, kOfHosts>));
  router.add("PUT", all + "/hostnames", kSslEdit, bound(service, edit_hosts));
  router.add("GET", all + "/hostnames/:hostname", kSslRead, bound(service, show_host));
  router.add("GET", all, kSslRead, bound(service, at<list_of, kOfZone>));
  router.add("POST", all, kSslEdit, bound(service, at<create_of, kOfZone>));
  router.add("GET", all + "/:pull", kSslRead, bound(service, at<show_of, kOfZone>));
  router.add("DELETE", all + "/:pull", kSslEdit, bound(service, at<remove_of, kOfZone>));
}

}  // namespace brink::ctl::api
