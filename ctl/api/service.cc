#include "ctl/api/service.h"

#include <spdlog/spdlog.h>

namespace brink::ctl::api {

Router make_router(Service& service) {
  Router router;
  add_zones(router, service);
  add_zone_settings(router, service);
  add_dns_settings(router, service);
  add_plans(router, service);
  // Before the records: "batch", "export", "import", "usage" and "scan" stand where an id stands
  // otherwise.
  add_batch(router, service);
  add_zone_files(router, service);
  add_record_usage(router, service);
  add_dns_records(router, service);
  add_node(router, service);
  add_snapshot(router, service);
  add_history(router, service);
  return router;
}

Reply handle(const Router& router, Request& request) {
  try {
    return router.route(request);
  } catch (const store::Failure& failure) {
    spdlog::error("{} {}: {}", request.method, request.path, failure.what());
    return refuse({500,
                   kCodeStoreFailed,
                   std::string("The record store failed, nothing was changed: ") + failure.what(),
                   {}});
  }
}

}  // namespace brink::ctl::api
