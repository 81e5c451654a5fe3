#include "dns/zone/rdata_fault.h"

#include <cstddef>
#include <cstdlib>
#include <string>

#include "dns/zone/fields.h"

namespace brink::dns::zone {
namespace {

constexpr std::size_t kLocSize = 16;  // RFC 1876 2
constexpr std::size_t kUriFixed = 4;  // before the target, which is never empty (RFC 7553 4.4)

// Whether ldns reads the first field as the number 0 of 16 bits.
bool begins_with_zero(std::string_view text) {
  const std::string field(next_field(text));
  char* end = nullptr;
  const auto number = static_cast<std::uint16_t>(std::strtol(field.c_str(), &end, 10));
  return !field.empty() && *end == '\0' && number == 0;
}

}  // namespace

const char* text_fault(std::uint16_t type, std::string_view text) {
  return type == LDNS_RR_TYPE_CERT && begins_with_zero(text) ? "the certificate type 0 is reserved"
                                                             : nullptr;
}

const char* rdata_fault(const ldns_rr* rr) {
  const ldns_rr_type type = ldns_rr_get_type(rr);
  const ldns_rr_descriptor* fields = ldns_rr_descript(type);
  // NULL holds anything (RFC 1035 3.3.10), and nothing is something; the value of CAA may be empty
  // (RFC 8659 4.1), of which ldns makes no field when it reads octets.
  const bool last_may_lack = type == LDNS_RR_TYPE_NULL || type == LDNS_RR_TYPE_CAA;
  if (ldns_rr_rd_count(rr) + last_may_lack < ldns_rr_descriptor_minimum(fields)) {
    return "fields are missing";
  }
  if (type != LDNS_RR_TYPE_NULL && ldns_rr_descriptor_minimum(fields) > 0 && rdata_of(rr).empty()) {
    return "fields are missing";
  }
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(rr, i);
    if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_B64 && ldns_rdf_size(field) == 0) {
      return "a field is not base64";  // which ldns takes for none
    }
  }
  const Wire rdata = rdata_of(rr);
  if (type == LDNS_RR_TYPE_LOC && (rdata.size() != kLocSize || rdata[0] != 0)) {
    return "it is not a location of version 0";
  }
  if (type == LDNS_RR_TYPE_URI && rdata.size() <= kUriFixed) return "the target is empty";
  return nullptr;
}

}  // namespace brink::dns::zone
