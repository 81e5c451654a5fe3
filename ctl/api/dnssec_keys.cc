// /brink/v1/zones/:zone/dnssec: the keys of a zone, their rollovers, and what its parent has.
#include "ctl/api/audit.h"
#include "ctl/api/dnssec_input.h"

namespace brink::ctl::api {
namespace {

using dns::dnssec::Role;
using model::DnssecStatus;
using model::Refusal;
using store::DnssecKey;

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(dnssec_details_json(dnssec_state(service.store, zone.value()))));
}

Reply committed(DnssecChange& change, const std::optional<dnssec::ParentFound>& found = {}) {
  if (auto fault = change.commit(found)) return refuse(*fault);
  Reply reply = answer(to_text(dnssec_details_json(change.state())));
  reply.version = change.version();
  return reply;
}

// Which keys the zone has: an algorithm, and one key for both tasks or two; and whether its NSEC3
// chain leaves delegations out that are not signed.
Reply edit(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  DnssecChange change(service, std::move(zone).value());
  model::ZoneDnssec& dnssec = change.zone().dnssec;
  const model::ZoneDnssec before = dnssec;
  std::string algorithm_text = std::to_string(dnssec.algorithm);
  FieldReader reader(body.value(), Nulls::kRefused);
  reader.text("algorithm", algorithm_text);
  reader.flag("split_keys", dnssec.split_keys);
  reader.flag("opt_out", dnssec.opt_out);
  if (reader.fault()) return refuse(*reader.fault());
  const auto algorithm = dns::dnssec::algorithm_from_text(algorithm_text);
  if (!algorithm) {
    return refuse(
        {400, kCodeBadBody, "Field \"algorithm\" must be 8, 10, 13, 14 or 15, or its name.", {}});
  }
  dnssec.algorithm = static_cast<std::uint8_t>(*algorithm);
  if (dnssec == before) {
    return answer(to_text(dnssec_details_json(dnssec_state(service.store, change.zone()))));
  }
  dnssec.modified_on = change.now();
  return committed(change);
}

Json key_list(const DnssecState& state) {
  Json list = Json::array();
  for (const DnssecKey& key : state.keys) list.push_back(dnssec_key_json(state.zone, key));
  return list;
}

Reply list_keys(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(key_list(dnssec_state(service.store, zone.value()))));
}

// An unsigned zone becomes one for keys like this; in a signed one the key waits for its turn.
void fit_zone(const BroughtKey& brought, model::Zone& zone) {
  if (zone.dnssec.status != DnssecStatus::kDisabled) return;
  zone.dnssec.algorithm = static_cast<std::uint8_t>(brought.key.algorithm());
  zone.dnssec.split_keys = brought.role != Role::kCsk;
}

Reply import_key(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  auto brought = read_key(zone.value(), body.value());
  if (!brought) return refuse(brought.error());
  DnssecChange change(service, std::move(zone).value());
  fit_zone(brought.value(), change.zone());
  const auto id = change.keys().add_spare(change.zone(), brought.value().role, brought.value().key,
                                          change.now());
  if (!id) return refuse({400, kCodeDnssecKeyInvalid, id.error().message(), {}});
  if (auto fault = change.commit()) return refuse(*fault);
  for (const DnssecKey& key : change.state().keys) {
    if (key.id != id.value()) continue;
    Reply reply = answer(to_text(dnssec_key_json(change.zone(), key)));
    reply.version = change.version();
    return reply;
  }
  return refuse({500, kCodeStoreFailed, "The key is not there any more.", {}});
}

Reply remove_key(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const std::string text = request.parameters.at("key");
  const auto id = model::Id::parse(text);
  store::DnssecKeys keys(service.store);
  for (const DnssecKey& key : keys.of(zone.value().id)) {
    if (!id || key.id != *id) continue;
    if (!key.spare) {
      return refuse(wrong_state("The key is in use: it goes at the end of its rollover."));
    }
    store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
    keys.remove(key.id);
    audit(service, {.account = zone.value().account,
                    .action = "delete",
                    .resource_type = "dnssec_key",
                    .resource_id = key.id.hex(),
                    .resource_name = zone.value().name.text(),
                    .before = dnssec_key_json(zone.value(), key),
                    .zone = zone.value().name.text()});
    transaction.commit();
    const Json json = {{"id", key.id.hex()}};
    return answer(to_text(json));
  }
  return refuse(
      {404, model::kCodeNotFound, "There is no key with the identifier " + text + ".", {}});
}

// Starts one as soon as none is running.
Reply roll_over(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const model::ZoneDnssec& dnssec = zone.value().dnssec;
  std::string role_text = dnssec.split_keys ? "" : "csk";
  FieldReader reader(body.value(), Nulls::kRefused);
  reader.text("role", role_text);
  if (reader.fault()) return refuse(*reader.fault());
  const auto role = role_from_text(role_text);
  if (!role || (*role == Role::kCsk) == dnssec.split_keys) {
    return refuse({400,
                   kCodeBadBody,
                   dnssec.split_keys ? "Field \"role\" must be \"ksk\" or \"zsk\"."
                                     : "Field \"role\" must be \"csk\": the zone has one key.",
                   {}});
  }
  if (!dnssec.is_signed() || dnssec.status == DnssecStatus::kPendingDisabled) {
    return refuse(
        wrong_state("The zone is not signed, or leaves DNSSEC: it has no keys to replace."));
  }
  DnssecChange change(service, std::move(zone).value());
  store::DnssecKeys keys(service.store);
  store::DnssecZone state = keys.zone(change.zone().id);
  (*role == Role::kZsk ? state.roll_zsk : state.roll_ksk) = true;
  keys.put(change.zone().id, state);
  return committed(change);
}

// The operator's word for what the parent has, where it cannot be asked.
Reply see_ds(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  DnssecChange change(service, std::move(zone).value());
  auto wanted = change.keys().wanted_ds(change.zone());
  if (!wanted) {
    return refuse(
        wrong_state("The parent is not asked for any DS records now: the zone is not signed, or "
                    "its DNSKEY records have not reached everybody yet."));
  }
  return committed(change, dnssec::ParentFound{std::move(wanted), ""});
}

Reply check(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Reply reply;
  reply.later = [&service, zone = zone.value()](std::function<void(Reply)> complete) {
    service.check_dnssec(zone, [complete =
                                    std::move(complete)](const std::optional<DnssecState>& state) {
      complete(state ? answer(to_text(dnssec_details_json(*state)))
                     : refuse({404, model::kCodeNotFound, "The zone is not there any more.", {}}));
    });
  };
  return reply;
}

}  // namespace

void add_dnssec_keys(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string path = "/brink/v1/zones/:zone/dnssec";
  router.add("GET", path, kDnsRead, bound(service, show));
  router.add("PATCH", path, kDnsEdit, bound(service, edit));
  router.add("GET", path + "/keys", kDnsRead, bound(service, list_keys));
  router.add("POST", path + "/keys", kDnsEdit, bound(service, import_key));
  router.add("DELETE", path + "/keys/:key", kDnsEdit, bound(service, remove_key));
  router.add("POST", path + "/rollover", kDnsEdit, bound(service, roll_over));
  router.add("POST", path + "/ds_seen", kDnsEdit, bound(service, see_ds));
  router.add("POST", path + "/check", kDnsEdit, bound(service, check));
}

}  // namespace brink::ctl::api
