// The `data` of a LOC record (RFC 1876) from and to its content.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "ctl/api/json_input.h"
#include "ctl/model/rdata.h"

namespace brink::ctl::api {

Json location_json(std::span<const std::uint8_t> rdata);
// The refusal names the member that is wrong.
std::optional<model::Refusal> read_location(const Json& data, std::string& content);

}  // namespace brink::ctl::api
