// What a server says of itself, and of who asks it, outside all zones. Hot.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/ip.h"
#include "dns/answer/response.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

struct ServerNames {
  std::string_view identity;  // id.server, hostname.bind
  std::string_view version;   // version.server, version.bind
  std::string_view whoami;    // lower-case wire name
};

// Whether there is something to tell to `query`, of class CHAOS (RFC 4892), whose name starts at
// `name`: false for other names and types, and for what the operator does not want told.
bool knows_chaos(const wire::Query& query, const std::uint8_t* name,
                 const ServerNames& names) noexcept;
// Answers it, with a TXT record.
void answer_chaos(const wire::Query& query, const std::uint8_t* name, const ServerNames& names,
                  Response& response) noexcept;

// Whether `query`, of class IN, is for the name that tells clients who they are.
bool is_whoami(const wire::Query& query, const std::uint8_t* name,
               const ServerNames& names) noexcept;
// Answers it: the client's address as A or AAAA record, or as text, with the node's identity behind;
// nothing for other types. TTL 0, so that no cache answers in our stead.
void answer_whoami(const wire::Query& query, const base::IpAddress& client,
                   const ServerNames& names, Response& response) noexcept;

}  // namespace brink::dns::answer
