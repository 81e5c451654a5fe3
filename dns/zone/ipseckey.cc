#include "dns/zone/ipseckey.h"

#include <arpa/inet.h>

#include <charconv>
#include <optional>
#include <string>

#include "dns/zone/fields.h"
#include "dns/zone/ldns_owner.h"
#include "dns/zone/text.h"

namespace brink::dns::zone {
namespace {

std::optional<std::uint8_t> number_of(std::string_view field) {
  std::uint8_t number = 0;
  const char* const end = field.data() + field.size();
  const auto read = std::from_chars(field.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

template <int kFamily, std::size_t kSize>
const char* append_address(const std::string& text, Wire& rdata, const char* fault) {
  char octets[kSize];
  if (inet_pton(kFamily, text.c_str(), octets) != 1) return fault;
  rdata.append(octets, kSize);
  return nullptr;
}

const char* append_gateway(std::uint8_t type, const std::string& text, const Wire& origin,
                           Wire& rdata) {
  switch (type) {
    case 0:
      return text == "." ? nullptr : "a gateway of type 0 is '.'";
    case 1:
      return append_address<AF_INET, 4>(text, rdata, "a gateway of type 1 is an IPv4 address");
    case 2:
      return append_address<AF_INET6, 16>(text, rdata, "a gateway of type 2 is an IPv6 address");
    case 3: {
      const auto name = name_from_text(text, origin);
      if (!name.ok()) return "a gateway of type 3 is a domain name";
      rdata += name.value();
      return nullptr;
    }
    default:
      return "the gateway's type is 0 to 3";
  }
}

const char* append_key(const std::string& text, Wire& rdata) {
  ldns_rdf* raw = nullptr;
  const auto status = ldns_str2rdf_b64(&raw, text.c_str());
  const Rdf key(raw);
  if (status != LDNS_STATUS_OK || ldns_rdf_size(raw) == 0) return "the key is not base64";
  rdata += wire_of(raw);
  return nullptr;
}

}  // namespace

const char* read_ipseckey(std::string_view fields, const Wire& origin, Wire& rdata) {
  const auto precedence = number_of(next_field(fields));
  const auto gateway_type = number_of(next_field(fields));
  const auto algorithm = number_of(next_field(fields));
  if (!precedence || !gateway_type || !algorithm) {
    return "precedence, gateway type and algorithm are numbers from 0 to 255";
  }
  rdata = {static_cast<char>(*precedence), static_cast<char>(*gateway_type),
           static_cast<char>(*algorithm)};
  const std::string gateway(next_field(fields));
  if (gateway.empty()) return "fields are missing";
  if (const char* fault = append_gateway(*gateway_type, gateway, origin, rdata)) return fault;
  std::string key;
  for (auto part = next_field(fields); !part.empty(); part = next_field(fields)) key += part;
  if (!key.empty()) return append_key(key, rdata);
  return *algorithm == 0 ? nullptr : "the key is missing, which algorithm 0 alone has none of";
}

}  // namespace brink::dns::zone
