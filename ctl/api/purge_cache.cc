// /client/v4/zones/:zone/purge_cache. There is no cache: a success would be a lie that leaves old
// content where its owner believes that it is gone, as soon as there is one.
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

Reply purge(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return refuse(
      {501, kCodeNotProvided, "Nothing is cached by this node, so that nothing was purged.", {}});
}

}  // namespace

void add_purge_cache(Router& router, Service& service) {
  router.add("POST", "/client/v4/zones/:zone/purge_cache", identity::Permission::kCachePurge,
             bound(service, purge));
}

}  // namespace brink::ctl::api
