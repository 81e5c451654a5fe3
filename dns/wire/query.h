// parse_query: a DNS message from a client, taken apart just as far as an answer needs. Hot.
#pragma once

#include <cstdint>
#include <span>

#include "dns/wire/message.h"

namespace brink::dns::wire {

// What parse_query found. The verdicts other than kQuery name the response.
enum class Verdict : std::uint8_t {
  kQuery,         // one question, well-formed
  kDropShort,     // not even a header: no response
  kDropResponse,  // QR set: a response to a response would loop (RFC 1035 7.3)
  kFormErr,
  kNotImp,      // opcode other than QUERY
  kBadVers,     // EDNS version above 0, whatever else (RFC 6891 6.1.3)
  kCookieOnly,  // no question, but a cookie (RFC 7873 5.4)
};

struct Query {
  Verdict verdict = Verdict::kDropShort;
  bool question_parsed = false;  // the question may be echoed
  bool edns = false;             // there was a well-formed OPT record
  bool dnssec_ok = false;        // its DO bit (RFC 3225)
  bool wants_nsid = false;       // RFC 5001
  bool wants_keepalive = false;  // RFC 7828
  bool wants_padding = false;    // RFC 7830
  std::uint8_t cookie_size = 0;  // of client and server cookie (RFC 7873): 0, 8 or 16 to 40
  std::uint16_t cookie_at = 0;   // its offset in the message
  std::uint8_t name_size = 0;    // QNAME's wire size
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint16_t udp_size = kUdpSizeMin;      // what the client takes; at least 512
  std::uint16_t question_end = kHeaderSize;  // offset behind the question
};

// Parses `message` as RFC 1035 4.1 and RFC 6891 say into `query`, whatever that held. The last
// section must end where the message ends. Bounded by the message's size.
void parse_query(std::span<const std::uint8_t> message, Query& query) noexcept;

}  // namespace brink::dns::wire
