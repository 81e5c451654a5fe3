// /client/v4/zones/:zone/available_plans.
#include "ctl/api/plans.h"

#include "ctl/api/change.h"

namespace brink::ctl::api {
namespace {

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(Json::array({plan_json()})));
}

}  // namespace

Json plan_json() {
  return {{"id", kPlanId},
          {"name", "Brink"},
          {"price", 0},
          {"currency", "USD"},
          {"frequency", ""},
          {"is_subscribed", true},
          {"can_subscribe", false},
          {"legacy_id", "enterprise"},
          {"legacy_discount", false},
          {"externally_managed", false}};
}

void add_plans(Router& router, Service& service) {
  router.add("GET", "/client/v4/zones/:zone/available_plans", identity::Permission::kZoneRead,
             [&service](const Request& request) { return list(service, request); });
}

}  // namespace brink::ctl::api
