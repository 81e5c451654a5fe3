// The one plan there is, in the form that clients expect of a list of plans.
#pragma once

#include "ctl/api/json_input.h"

namespace brink::ctl::api {

inline constexpr char kPlanId[] = "brink";

Json plan_json();

}  // namespace brink::ctl::api
