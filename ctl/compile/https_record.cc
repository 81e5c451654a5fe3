#include "ctl/compile/https_record.h"

#include <string_view>

namespace brink::ctl::compile {
namespace {

using dns::zone::Wire;

// RFC 9460 14.3.2
constexpr std::uint16_t kAlpn = 1, kIpv4Hint = 4, kIpv6Hint = 6;
constexpr std::uint16_t kPriority = 1;  // 0 would be an alias

void add_u16(Wire& wire, std::size_t value) {
  wire += static_cast<char>(value >> 8);
  wire += static_cast<char>(value);
}

void add_parameter(Wire& wire, std::uint16_t key, const Wire& value) {
  if (value.empty()) return;
  add_u16(wire, key);
  add_u16(wire, value.size());
  wire += value;
}

void add_protocol(Wire& wire, std::string_view name) {
  wire += static_cast<char>(name.size());
  wire += name;
}

}  // namespace

Wire https_rdata(const HttpsRecord& record) {
  Wire protocols, v4, v6;
  if (record.http2) add_protocol(protocols, "h2");
  add_protocol(protocols, "http/1.1");
  for (const base::IpAddress& address : record.hints) {
    if (address.is_v4()) {
      v4.append(reinterpret_cast<const char*>(address.v4_wire()), 4);
    } else {
      v6.append(reinterpret_cast<const char*>(address.bytes().data()), address.bytes().size());
    }
  }
  Wire rdata;
  add_u16(rdata, kPriority);
  rdata += '\0';  // TargetName ".": the owner
  add_parameter(rdata, kAlpn, protocols);
  add_parameter(rdata, kIpv4Hint, v4);
  add_parameter(rdata, kIpv6Hint, v6);
  return rdata;
}

}  // namespace brink::ctl::compile
