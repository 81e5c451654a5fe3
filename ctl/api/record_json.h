// Records to and from the JSON of the API.
#pragma once

#include "ctl/api/json_input.h"
#include "ctl/model/record.h"
#include "ctl/model/rules.h"
#include "ctl/model/zone.h"

namespace brink::ctl::api {

Json record_json(const model::Rules& rules, const model::Zone& zone, const model::Record& record);

// Writes the members of `object` over `draft`; members that are absent leave it alone, unknown ones
// are ignored. `data`, where a type has it, stands for content (and priority).
std::optional<model::Refusal> read_draft(const Json& object, model::RecordDraft& draft);

}  // namespace brink::ctl::api
