#include "dataplane/edge/config_value.h"

#include <charconv>

#include "dataplane/ipc/stats_segment.h"
#include "dataplane/snapshot/name.h"

namespace brink::edge {
namespace {

base::Error refuse(const std::string& field, const std::string& text, const std::string& what,
                   const std::string& remedy) {
  return {what, field + " = " + text, remedy};
}

}  // namespace

base::Result<std::uint32_t> parse_number(const std::string& field, const std::string& text,
                                         std::uint32_t least, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return refuse(
        field, text, "not a number in range",
        "give a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

base::Result<bool> parse_bool(const std::string& field, const std::string& text) {
  if (text == "yes") return true;
  if (text == "no") return false;
  return refuse(field, text, "neither yes nor no", "give yes or no");
}

base::Result<base::IpAddress> parse_address(const std::string& field, const std::string& text) {
  const auto address = base::IpAddress::parse(text);
  if (!address) return refuse(field, text, "not an IP address", "give one IPv4 or IPv6 address");
  return *address;
}

base::Result<base::IpAddress> parse_address(const std::string& field, const std::string& text,
                                            bool v4) {
  auto address = parse_address(field, text);
  if (!address || address.value().is_v4() == v4) return address;
  return refuse(field, text, "an address of the other family",
                v4 ? "give an IPv4 address" : "give an IPv6 address");
}

base::Result<exception::InterfaceAddress> parse_interface_address(const std::string& field,
                                                                  const std::string& text,
                                                                  bool v4) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    return refuse(
        field, text, "the prefix length is missing",
        v4 ? "give an address such as 192.0.2.2/28" : "give an address such as 2001:db8::2/64");
  }
  const auto address = parse_address(field, text.substr(0, slash), v4);
  if (!address) return address.error();
  const auto bits = parse_number(field, text.substr(slash + 1), 1, v4 ? 32 : 128);
  if (!bits) return bits.error();
  return exception::InterfaceAddress{address.value(), static_cast<std::uint8_t>(bits.value())};
}

base::Result<base::IpPrefix> parse_prefix(const std::string& field, const std::string& text) {
  const auto prefix = base::IpPrefix::parse(text);
  if (!prefix) {
    return refuse(field, text, "not a network", "give one such as 192.0.2.0/24 or 2001:db8::/32");
  }
  return *prefix;
}

base::Result<std::string> parse_dns_name(const std::string& field, const std::string& text) {
  if (text.empty()) return std::string();
  snapshot::NameKey key;
  if (!snapshot::set_key_from_text(key, {}, text)) {
    return refuse(field, text, "not a domain name", "give one such as whoami.example.net");
  }
  return std::string(reinterpret_cast<const char*>(key.bytes), key.size);
}

base::Result<std::pair<base::IpAddress, net::MacAddress>> parse_neighbour(const std::string& field,
                                                                          const std::string& text) {
  const std::size_t equals = text.find('=');
  const auto address = base::IpAddress::parse(text.substr(0, equals));
  const auto mac =
      equals == std::string::npos ? std::nullopt : net::MacAddress::parse(text.substr(equals + 1));
  if (!address || !mac) {
    return refuse(field, text, "not a neighbour", "give ADDRESS=xx:xx:xx:xx:xx:xx");
  }
  return std::pair{*address, *mac};
}

base::Result<WorkerSpec> parse_worker(const std::string& field, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string roles = colon == std::string::npos ? "" : text.substr(colon + 1);
  WorkerSpec worker;
  if (roles == "dns") worker.roles = ipc::kRoleDns;
  if (roles == "l7") worker.roles = ipc::kRoleL7;
  if (roles == "dns+l7" || roles == "l7+dns") worker.roles = ipc::kRoleDns | ipc::kRoleL7;
  if (worker.roles == 0) {
    return refuse(field, text, "not a worker", "give CPU:ROLES, where ROLES is dns, l7 or dns+l7");
  }
  const auto cpu = parse_number(field, text.substr(0, colon), 0, 1023);
  if (!cpu) return cpu.error();
  worker.cpu = cpu.value();
  return worker;
}

}  // namespace brink::edge
