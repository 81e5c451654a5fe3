// The DNS settings of a zone, in the form of the API, and what a new zone starts with.
#pragma once

#include <optional>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

Json dns_settings_json(const Settings& settings, const model::Zone& zone);

// Takes the members that `body` has into the zone; the refusal names the one that is wrong, and the
// zone is of no use then.
std::optional<model::Refusal> apply_dns_settings(const Settings& settings, const Json& body,
                                                 model::Zone& zone);

// A new zone, which has its id, name and account: the node's sets of name servers and addresses that it is
// assigned (others than before, where there are several and it comes back), and what the account
// says about all zones and about new ones.
void prepare_new_zone(Service& service, model::Zone& zone);

}  // namespace brink::ctl::api
