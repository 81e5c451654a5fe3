// Zones to the JSON of the API.
#pragma once

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

// As the request that is being handled may see it.
Json zone_json(Service& service, const model::Zone& zone);

}  // namespace brink::ctl::api
