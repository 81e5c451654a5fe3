// Look-ups: the hot part.
#include "l7/country/database.h"

#include <netinet/in.h>

#include <cstring>
#include <optional>

#include "l7/country/record.h"

namespace brink::l7::country {
namespace {

using Path = const char* const[];

// In order of preference. Databases of other makers have the code without a map around it.
constexpr Path kCountry = {"country", "iso_code", nullptr};
constexpr Path kRegistered = {"registered_country", "iso_code", nullptr};
constexpr Path kPlainCode = {"country_code", nullptr};
constexpr Path kPlain = {"country", nullptr};
constexpr Path kTorExit = {"traits", "is_tor_exit_node", nullptr};

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool get(MMDB_entry_s entry, const char* const* path, MMDB_entry_data_s& data) noexcept {
  return MMDB_aget_value(&entry, &data, path) == MMDB_SUCCESS && data.has_data;
}

}  // namespace

std::optional<Code> code_in(MMDB_entry_s entry) noexcept {
  MMDB_entry_data_s data;
  if (get(entry, kTorExit, data) && data.type == MMDB_DATA_TYPE_BOOLEAN && data.boolean) {
    return kTor;
  }
  for (const char* const* path : {kCountry, kRegistered, kPlainCode, kPlain}) {
    if (!get(entry, path, data) || data.type != MMDB_DATA_TYPE_UTF8_STRING) continue;
    if (data.data_size != 2) continue;
    const Code code{{data.utf8_string[0], data.utf8_string[1]}};
    if (is_letter_or_digit(code.letters[0]) && is_letter_or_digit(code.letters[1])) return code;
  }
  return {};
}

Code Database::find(const base::IpAddress& address) const noexcept {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } socket_address;
  std::memset(&socket_address, 0, sizeof socket_address);
  if (address.is_v4()) {
    socket_address.v4.sin_family = AF_INET;
    std::memcpy(&socket_address.v4.sin_addr, address.v4_wire(), 4);
  } else {
    socket_address.v6.sin6_family = AF_INET6;
    std::memcpy(&socket_address.v6.sin6_addr, address.bytes().data(), address.bytes().size());
  }
  int error = MMDB_SUCCESS;
  const MMDB_lookup_result_s found = MMDB_lookup_sockaddr(file_.get(), &socket_address.any, &error);
  if (error != MMDB_SUCCESS || !found.found_entry) return kUnknown;
  return code_in(found.entry).value_or(kUnknown);
}

}  // namespace brink::l7::country
