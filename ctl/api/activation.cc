// /client/v4/zones/:zone/activation_check and /brink/v1/zones/:zone/activation: whether the parent
// delegates a zone to its name servers.
#include "ctl/store/activation.h"
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

Json state_json(const ActivationState& state) {
  const auto& activation = state.activation;
  Json checked_on = nullptr;
  if (activation.checked_on) checked_on = activation.checked_on->rfc3339();
  return {{"id", state.zone.id.hex()},
          {"status", model::to_text(state.zone.status)},
          {"activation",
           {{"checked_on", checked_on},
            {"result", activation.result},
            {"failures", activation.failures},
            {"forced", activation.forced}}}};
}

Reply gone() {
  return refuse({404, model::kCodeNotFound, "The zone is not there any more.", {}});
}

// The answer comes when the parent has been asked.
Reply check(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Reply reply;
  reply.later = [&service, zone = zone.value()](std::function<void(Reply)> complete) {
    service.check_activation(
        zone, [complete = std::move(complete)](const std::optional<ActivationState>& state) {
          complete(state ? answer(to_text(state_json(*state))) : gone());
        });
  };
  return reply;
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  auto activation = store::Activations(service.store).find(zone.value().id);
  if (!activation) return gone();
  return answer(to_text(state_json({zone.value(), *std::move(activation)})));
}

}  // namespace

void add_activation(Router& router, Service& service) {
  router.add("PUT", "/client/v4/zones/:zone/activation_check", identity::Permission::kZoneEdit,
             bound(service, check));
  router.add("GET", "/brink/v1/zones/:zone/activation", identity::Permission::kZoneRead,
             bound(service, show));
}

}  // namespace brink::ctl::api
