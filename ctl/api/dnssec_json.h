// A zone's DNSSEC as the API shows it.
#pragma once

#include <string_view>

#include "ctl/api/json_input.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {

// In the form that existing DNS clients know. What a zone without a key has not is null.
Json dnssec_json(const DnssecState& state);
// Everything that there is to say, with all keys.
Json dnssec_details_json(const DnssecState& state);
Json dnssec_key_json(const model::Zone& zone, const store::DnssecKey& key);

// "ksk", "zsk", "csk".
std::string_view to_text(dns::dnssec::Role role);
std::optional<dns::dnssec::Role> role_from_text(std::string_view text);

}  // namespace brink::ctl::api
