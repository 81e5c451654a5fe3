// The `data` object of record types whose content has several fields.
#pragma once

#include "ctl/api/json_input.h"
#include "ctl/model/record.h"

namespace brink::ctl::api {

// The fields of `record` by name; null when its type has no such object.
Json data_json(const model::Record& record);

// Sets the draft's content, and its priority where the type has one, from `data`.
std::optional<model::Refusal> read_data(const Json& data, model::RecordDraft& draft);

}  // namespace brink::ctl::api
