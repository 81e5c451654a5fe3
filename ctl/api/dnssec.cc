// /client/v4/zones/:zone/dnssec: whether a zone is signed, and what its parent needs to know.
#include "ctl/api/dnssec_input.h"
#include "ctl/api/presigned.h"

namespace brink::ctl::api {
namespace {

using model::DnssecStatus;
using model::Refusal;
using model::ZoneDnssec;

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(dnssec_json(dnssec_state(service.store, zone.value()))));
}

// What a user asks for is not where the zone is then: see dnssec::ZoneKeys.
std::optional<Refusal> apply_status(const std::string& wanted, model::Zone& zone) {
  const bool is_on = zone.dnssec.status != DnssecStatus::kDisabled &&
                     zone.dnssec.status != DnssecStatus::kPendingDisabled;
  if (wanted == "active") {
    if (auto fault = signing_fault(zone)) return fault;
    if (!is_on) zone.dnssec.status = DnssecStatus::kPending;
    return std::nullopt;
  }
  if (wanted == "disabled") {
    if (is_on) zone.dnssec.status = DnssecStatus::kPendingDisabled;
    return std::nullopt;
  }
  return Refusal{400, kCodeBadBody, "Field \"status\" must be \"active\" or \"disabled\".", {}};
}

// On: for the file that comes next, while there is nothing else. Off: what is left is a zone that
// is not signed.
std::optional<Refusal> apply_presigned(Service& service, bool presigned, model::Zone& zone) {
  if (presigned == zone.dnssec.presigned) return std::nullopt;
  if (!presigned) {
    drop_signatures(service, zone);
    return std::nullopt;
  }
  if (zone.dnssec.status != DnssecStatus::kDisabled) {
    return wrong_state("The zone is signed here: it cannot come with its signatures as well.");
  }
  if (service.store.has_records_within(zone, zone.name)) {
    return wrong_state(
        "The zone has records that nobody has signed. Import the file of the signed zone, which "
        "takes "
        "their place: its form has a field \"presigned\" (brinkctl zone import --presigned).");
  }
  zone.dnssec.presigned = true;
  ++zone.dnssec.signing_set;
  return std::nullopt;
}

std::optional<Refusal> apply(Service& service, const Json& body, model::Zone& zone) {
  const ZoneDnssec& old = zone.dnssec;
  std::string status;
  bool multi_signer = old.multi_signer, presigned = old.presigned;
  bool nsec3 = old.denial == model::ZoneDenial::kNsec3;
  FieldReader reader(body, Nulls::kRefused);
  reader.text("status", status);
  reader.flag("dnssec_multi_signer", multi_signer);
  reader.flag("dnssec_presigned", presigned);
  reader.flag("dnssec_use_nsec3", nsec3);
  if (reader.fault()) return reader.fault();
  if (auto fault = apply_presigned(service, presigned, zone)) return fault;
  if (body.contains("status")) {
    if (auto fault = apply_status(status, zone)) return fault;
  }
  zone.dnssec.multi_signer = multi_signer;
  zone.dnssec.denial = nsec3 ? model::ZoneDenial::kNsec3 : model::ZoneDenial::kNsec;
  return std::nullopt;
}

Reply edit(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  DnssecChange change(service, std::move(zone).value());
  const ZoneDnssec before = change.zone().dnssec;
  if (auto fault = apply(service, body.value(), change.zone())) return refuse(*fault);
  if (before == change.zone().dnssec) {
    return answer(to_text(dnssec_json(dnssec_state(service.store, change.zone()))));
  }
  change.zone().dnssec.modified_on = change.now();
  if (auto fault = change.commit()) return refuse(*fault);
  Reply reply = answer(to_text(dnssec_json(change.state())));
  reply.version = change.version();
  return reply;
}

// The counters go on, whatever the zone has been through.
Reply remove(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  if (zone.value().dnssec.status != DnssecStatus::kDisabled) {
    return refuse(
        wrong_state("The zone is signed, and its keys are needed: set status to \"disabled\", and "
                    "have the DS records removed at the parent."));
  }
  Change change(service, std::move(zone).value());
  ZoneDnssec& dnssec = change.zone().dnssec;
  if (dnssec.presigned) drop_signatures(service, change.zone());
  ZoneDnssec fresh;
  fresh.key_set = dnssec.key_set + 1;
  fresh.signing_set = dnssec.signing_set + 1;
  fresh.modified_on = change.now();
  dnssec = fresh;
  store::DnssecKeys(service.store).forget(change.zone().id);
  Reply reply = answer("\"\"");
  reply.version = change.commit();
  return reply;
}

}  // namespace

void add_dnssec(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string path = "/client/v4/zones/:zone/dnssec";
  router.add("GET", path, kDnsRead, bound(service, show));
  router.add("PATCH", path, kDnsEdit, bound(service, edit));
  router.add("DELETE", path, kDnsEdit, bound(service, remove));
}

}  // namespace brink::ctl::api
