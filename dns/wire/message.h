// The DNS message header, codes and types (RFC 1035 4.1, RFC 6895). Bytes only. Hot.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brink::dns::wire {

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kNameMax = 255;
inline constexpr std::size_t kUdpSizeMin = 512;  // RFC 1035 4.2.1: what every client takes
inline constexpr std::size_t kOptSize = 11;      // an OPT record without options

// OFFSET SIZE MEANING                 (RFC 1035 4.1.1)
// 0      2    ID
// 2      2    QR | Opcode (4) | AA | TC | RD | RA | Z | AD | CD | RCODE (4)
// 4      2    QDCOUNT
// 6      2    ANCOUNT
// 8      2    NSCOUNT
// 10     2    ARCOUNT
inline constexpr std::uint16_t kFlagQr = 0x8000;
inline constexpr std::uint16_t kFlagAa = 0x0400;
inline constexpr std::uint16_t kFlagTc = 0x0200;
inline constexpr std::uint16_t kFlagRd = 0x0100;
inline constexpr std::uint16_t kFlagCd = 0x0010;
inline constexpr std::uint16_t kOpcodeMask = 0x7800;

enum class Rcode : std::uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kYxDomain = 6,
  kBadVers = 16,    // extended: needs an OPT record (RFC 6891 6.1.3)
  kBadCookie = 23,  // likewise (RFC 7873 8)
};

inline constexpr std::uint16_t kClassIn = 1;
inline constexpr std::uint16_t kClassChaos = 3;

// EDNS options (RFC 6891 6.1.2).
inline constexpr std::uint16_t kOptionNsid = 3;
inline constexpr std::uint16_t kOptionCookie = 10;
inline constexpr std::uint16_t kOptionKeepalive = 11;
inline constexpr std::uint16_t kOptionPadding = 12;  // RFC 7830
inline constexpr std::uint16_t kOptionError = 15;    // RFC 8914

// Extended errors (RFC 8914 4).
inline constexpr std::uint16_t kErrorProhibited = 18;
inline constexpr std::uint16_t kErrorNotAuthoritative = 20;
inline constexpr std::uint16_t kErrorNotSupported = 21;

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeNs = 2;
inline constexpr std::uint16_t kTypeSoa = 6;
inline constexpr std::uint16_t kTypeTxt = 16;
inline constexpr std::uint16_t kTypeAaaa = 28;
inline constexpr std::uint16_t kTypeDname = 39;
inline constexpr std::uint16_t kTypeOpt = 41;
inline constexpr std::uint16_t kTypeDs = 43;
inline constexpr std::uint16_t kTypeRrsig = 46;
inline constexpr std::uint16_t kTypeNsec = 47;
inline constexpr std::uint16_t kTypeTkey = 249;
inline constexpr std::uint16_t kTypeTsig = 250;
inline constexpr std::uint16_t kTypeIxfr = 251;
inline constexpr std::uint16_t kTypeAxfr = 252;
inline constexpr std::uint16_t kTypeAny = 255;

}  // namespace brink::dns::wire
