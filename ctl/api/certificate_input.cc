#include "ctl/api/certificate_input.h"

#include "ctl/api/audit.h"
#include "ctl/api/change.h"
#include "ctl/certificate/private_key.h"
#include "dataplane/secret/wipe.h"

namespace brink::ctl::api {

using model::Outcome;
using model::Refusal;
using model::ZoneCertificate;

KeyBody::~KeyBody() {
  if (!parsed_) return;
  const auto key = parsed_.value().find("private_key");
  if (key != parsed_.value().end() && key->is_string()) {
    secret::wipe(key->get_ref<std::string&>());
  }
}

std::optional<Refusal> missing_key_fault(const std::string& chain_pem, const std::string& key_pem) {
  if (chain_pem.empty() || chain_pem.size() > model::kCertificatePemMax) return std::nullopt;
  auto fault = certificate::key_size_fault(key_pem);
  if (fault) fault = about_field("private_key", *std::move(fault));
  return fault;
}

Outcome<std::vector<std::uint8_t>> seal_key(Service& service, const model::Id& id,
                                            const model::Certificate& certificate,
                                            const std::string& key_pem) {
  CHECK(service.box != nullptr);
  auto key = certificate::read_key(key_pem, certificate.pem);
  if (!key) return about_field("private_key", key.error());
  auto sealed = service.box->seal(key.value(), model::key_context(id));
  secret::wipe(key.value());
  return sealed;
}

std::string open_key(Service& service, const model::Id& id, std::span<const std::uint8_t> sealed) {
  CHECK(service.box != nullptr);
  auto key = service.box->open(sealed, model::key_context(id));
  if (!key) throw store::Failure(key.error().message());
  return std::move(key).value();
}

certificate::Order order_of(model::BundleMethod method) {
  switch (method) {
    case model::BundleMethod::kUbiquitous:
      return certificate::Order::kSort;
    case model::BundleMethod::kOptimal:
      return certificate::Order::kSortWithoutRoot;
    case model::BundleMethod::kForce:
      return certificate::Order::kAsGiven;
  }
  return certificate::Order::kSort;
}

bool is_expired(const model::Certificate& certificate, model::Timestamp now) {
  return certificate.expires_on <= now;
}

std::optional<Refusal> twice_fault(Service& service, const ZoneCertificate& certificate) {
  if (!store::ZoneCertificates(service.store).has(certificate)) return std::nullopt;
  return Refusal{
      400, model::kCodeCertificateExists, "The zone has this very certificate already.", {}};
}

std::optional<Refusal> room_fault(Service& service, const ZoneCertificate& certificate) {
  const std::uint64_t count =
      store::ZoneCertificates(service.store).count(certificate.zone, certificate.purpose);
  if (count < model::kZoneCertificatesMax) return std::nullopt;
  return Refusal{400,
                 model::kCodeCertificateLimit,
                 "A zone has at most " + std::to_string(model::kZoneCertificatesMax) +
                     " certificates of a kind; delete one first.",
                 {}};
}

Outcome<ZoneCertificate> read_pull_certificate(Service& service, const model::Zone& zone,
                                               const Json& body,
                                               model::CertificatePurpose purpose) {
  std::string pem, key;
  const secret::WipedAtEnd wiped(key);
  FieldReader fields(body, Nulls::kRefused);
  fields.text("certificate", pem);
  fields.text("private_key", key);
  if (fields.fault()) return *fields.fault();
  if (auto fault = missing_key_fault(pem, key)) return *std::move(fault);
  ZoneCertificate certificate;
  certificate.id = model::Id::random(service.entropy);
  certificate.zone = zone.id;
  certificate.purpose = purpose;
  certificate.uploaded_on = certificate.modified_on = service.clock();
  auto chain = certificate::read_chain(pem, certificate::Want::kLeaf, certificate::Order::kSort,
                                       certificate.uploaded_on);
  if (!chain) return about_field("certificate", chain.error());
  certificate.certificate = std::move(chain).value();
  auto sealed = seal_key(service, certificate.id, certificate.certificate, key);
  if (!sealed) return sealed.error();
  certificate.sealed_key = std::move(sealed).value();
  if (auto fault = twice_fault(service, certificate)) return *fault;
  if (auto fault = room_fault(service, certificate)) return *fault;
  return certificate;
}

Outcome<ZoneCertificate> find_certificate(Service& service, const Request& request,
                                          const model::Zone& zone,
                                          model::CertificatePurpose purpose,
                                          const char* parameter) {
  const std::string& text = request.parameters.at(parameter);
  const auto id = model::Id::parse(text);
  auto found =
      id ? store::ZoneCertificates(service.store).find(zone.id, purpose, *id) : std::nullopt;
  if (found) return *std::move(found);
  return no_such_certificate(text);
}

Refusal no_such_certificate(const std::string& id) {
  return {404, model::kCodeNotFound, "There is no certificate with the identifier " + id + ".", {}};
}

Json custom_certificate_json(const ZoneCertificate& certificate, model::Timestamp now) {
  const model::Certificate& facts = certificate.certificate;
  return {{"id", certificate.id.hex()},
          {"type", certificate.is_legacy ? "legacy_custom" : "sni_custom"},
          {"hosts", facts.hosts},
          {"issuer", facts.issuer_name},
          {"signature", facts.signature},
          {"status", is_expired(facts, now) ? "expired" : "active"},
          {"bundle_method", model::to_text(certificate.bundle_method)},
          {"zone_id", certificate.zone.hex()},
          {"uploaded_on", certificate.uploaded_on.rfc3339()},
          {"modified_on", certificate.modified_on.rfc3339()},
          {"expires_on", facts.expires_on.rfc3339()},
          {"priority", certificate.priority}};
}

Reply show_switch(Service& service, const Request& request, const TlsSwitch& which) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto tls = store::ZoneCertificates(service.store).tls(zone.value().id);
  const Json json = {{"enabled", tls.*which.member}};
  return answer(to_text(json));
}

Reply edit_switch(Service& service, const Request& request, const TlsSwitch& which) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto enabled = body.value().find("enabled");
  if (enabled == body.value().end() || !enabled->is_boolean()) {
    return refuse(wrong_field("enabled", "true or false"));
  }
  store::ZoneCertificates certificates(service.store);
  store::ZoneTls tls = certificates.tls(zone.value().id);
  const Json before = {{"enabled", tls.*which.member}};
  tls.*which.member = enabled->get<bool>();
  const Json after = {{"enabled", tls.*which.member}};
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  certificates.set_tls(zone.value().id, tls);
  audit(service, {zone.value().account, "update", which.object, zone.value().id.hex(),
                  zone.value().name.text(), before, after, zone.value().name.text()});
  Reply reply = committed(service, transaction, answer(to_text(after)));
  const char* note = tls.*which.member ? which.note(service, zone.value()) : nullptr;
  if (note != nullptr) reply.envelope.messages.push_back({kCodeCertificateNote, note});
  return reply;
}

}  // namespace brink::ctl::api
