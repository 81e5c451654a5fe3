// The `data` object that some record types have in the API, from and to their content.
#pragma once

#include <optional>

#include "ctl/api/json_input.h"
#include "ctl/model/record.h"

namespace brink::ctl::api {

// Null when the record's type has no `data`.
Json data_json(const model::Record& record);

// Puts the content that `data` says into the draft, whose type must be set. A priority that is not
// among `data` is the draft's own.
std::optional<model::Refusal> read_data(const Json& data, model::RecordDraft& draft);

}  // namespace brink::ctl::api
