// /client/v4/zones/:zone/custom_certificates: certificates with keys that a user brings along.
#include "ctl/api/audit.h"
#include "ctl/api/certificate_input.h"
#include "ctl/api/change.h"
#include "ctl/api/paging.h"
#include "dataplane/secret/wipe.h"

namespace brink::ctl::api {
namespace {

using model::CertificatePurpose;
using model::Outcome;
using model::Refusal;
using model::Zone;
using model::ZoneCertificate;
using store::ZoneCertificates;

constexpr auto kEdge = CertificatePurpose::kEdge;
constexpr std::uint32_t kPriorityMax = 1'000'000;

// Members whose wish cannot be granted: silence would be a promise.
std::optional<Refusal> unoffered_fault(const Json& body) {
  const auto refuse_member = [](const std::string& member, const std::string& why) {
    return Refusal{501, kCodeNotProvided, "\"" + member + "\" is not provided: " + why + ".", {}};
  };
  for (const char* member : {"geo_restrictions", "policy"}) {
    const auto found = body.find(member);
    if (found != body.end() && !found->is_null()) {
      return refuse_member(member, "a key is on every node of the edge");
    }
  }
  if (const auto csr = body.find("custom_csr_id"); csr != body.end() && !csr->is_null()) {
    return refuse_member("custom_csr_id", "upload the key with the certificate");
  }
  const auto deploy = body.find("deploy");
  if (deploy != body.end() && *deploy != "production") {
    return refuse_member("deploy", "there is production only");
  }
  return std::nullopt;
}

std::optional<Refusal> read_choices(const Json& body, ZoneCertificate& certificate) {
  std::string method(model::to_text(certificate.bundle_method));
  std::string type = certificate.is_legacy ? "legacy_custom" : "sni_custom";
  FieldReader fields(body, Nulls::kRefused);
  fields.text("bundle_method", method);
  fields.text("type", type);
  if (fields.fault()) return fields.fault();
  const auto bundle = model::bundle_method_from_text(method);
  if (!bundle) {
    return wrong_field("bundle_method", "ubiquitous, optimal or force, not " + shown_text(method));
  }
  if (type != "legacy_custom" && type != "sni_custom") {
    return wrong_field("type", "legacy_custom or sni_custom, not " + shown_text(type));
  }
  certificate.bundle_method = *bundle;
  certificate.is_legacy = type == "legacy_custom";
  return unoffered_fault(body);
}

// Takes chain and key into the certificate.
std::optional<Refusal> take_pair(Service& service, const Zone& zone, const std::string& pem,
                                 const std::string& key, ZoneCertificate& certificate) {
  if (auto fault = missing_key_fault(pem, key)) return fault;
  auto chain = certificate::read_chain(
      pem, certificate::Want::kLeaf, order_of(certificate.bundle_method), certificate.modified_on);
  if (!chain) return about_field("certificate", chain.error());
  if (auto fault = model::edge_fault(chain.value(), zone.name)) {
    return about_field("certificate", *std::move(fault));
  }
  auto sealed = seal_key(service, certificate.id, chain.value(), key);
  if (!sealed) return sealed.error();
  certificate.certificate = std::move(chain).value();
  certificate.sealed_key = std::move(sealed).value();
  return twice_fault(service, certificate);
}

void audit_certificate(Service& service, const Zone& zone, const char* action,
                       const ZoneCertificate& certificate, const Json& before, const Json& after) {
  const auto& hosts = certificate.certificate.hosts;
  audit(service, {zone.account, action, "custom_certificate", certificate.id.hex(),
                  hosts.empty() ? "" : hosts.front(), before, after, zone.name.text()});
}

// Empty: the filter asks for a status that no certificate has here.
Outcome<std::optional<store::ZoneCertificateQuery>> read_query(Service& service,
                                                               const Request& request) {
  const auto paging = read_paging(request, kCertificatesPerPage, kCertificatesPerPageMax);
  if (!paging) return paging.error();
  bool match_any = false;
  if (auto fault = read_match(request, match_any)) return *fault;
  store::ZoneCertificateQuery query{.now = service.clock(), .paging = paging.value()};
  const auto* status = request.query_value("status");
  if (status == nullptr) return std::optional(query);
  if (*status == "deleted" || *status == "pending" || *status == "initializing") {
    return std::optional<store::ZoneCertificateQuery>();
  }
  if (*status != "active" && *status != "expired") {
    return bad_parameter("status", *status, "active, expired, deleted, pending or initializing");
  }
  query.expired = *status == "expired";
  return std::optional(query);
}

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto query = read_query(service, request);
  if (!query) return refuse(query.error());
  store::Page<ZoneCertificate> page;
  store::Paging paging{1, kCertificatesPerPage};
  if (query.value()) {
    page = ZoneCertificates(service.store).list(zone.value().id, *query.value());
    paging = query.value()->paging;
  }
  return page_of(page, paging,
                 [&](const auto& each) { return custom_certificate_json(each, service.clock()); });
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found = find_certificate(service, request, zone.value(), kEdge, "custom");
  if (!found) return refuse(found.error());
  return answer(to_text(custom_certificate_json(found.value(), service.clock())));
}

Reply create(Service& service, const Request& request) {
  const KeyBody body(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  std::string pem, key;
  const secret::WipedAtEnd wiped(key);
  FieldReader fields(body.value(), Nulls::kRefused);
  fields.text("certificate", pem);
  fields.text("private_key", key);
  if (fields.fault()) return refuse(*fields.fault());
  ZoneCertificates certificates(service.store);
  ZoneCertificate certificate;
  certificate.id = model::Id::random(service.entropy);
  certificate.zone = zone.value().id;
  certificate.is_legacy = true;
  certificate.uploaded_on = certificate.modified_on = service.clock();
  if (auto fault = read_choices(body.value(), certificate)) return refuse(*fault);
  if (auto fault = take_pair(service, zone.value(), pem, key, certificate)) return refuse(*fault);
  if (certificates.count(zone.value().id, kEdge) >= model::kZoneCertificatesMax) {
    return refuse({400,
                   model::kCodeCertificateLimit,
                   "A zone has at most " + std::to_string(model::kZoneCertificatesMax) +
                       " custom certificates; delete one first.",
                   {}});
  }
  const Json json = custom_certificate_json(certificate, certificate.uploaded_on);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  certificates.insert(certificate);
  audit_certificate(service, zone.value(), "create", certificate, nullptr, json);
  return committed(service, transaction, answer(to_text(json)));
}

// What is not sent stays: a new certificate may go with the key that is there.
std::optional<Refusal> renew(Service& service, const Zone& zone, const Json& body,
                             ZoneCertificate& certificate) {
  std::string pem = certificate.certificate.pem, key;
  const secret::WipedAtEnd wiped(key);
  FieldReader fields(body, Nulls::kRefused);
  fields.text("certificate", pem);
  fields.text("private_key", key);
  if (fields.fault()) return fields.fault();
  if (auto fault = read_choices(body, certificate)) return fault;
  if (!body.contains("private_key")) {
    key = open_key(service, certificate.id, certificate.sealed_key);
  }
  return take_pair(service, zone, pem, key, certificate);
}

Reply edit(Service& service, const Request& request) {
  const KeyBody body(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  auto found = find_certificate(service, request, zone.value(), kEdge, "custom");
  if (!found) return refuse(found.error());
  ZoneCertificate& certificate = found.value();
  const Json before = custom_certificate_json(certificate, service.clock());
  certificate.modified_on = service.clock();
  if (auto fault = renew(service, zone.value(), body.value(), certificate)) return refuse(*fault);
  const Json after = custom_certificate_json(certificate, certificate.modified_on);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ZoneCertificates(service.store).update(certificate);
  audit_certificate(service, zone.value(), "update", certificate, before, after);
  return committed(service, transaction, answer(to_text(after)));
}

Reply remove(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found = find_certificate(service, request, zone.value(), kEdge, "custom");
  if (!found) return refuse(found.error());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ZoneCertificates(service.store).remove(found.value().id);
  audit_certificate(service, zone.value(), "delete", found.value(),
                    custom_certificate_json(found.value(), service.clock()), nullptr);
  return committed(service, transaction, answer(to_text({{"id", found.value().id.hex()}})));
}

struct Priority {
  ZoneCertificate certificate;
  std::uint32_t priority = 0;
};

Outcome<Priority> read_priority(Service& service, const Zone& zone, const Json& item,
                                const std::string& place) {
  std::string id_text;
  Priority wanted;
  if (!item.is_object()) return wrong_field(place, "an object");
  FieldReader fields(item, Nulls::kRefused, place + ".");
  fields.text("id", id_text);
  fields.number("priority", kPriorityMax, wanted.priority);
  if (fields.fault()) return *fields.fault();
  const auto id = model::Id::parse(id_text);
  if (!id) return wrong_field(place + ".id", kIdForm);
  auto found = ZoneCertificates(service.store).find(zone.id, kEdge, *id);
  if (!found) return about_field(place + ".id", no_such_certificate(id_text));
  wanted.certificate = *std::move(found);
  return wanted;
}

// All or nothing.
Reply prioritize(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  FieldReader fields(body.value(), Nulls::kRefused);
  const Json* items = fields.array("certificates");
  if (fields.fault()) return refuse(*fields.fault());
  if (items == nullptr || items->empty()) {
    return refuse(wrong_field("certificates", "an array of certificates"));
  }
  ZoneCertificates certificates(service.store);
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto wanted = read_priority(service, zone.value(), (*items)[i], item_name("certificates", i));
    if (!wanted) return refuse(wanted.error());
    ZoneCertificate& certificate = wanted.value().certificate;
    const Json before = custom_certificate_json(certificate, service.clock());
    certificate.priority = wanted.value().priority;
    certificate.modified_on = service.clock();
    certificates.update(certificate);
    audit_certificate(service, zone.value(), "update", certificate, before,
                      custom_certificate_json(certificate, certificate.modified_on));
  }
  Json result = Json::array();
  const auto page =
      certificates.list(zone.value().id, {.paging = {1, model::kZoneCertificatesMax}});
  for (const auto& each : page.items) {
    result.push_back(custom_certificate_json(each, service.clock()));
  }
  return committed(service, transaction, answer(to_text(result)));
}

}  // namespace

void add_custom_certificates(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/zones/:zone/custom_certificates";
  router.add("GET", all, kSslRead, bound(service, list));
  router.add("POST", all, kSslEdit, bound(service, create));
  router.add("PUT", all + "/prioritize", kSslEdit, bound(service, prioritize));
  router.add("GET", all + "/:custom", kSslRead, bound(service, show));
  router.add("PATCH", all + "/:custom", kSslEdit, bound(service, edit));
  router.add("DELETE", all + "/:custom", kSslEdit, bound(service, remove));
}

}  // namespace brink::ctl::api
