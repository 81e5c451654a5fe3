// Zones to the JSON of the API.
#pragma once

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

Json zone_json(const Settings& settings, const model::Zone& zone);

}  // namespace brink::ctl::api
