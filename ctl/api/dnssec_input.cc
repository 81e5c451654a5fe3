#include "ctl/api/dnssec_input.h"

namespace brink::ctl::api {

using dns::dnssec::Algorithm;
using dns::dnssec::Role;
using dns::dnssec::SigningKey;
using model::Refusal;

DnssecChange::DnssecChange(Service& service, model::Zone zone)
    : service_(service),
      change_(service, std::move(zone)),
      keys_(service.store, *service.box, service.settings.dnssec, service.entropy) {}

std::optional<Refusal> DnssecChange::commit(const std::optional<dnssec::ParentFound>& found) {
  const auto advanced = keys_.advance(change_.zone(), change_.now(), found);
  if (!advanced) return Refusal{500, kCodeStoreFailed, advanced.error().message(), {}};
  version_ = change_.commit();
  state_ = dnssec_state(service_.store, change_.zone());
  return std::nullopt;
}

namespace {

Refusal bad_key(const std::string& why) {
  return {400, kCodeDnssecKeyInvalid, "The private key cannot be used: " + why, {}};
}

}  // namespace

model::Outcome<BroughtKey> read_key(const model::Zone& zone, const Json& body) {
  FieldReader reader(body, Nulls::kRefused);
  std::string text, role_text = zone.dnssec.split_keys ? "" : "csk", algorithm_text;
  reader.text("private_key", text);
  reader.text("role", role_text);
  reader.text("algorithm", algorithm_text);
  if (reader.fault()) return *reader.fault();
  const auto role = role_from_text(role_text);
  if (!role) {
    return Refusal{400, kCodeBadBody, "Field \"role\" must be \"csk\", \"ksk\" or \"zsk\".", {}};
  }
  const auto algorithm = algorithm_text.empty()
                             ? dns::dnssec::algorithm_from_number(zone.dnssec.algorithm)
                             : dns::dnssec::algorithm_from_text(algorithm_text);
  if (!algorithm) {
    return Refusal{
        400, kCodeBadBody, "Field \"algorithm\" must be 8, 10, 13, 14 or 15, or its name.", {}};
  }
  if (text.empty()) {
    return Refusal{400, kCodeBadBody, "Field \"private_key\" is missing.", {}};
  }
  const bool is_pem = text.find("-----BEGIN") != std::string::npos;
  auto key =
      is_pem ? SigningKey::from_pem(*algorithm, text) : SigningKey::from_private_key_format(text);
  dns::dnssec::wipe(text);
  if (!key) return bad_key(key.error().message());
  if (!algorithm_text.empty() && key.value().algorithm() != *algorithm) {
    return bad_key("it is not of the algorithm " + algorithm_text + ".");
  }
  return BroughtKey{*role, std::move(key).value()};
}

std::optional<Refusal> signing_fault(const model::Zone& zone) {
  if (zone.dnssec.presigned) {
    return wrong_state(
        "The zone is presigned: it comes with its signatures. Set dnssec_presigned to false first "
        "(brinkctl dnssec presigned ZONE off), which takes those away.");
  }
  if (zone.type == model::ZoneType::kFull) return std::nullopt;
  return wrong_state("A zone of type \"" + std::string(model::to_text(zone.type)) +
                     "\" cannot be signed here; only one of type \"full\" can.");
}

Refusal wrong_state(std::string message) {
  return {400, kCodeDnssecState, std::move(message), {}};
}

}  // namespace brink::ctl::api
