// /client/v4/accounts/:account/mtls_certificates: authorities whose client certificates are
// trusted, and /client/v4/zones/:zone/certificate_authorities/hostname_associations: by which
// names.
#include <algorithm>

#include "ctl/api/audit.h"
#include "ctl/api/authorize.h"
#include "ctl/api/certificate_input.h"
#include "ctl/api/change.h"
#include "ctl/api/paging.h"
#include "ctl/store/account_certificates.h"
#include "dataplane/secret/wipe.h"

namespace brink::ctl::api {
namespace {

using model::AccountCertificate;
using model::Outcome;
using model::Refusal;
using store::AccountCertificates;

constexpr std::size_t kNameSizeMax = 120;

Json certificate_json(const AccountCertificate& certificate) {
  const model::Certificate& facts = certificate.certificate;
  return {{"id", certificate.id.hex()},
          {"name", certificate.name},
          {"ca", facts.is_authority},
          {"certificates", facts.pem},
          {"issuer", facts.issuer},
          {"serial_number", facts.serial},
          {"signature", facts.signature},
          {"type", "custom"},
          {"uploaded_on", certificate.uploaded_on.rfc3339()},
          {"updated_at", certificate.uploaded_on.rfc3339()},
          {"expires_on", facts.expires_on.rfc3339()}};
}

void audit_certificate(Service& service, const char* action, const AccountCertificate& certificate,
                       const Json& before, const Json& after) {
  audit(service, {certificate.account, action, "mtls_certificate", certificate.id.hex(),
                  certificate.name, before, after});
}

Outcome<AccountCertificate> find(Service& service, const Request& request) {
  const std::string& text = request.parameters.at("ca");
  const auto id = model::Id::parse(text);
  auto found =
      id ? AccountCertificates(service.store).find(account_of(request), *id) : std::nullopt;
  // What Brink made for itself is no certificate that the user manages here.
  if (found && !found->managed) return *std::move(found);
  return no_such_certificate(text);
}

Reply list(Service& service, const Request& request) {
  const auto paging = read_paging(request, kCertificatesPerPage, kCertificatesPerPageMax);
  if (!paging) return refuse(paging.error());
  const auto [first, last] = request.query.equal_range("type");
  const bool wants_custom = first == last || std::any_of(first, last, [](const auto& type) {
                              return type.second.find("custom") != std::string::npos;
                            });
  store::Page<AccountCertificate> page;
  if (wants_custom) {
    page = AccountCertificates(service.store).list(account_of(request), paging.value());
  }
  return page_of(page, paging.value(), certificate_json);
}

Reply show(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  return answer(to_text(certificate_json(found.value())));
}

// Stores nothing.
Outcome<AccountCertificate> read_certificate(Service& service, const model::Id& account,
                                             const Json& body) {
  std::string pem, key;
  const secret::WipedAtEnd wiped(key);
  bool is_authority = false;
  AccountCertificate certificate;
  FieldReader fields(body, Nulls::kRefused);
  fields.text("certificates", pem);
  fields.text("private_key", key);
  fields.text("name", certificate.name);
  fields.flag("ca", is_authority);
  if (fields.fault()) return *fields.fault();
  if (!body.contains("ca")) return wrong_field("ca", "true or false");
  if (certificate.name.size() > kNameSizeMax || !is_printable(certificate.name)) {
    return wrong_field("name", "of at most " + std::to_string(kNameSizeMax) +
                                   " octets, without control characters");
  }
  const bool has_key = body.contains("private_key");
  if (has_key) {
    if (auto fault = missing_key_fault(pem, key)) return *std::move(fault);
  }
  certificate.id = model::Id::random(service.entropy);
  certificate.account = account;
  certificate.uploaded_on = service.clock();
  auto chain = is_authority
                   ? certificate::read_authorities(pem, certificate.uploaded_on)
                   : certificate::read_chain(pem, certificate::Want::kLeaf,
                                             certificate::Order::kSort, certificate.uploaded_on);
  if (!chain) return about_field("certificates", chain.error());
  certificate.certificate = std::move(chain).value();
  if (!has_key) return certificate;
  auto sealed = seal_key(service, certificate.id, certificate.certificate, key);
  if (!sealed) return sealed.error();
  certificate.sealed_key = std::move(sealed).value();
  return certificate;
}

Reply create(Service& service, const Request& request) {
  const KeyBody body(request.body);
  if (!body) return refuse(body.error());
  const model::Id account = account_of(request);
  const auto certificate = read_certificate(service, account, body.value());
  if (!certificate) return refuse(certificate.error());
  AccountCertificates certificates(service.store);
  if (certificates.has(account, certificate.value().certificate.fingerprint)) {
    return refuse(
        {400, model::kCodeCertificateExists, "The account has this very certificate already.", {}});
  }
  if (certificates.count(account) >= model::kAccountCertificatesMax) {
    return refuse({400,
                   model::kCodeCertificateLimit,
                   "An account has at most " + std::to_string(model::kAccountCertificatesMax) +
                       " certificates; delete one first.",
                   {}});
  }
  const Json json = certificate_json(certificate.value());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  certificates.insert(certificate.value());
  audit_certificate(service, "create", certificate.value(), nullptr, json);
  return committed(service, transaction, answer(to_text(json)));
}

Reply remove(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  AccountCertificates certificates(service.store);
  if (const std::uint64_t hosts = certificates.host_count(found.value().id); hosts != 0) {
    return refuse({400,
                   model::kCodeCertificateInUse,
                   std::to_string(hosts) +
                       " host(s) ask for certificates of this authority; take them off its "
                       "hostname_associations first.",
                   {}});
  }
  const Json json = certificate_json(found.value());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  certificates.remove(found.value().id);
  audit_certificate(service, "delete", found.value(), json, nullptr);
  return committed(service, transaction, answer(to_text(json)));
}

// What in this node uses the certificate.
Reply associations(Service& service, const Request& request) {
  const auto found = find(service, request);
  if (!found) return refuse(found.error());
  Json result = Json::array();
  if (AccountCertificates(service.store).host_count(found.value().id) != 0) {
    result.push_back({{"service", "hostname_associations"}, {"status", "active"}});
  }
  return answer(to_text(result));
}

// Of the authority that the text names, or of the managed one if there is none.
Outcome<std::optional<model::Id>> authority_of(Service& service, const model::Zone& zone,
                                               const std::string& id_text) {
  if (id_text.empty()) return std::optional<model::Id>();
  const auto id = model::Id::parse(id_text);
  if (!id) return wrong_field("mtls_certificate_id", kIdForm);
  const auto found = AccountCertificates(service.store).find(zone.account, *id);
  if (!found) return about_field("mtls_certificate_id", no_such_certificate(id_text));
  if (found->managed) return std::optional<model::Id>();
  if (found->certificate.is_authority) return id;
  return Refusal{
      400,
      model::kCodeCertificateInvalid,
      "Field \"mtls_certificate_id\": the certificate " + id_text + " is not one of an authority.",
      {}};
}

Json hosts_json(Service& service, const model::Zone& zone,
                const std::optional<model::Id>& authority) {
  return {{"hostnames", AccountCertificates(service.store).hosts_of(zone.id, authority)}};
}

Reply show_hosts(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto* id = request.query_value("mtls_certificate_id");
  const auto authority = authority_of(service, zone.value(), id == nullptr ? "" : *id);
  if (!authority) return refuse(authority.error());
  return answer(to_text(hosts_json(service, zone.value(), authority.value())));
}

Outcome<std::vector<std::string>> read_hosts(const Json& body, const model::Zone& zone) {
  std::vector<std::string> texts, hosts;
  FieldReader fields(body, Nulls::kRefused);
  fields.texts("hostnames", texts);
  if (fields.fault()) return *fields.fault();
  if (!body.contains("hostnames") || texts.size() > model::kHostsMax) {
    return wrong_field("hostnames",
                       "an array of at most " + std::to_string(model::kHostsMax) + " names");
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto host = model::host_within(texts[i], zone.name, false);
    if (!host) return about_field(item_name("hostnames", i), host.error());
    hosts.push_back(std::move(host).value());
  }
  return hosts;
}

Reply edit_hosts(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  std::string id_text;
  FieldReader fields(body.value(), Nulls::kRefused);
  fields.text("mtls_certificate_id", id_text);
  if (fields.fault()) return refuse(*fields.fault());
  const auto hosts = read_hosts(body.value(), zone.value());
  if (!hosts) return refuse(hosts.error());
  const auto authority = authority_of(service, zone.value(), id_text);
  if (!authority) return refuse(authority.error());
  const Json before = hosts_json(service, zone.value(), authority.value());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  AccountCertificates(service.store).set_hosts(zone.value().id, authority.value(), hosts.value());
  const Json after = hosts_json(service, zone.value(), authority.value());
  audit(service,
        {zone.value().account, "update", "hostname_associations",
         authority.value() ? authority.value()->hex() : zone.value().id.hex(),
         authority.value() ? id_text : "managed", before, after, zone.value().name.text()});
  return committed(service, transaction, answer(to_text(after)));
}

}  // namespace

void add_mtls_certificates(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/accounts/:account/mtls_certificates";
  router.add("GET", all, kAccountSslRead, bound(service, list));
  router.add("POST", all, kAccountSslEdit, bound(service, create));
  router.add("GET", all + "/:ca", kAccountSslRead, bound(service, show));
  router.add("DELETE", all + "/:ca", kAccountSslEdit, bound(service, remove));
  router.add("GET", all + "/:ca/associations", kAccountSslRead, bound(service, associations));
  const std::string hosts = "/client/v4/zones/:zone/certificate_authorities/hostname_associations";
  router.add("GET", hosts, kSslRead, bound(service, show_hosts));
  router.add("PUT", hosts, kSslEdit, bound(service, edit_hosts));
}

}  // namespace brink::ctl::api
