// Questions of class CHAOS: what a server says of itself (RFC 4892). Hot.
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/answer/response.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

struct ServerNames {
  std::string_view identity;  // id.server, hostname.bind
  std::string_view version;   // version.server, version.bind
};

// Puts the TXT record that answers `query`, whose name starts at `name`; false where there is
// nothing to tell: no such name, no such type, or the operator does not want it told.
bool answer_chaos(const wire::Query& query, const std::uint8_t* name, const ServerNames& names,
                  Response& response) noexcept;

}  // namespace brink::dns::answer
