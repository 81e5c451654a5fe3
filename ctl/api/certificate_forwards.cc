// /client/v4/zones/:zone/access/certificates/settings: whether the origins of a host are told of
// the certificate that a client has shown.
#include "ctl/store/certificate_forwards.h"
#include "ctl/api/audit.h"
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/model/certificate.h"

namespace brink::ctl::api {
namespace {

using model::HostForward;
using model::Outcome;
using model::Zone;
using store::CertificateForwards;

Json setting_json(const HostForward& forward) {
  return {{"hostname", forward.host},
          {"china_network", false},
          {"client_certificate_forwarding", forward.forwards}};
}

Json settings_json(Service& service, const Zone& zone) {
  Json settings = Json::array();
  for (const auto& each : CertificateForwards(service.store).list(zone.id)) {
    settings.push_back(setting_json(each));
  }
  return settings;
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(settings_json(service, zone.value())));
}

Outcome<HostForward> read_setting(const Zone& zone, const Json& item, const std::string& place) {
  if (!item.is_object()) return wrong_field(place, "an object");
  std::string host_text;
  bool is_in_china = false;
  HostForward wanted;
  FieldReader fields(item, Nulls::kRefused, place + ".");
  fields.text("hostname", host_text);
  fields.flag("china_network", is_in_china);
  fields.flag("client_certificate_forwarding", wanted.forwards);
  if (fields.fault()) return *fields.fault();
  if (is_in_china) {
    return model::Refusal{
        501, kCodeNotProvided, "\"china_network\" is not provided: there is one network.", {}};
  }
  if (!item.contains("client_certificate_forwarding")) {
    return wrong_field(place + ".client_certificate_forwarding", "true or false");
  }
  auto host = model::host_within(host_text, zone.name, true);
  if (!host) return about_field(place + ".hostname", host.error());
  wanted.host = std::move(host).value();
  return wanted;
}

Outcome<std::vector<HostForward>> read_settings(const Zone& zone, const Json& body) {
  FieldReader fields(body, Nulls::kRefused);
  const Json* items = fields.array("settings");
  if (fields.fault()) return *fields.fault();
  if (items == nullptr || items->empty() || items->size() > model::kHostsMax) {
    return wrong_field("settings",
                       "an array of 1 to " + std::to_string(model::kHostsMax) + " hosts");
  }
  std::vector<HostForward> wanted;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto setting = read_setting(zone, (*items)[i], item_name("settings", i));
    if (!setting) return setting.error();
    wanted.push_back(std::move(setting).value());
  }
  return wanted;
}

// All or nothing; what is not named stays.
Reply edit(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto wanted = read_settings(zone.value(), body.value());
  if (!wanted) return refuse(wanted.error());
  const Json before = {{"settings", settings_json(service, zone.value())}};
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  CertificateForwards forwards(service.store);
  for (const HostForward& each : wanted.value()) forwards.put(zone.value().id, each);
  const Json after = {{"settings", settings_json(service, zone.value())}};
  audit(service, {zone.value().account, "update", "certificate_forwarding", zone.value().id.hex(),
                  zone.value().name.text(), before, after, zone.value().name.text()});
  return committed(service, transaction, answer(to_text(after["settings"])));
}

}  // namespace

void add_certificate_forwards(Router& router, Service& service) {
  using enum identity::Permission;
  const std::string settings = "/client/v4/zones/:zone/access/certificates/settings";
  router.add("GET", settings, kSslRead, bound(service, show));
  router.add("PUT", settings, kSslEdit, bound(service, edit));
}

}  // namespace brink::ctl::api
