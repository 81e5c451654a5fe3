// /client/v4/zones/:zone/client_certificates: client certificates that the account's own authority
// issues for a zone. The authority is made when the first one is asked for.
#include "ctl/store/client_certificates.h"

#include "ctl/api/audit.h"
#include "ctl/api/certificate_input.h"
#include "ctl/api/change.h"
#include "ctl/api/paging.h"
#include "ctl/certificate/authority.h"
#include "ctl/store/account_certificates.h"
#include "dataplane/secret/wipe.h"

namespace brink::ctl::api {
namespace {

using model::AccountCertificate;
using model::ClientCertificate;
using model::Outcome;
using model::Refusal;
using model::Zone;
using store::ClientCertificates;

constexpr char kAuthorityName[] = "Brink managed CA";

Json client_json(const ClientCertificate& client) {
  const model::Certificate& facts = client.certificate;
  const model::Subject& subject = facts.subject;
  return {{"id", client.id.hex()},
          {"certificate_authority", {{"id", client.authority.hex()}, {"name", kAuthorityName}}},
          {"certificate", facts.pem},
          {"csr", client.csr},
          {"common_name", subject.common_name},
          {"organization", subject.organization},
          {"organizational_unit", subject.organizational_unit},
          {"country", subject.country},
          {"state", subject.state},
          {"location", subject.location},
          {"expires_on", facts.expires_on.rfc3339()},
          {"issued_on", client.issued_on.rfc3339()},
          {"fingerprint_sha256", facts.fingerprint},
          {"serial_number", facts.serial},
          {"signature", facts.signature},
          {"ski", facts.key_id},
          {"status", client.revoked ? "revoked" : "active"},
          {"validity_days", client.validity_days}};
}

void audit_client(Service& service, const Zone& zone, const char* action,
                  const ClientCertificate& client, const Json& before, const Json& after) {
  audit(service, {zone.account, action, "client_certificate", client.id.hex(),
                  client.certificate.subject.common_name, before, after, zone.name.text()});
}

Outcome<ClientCertificate> find(Service& service, const Request& request, const Zone& zone) {
  const std::string& text = request.parameters.at("client");
  const auto id = model::Id::parse(text);
  auto found = id ? ClientCertificates(service.store).find(zone.id, *id) : std::nullopt;
  if (found) return *std::move(found);
  return no_such_certificate(text);
}

// Within the transaction that needs it.
AccountCertificate managed_authority(Service& service, const model::Id& account) {
  store::AccountCertificates certificates(service.store);
  if (auto found = certificates.managed(account)) return *std::move(found);
  CHECK(service.box != nullptr);
  AccountCertificate authority;
  authority.id = model::Id::random(service.entropy);
  authority.account = account;
  authority.name = kAuthorityName;
  authority.managed = true;
  authority.uploaded_on = service.clock();
  certificate::NewAuthority made =
      certificate::make_authority(kAuthorityName, service.entropy, authority.uploaded_on);
  authority.certificate = std::move(made.certificate);
  authority.sealed_key = service.box->seal(made.key, model::key_context(authority.id));
  secret::wipe(made.key);
  certificates.insert(authority);
  audit(service, {account, "create", "managed_ca", authority.id.hex(), authority.name, nullptr,
                  Json{{"id", authority.id.hex()},
                       {"certificate", authority.certificate.pem},
                       {"expires_on", authority.certificate.expires_on.rfc3339()}}});
  return authority;
}

// Empty: a status that no certificate has here; otherwise whether the revoked ones are asked for.
Outcome<std::optional<std::optional<bool>>> read_status(const Request& request) {
  using Revoked = std::optional<std::optional<bool>>;
  const auto* status = request.query_value("status");
  if (status == nullptr || *status == "all") return Revoked(std::optional<bool>());
  if (*status == "active" || *status == "revoked") {
    return Revoked(std::optional(*status == "revoked"));
  }
  if (*status == "pending_reactivation" || *status == "pending_revocation") return Revoked();
  return bad_parameter("status", *status,
                       "all, active, revoked, pending_reactivation or pending_revocation");
}

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  for (const char* name : {"limit", "offset"}) {
    if (const auto* text = request.query_value(name)) {
      return refuse(bad_parameter(name, *text, "page and per_page instead"));
    }
  }
  const auto paging = read_paging(request, kCertificatesPerPage, kCertificatesPerPageMax);
  if (!paging) return refuse(paging.error());
  const auto revoked = read_status(request);
  if (!revoked) return refuse(revoked.error());
  store::Page<ClientCertificate> page;
  if (revoked.value()) {
    page =
        ClientCertificates(service.store).list(zone.value().id, *revoked.value(), paging.value());
  }
  return page_of(page, paging.value(), client_json);
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto found = find(service, request, zone.value());
  if (!found) return refuse(found.error());
  return answer(to_text(client_json(found.value())));
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  ClientCertificate client;
  FieldReader fields(body.value());
  fields.text("csr", client.csr);
  fields.number("validity_days", certificate::kValidityDaysMax, client.validity_days);
  if (fields.fault()) return refuse(*fields.fault());
  ClientCertificates clients(service.store);
  if (clients.count(zone.value().id) >= model::kClientCertificatesMax) {
    return refuse({400,
                   model::kCodeCertificateLimit,
                   "A zone has at most " + std::to_string(model::kClientCertificatesMax) +
                       " client certificates.",
                   {}});
  }
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  const AccountCertificate authority = managed_authority(service, zone.value().account);
  std::string key = open_key(service, authority.id, authority.sealed_key);
  client.issued_on = service.clock();
  auto issued = certificate::issue(client.csr, client.validity_days, authority.certificate.pem, key,
                                   service.entropy, client.issued_on);
  secret::wipe(key);
  if (!issued) return refuse(issued.error());
  client.id = model::Id::random(service.entropy);
  client.zone = zone.value().id;
  client.authority = authority.id;
  client.certificate = std::move(issued).value();
  clients.insert(client);
  const Json json = client_json(client);
  audit_client(service, zone.value(), "create", client, nullptr, json);
  return committed(service, transaction, answer(to_text(json)));
}

// Says so when there is nothing to do.
Reply set_revoked(Service& service, const Zone& zone, ClientCertificate client, bool revoked) {
  const Json before = client_json(client);
  const bool is_so = client.revoked == revoked;
  client.revoked = revoked;
  const Json after = client_json(client);
  Reply reply = answer(to_text(after));
  if (is_so) {
    reply.envelope.messages.push_back(
        {kCodeNothingToDo,
         std::string("The certificate is ") + (revoked ? "revoked" : "active") + " already."});
    return reply;
  }
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  ClientCertificates(service.store).set_revoked(client.id, revoked);
  audit_client(service, zone, revoked ? "revoke" : "reactivate", client, before, after);
  return committed(service, transaction, reply);
}

Reply reactivate(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  auto found = find(service, request, zone.value());
  if (!found) return refuse(found.error());
  bool wanted = false;
  FieldReader fields(body.value());
  fields.flag("reactivate", wanted);
  if (fields.fault()) return refuse(*fields.fault());
  if (!wanted) {
    return refuse({400,
                   kCodeBadBody,
                   "Field \"reactivate\" must be true; DELETE revokes a certificate.",
                   {}});
  }
  if (is_expired(found.value().certificate, service.clock())) {
    return refuse(model::invalid_certificate("The certificate has expired; issue another one."));
  }
  return set_revoked(service, zone.value(), std::move(found).value(), false);
}

Reply revoke(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  auto found = find(service, request, zone.value());
  if (!found) return refuse(found.error());
  return set_revoked(service, zone.value(), std::move(found).value(), true);
}

}  // namespace

void add_client_certificates(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string all = "/client/v4/zones/:zone/client_certificates";
  router.add("GET", all, kSslRead, bound(service, list));
  router.add("POST", all, kSslEdit, bound(service, create));
  router.add("GET", all + "/:client", kSslRead, bound(service, show));
  router.add("PATCH", all + "/:client", kSslEdit, bound(service, reactivate));
  router.add("DELETE", all + "/:client", kSslEdit, bound(service, revoke));
}

}  // namespace brink::ctl::api
