// Policies and conditions in the JSON that API clients and the store have them in.
//
//   {"effect":"allow",
//    "permission_groups":[{"id":"82e6..."} or {"name":"DNS Read"}],
//    "resources":{"com.cloudflare.api.account.zone.<id>":"*",    one zone
//                 "com.cloudflare.api.account.zone.*":"*",       all zones of the token's account
//                 "com.cloudflare.api.account.<id>":"*",         the account and all its zones
//                 "com.cloudflare.api.account.<id>":{"com.cloudflare.api.account.zone.*":"*"},
//                 "com.cloudflare.api.account.*":"*",
//                 "com.cloudflare.api.user.<id>":"*",
//                 "brink.node":"*"}}
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "ctl/identity/token.h"
#include "ctl/model/refusal.h"

namespace brink::ctl::identity {

using Json = nlohmann::ordered_json;

inline constexpr int kCodePolicyInvalid = 1001;
inline constexpr std::size_t kPoliciesMax = 50;
inline constexpr std::size_t kResourcesMax = 1000;  // of one policy
inline constexpr std::size_t kNetworksMax = 100;    // of one list

Json to_json(const std::vector<Policy>& policies);
// Policies without an id get one.
model::Outcome<std::vector<Policy>> policies_from_json(const Json& json,
                                                       const model::Entropy& entropy);

// {"request_ip":{"in":["192.0.2.0/24"],"not_in":[]}}; of no condition, {}.
Json to_json(const ClientCondition& condition);
model::Outcome<ClientCondition> condition_from_json(const Json& json);

}  // namespace brink::ctl::identity
