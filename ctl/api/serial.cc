// /brink/v1/zones/:zone/serial: the serial of a zone's SOA, and how it goes on.
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/api/presigned.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

using model::Refusal;

Json serial_json(const model::Zone& zone) {
  return {{"serial", zone.serial}, {"policy", model::to_text(zone.dns.serial_policy)}};
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(serial_json(zone.value())));
}

// RFC 1982 3.2: secondaries take what is newer, and nothing else.
std::optional<Refusal> serial_fault(const model::Zone& zone, std::uint32_t serial) {
  if (model::is_newer_serial(serial, zone.serial)) return std::nullopt;
  return Refusal{400,
                 kCodeBadBody,
                 "Field \"serial\": " + std::to_string(serial) + " is not newer than " +
                     std::to_string(zone.serial) +
                     " (RFC 1982: up to 2147483647 more, modulo 2^32); secondaries would not take "
                     "the zone.",
                 {}};
}

Reply edit(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  if (auto fault = presigned_fault(zone.value())) return refuse(*fault);
  std::string policy_text(model::to_text(zone.value().dns.serial_policy));
  std::uint32_t serial = zone.value().serial;
  FieldReader reader(body.value(), Nulls::kRefused);
  reader.text("policy", policy_text);
  reader.number("serial", ~std::uint32_t{0}, serial);
  if (reader.fault()) return refuse(*reader.fault());
  const auto policy = model::serial_policy_from_text(policy_text);
  if (!policy) {
    return refuse(
        {400,
         kCodeBadBody,
         "Field \"policy\" must be \"increment\", \"unixtime\", \"dateserial\" or \"keep\".",
         {}});
  }
  const bool sets_serial = body.value().contains("serial");
  if (sets_serial) {
    if (auto fault = serial_fault(zone.value(), serial)) return refuse(*fault);
  }
  if (!sets_serial && *policy == zone.value().dns.serial_policy) {
    return answer(to_text(serial_json(zone.value())));
  }
  Change change(service, std::move(zone).value());
  change.zone().dns.serial_policy = *policy;
  const std::uint64_t version = change.commit(sets_serial ? std::optional(serial) : std::nullopt);
  Reply reply = answer(to_text(serial_json(change.zone())));
  reply.version = version;
  return reply;
}

}  // namespace

void add_serial(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string path = "/brink/v1/zones/:zone/serial";
  router.add("GET", path, kDnsRead, bound(service, show));
  router.add("PATCH", path, kDnsEdit, bound(service, edit));
}

}  // namespace brink::ctl::api
