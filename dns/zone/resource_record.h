// A resource record as the cold side holds it: octets in wire form, no compression.
#pragma once

#include <cstdint>
#include <string>

namespace brink::dns::zone {

// Octets in wire form (a name, record data). std::string for its short-string storage and ordering.
using Wire = std::string;

struct ResourceRecord {
  Wire owner;  // uncompressed, case as given
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;  // seconds, RFC 2181 8
  Wire rdata;             // uncompressed
};

// The types that some rule names; every other type is handled generically (RFC 3597).
inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeNs = 2;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeSoa = 6;
inline constexpr std::uint16_t kTypePtr = 12;
inline constexpr std::uint16_t kTypeMx = 15;
inline constexpr std::uint16_t kTypeTxt = 16;
inline constexpr std::uint16_t kTypeAaaa = 28;
inline constexpr std::uint16_t kTypeSrv = 33;
inline constexpr std::uint16_t kTypeDname = 39;
inline constexpr std::uint16_t kTypeDs = 43;
inline constexpr std::uint16_t kTypeRrsig = 46;
inline constexpr std::uint16_t kTypeNsec = 47;
inline constexpr std::uint16_t kTypeDnskey = 48;
inline constexpr std::uint16_t kTypeNsec3 = 50;
inline constexpr std::uint16_t kTypeNsec3Param = 51;
inline constexpr std::uint16_t kTypeSvcb = 64;
inline constexpr std::uint16_t kTypeHttps = 65;

}  // namespace brink::dns::zone
