#include "ctl/daemon/route_table.h"

#include "ctl/api/service.h"

namespace brink::ctl::daemon {
namespace {

std::string access_text(const api::Access& access) {
  switch (access.kind) {
    case api::Access::Kind::kPublic:
      return "public";
    case api::Access::Kind::kAuthenticated:
      return "known";
    case api::Access::Kind::kPermission:
      return std::string(identity::group_of(access.permission).name);
  }
  return {};
}

// "/zones/:zone" as "/zones/{zone}".
std::string path_text(const std::vector<std::string>& segments) {
  std::string text;
  for (const std::string& segment : segments) {
    const bool is_variable = segment.front() == ':';
    text += '/';
    text += is_variable ? "{" + segment.substr(1) + "}" : segment;
  }
  return text;
}

}  // namespace

// Handlers are bound to a service, which none of them is asked for here.
base::Result<std::string> route_table() {
  const auto store = store::Store::open(":memory:", store::Access::kReadWrite);
  if (!store) return store.error();
  const api::Settings settings;
  api::Service service{
      *store.value(), settings, model::system_entropy(), model::system_wall_clock(), {}, {}, {}};
  const api::Router router = api::make_router(service);
  std::string text;
  for (const api::Route& route : router.routes()) {
    text += route.method + " " + path_text(route.segments) + " " + access_text(route.access) + "\n";
  }
  return text;
}

}  // namespace brink::ctl::daemon
