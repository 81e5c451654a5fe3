// Values of settings: text to typed value, or an Error that names the field, the value and the
// remedy. Cold.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "dataplane/base/ip_prefix.h"
#include "dataplane/base/result.h"
#include "dataplane/edge/config.h"

namespace brink::edge {

// All take the setting's name for their errors.
base::Result<std::uint32_t> parse_number(const std::string& field, const std::string& text,
                                         std::uint32_t least, std::uint32_t most);
base::Result<bool> parse_bool(const std::string& field, const std::string& text);
base::Result<base::IpAddress> parse_address(const std::string& field, const std::string& text);
// Of the family that the field asks for.
base::Result<base::IpAddress> parse_address(const std::string& field, const std::string& text,
                                            bool v4);
// ADDRESS/BITS of the family that the field asks for.
base::Result<exception::InterfaceAddress> parse_interface_address(const std::string& field,
                                                                  const std::string& text, bool v4);
// ADDRESS/BITS, or an address alone.
base::Result<base::IpPrefix> parse_prefix(const std::string& field, const std::string& text);
// A host name to its lower-case wire form; empty stays empty.
base::Result<std::string> parse_dns_name(const std::string& field, const std::string& text);
// ADDRESS=MAC
base::Result<std::pair<base::IpAddress, net::MacAddress>> parse_neighbour(const std::string& field,
                                                                          const std::string& text);
// CPU:ROLES with ROLES one of dns, l7, dns+l7
base::Result<WorkerSpec> parse_worker(const std::string& field, const std::string& text);

}  // namespace brink::edge
