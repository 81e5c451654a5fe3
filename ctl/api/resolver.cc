// /brink/v1/resolver: what names outside the served zones lead to, and what was refused.
#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

const char* to_text(resolve::NameState state) {
  switch (state) {
    case resolve::NameState::kUnknown:
      return "unknown";
    case resolve::NameState::kFresh:
      return "fresh";
    case resolve::NameState::kStale:
      return "stale";
    case resolve::NameState::kFailed:
      return "failed";
  }
  return "";
}

Json addresses_json(const std::vector<base::IpAddress>& addresses) {
  Json list = Json::array();
  for (const auto& address : addresses) list.push_back(std::string(address.text().view()));
  return list;
}

Json status_json(const resolve::ResolverStatus& status) {
  Json names = Json::array();
  for (const auto& name : status.names) {
    names.push_back({{"name", name.resolved.name.text()},
                     {"state", to_text(name.state)},
                     {"addresses", addresses_json(name.resolved.addresses)},
                     {"refused", addresses_json(name.refused)},
                     {"problem", name.problem}});
  }
  const auto& counters = status.counters;
  return {{"names", names},
          {"names_left_out", status.left_out},
          {"counters",
           {{"questions", counters.questions},
            {"answers", counters.answers},
            {"negative", counters.negative},
            {"failures", counters.failures},
            {"stale", counters.stale},
            {"addresses_refused", counters.addresses_refused}}}};
}

}  // namespace

void add_resolver(Router& router, Service& service) {
  router.add("GET", "/brink/v1/resolver", identity::Permission::kNodeRead, [&service](const Request&) {
    Reply reply;
    reply.later = [&service](std::function<void(Reply)> complete) {
      service.resolver_status([complete = std::move(complete)](const auto& status) {
        complete(answer(api::to_text(status_json(status))));
      });
    };
    return reply;
  });
}

}  // namespace brink::ctl::api
