// PATCH of a zone: one of paused, type, vanity_name_servers, plan.
#pragma once

#include "ctl/api/service.h"

namespace brink::ctl::api {

Reply edit_zone(Service& service, const Request& request);

}  // namespace brink::ctl::api
