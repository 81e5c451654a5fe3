// Whether a request's principal may use the route that it found.
//
// Nothing of other accounts shows: a zone or account on which the caller has no permission at all
// is answered like one that is not there (404, 7003). Of what the caller does see, a permission
// that is missing is named: 403 with 10000, or 1009 (DNS Write), or 0 (lists), which clients give
// hints for.
#pragma once

#include "ctl/api/router.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

// Empty: it may.
std::optional<model::Refusal> authorize(Service& service, const Route& route,
                                        const Request& request);

// Whether there is such an account and the principal belongs to it.
bool sees_account(Service& service, const identity::Principal& principal, const model::Id& account);

model::Refusal denied(identity::Permission permission);
model::Refusal no_such_zone(const std::string& id);
model::Refusal no_such_account(const std::string& id);

// The account that a request's path names, which authorize() has seen.
model::Id account_of(const Request& request);

}  // namespace brink::ctl::api
