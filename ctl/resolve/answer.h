// Answer: what one DNS message says about a name's addresses. RFC 1035 4.1, 2181 5.2, 2308 2 and 5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ctl/resolve/exchange.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::resolve {

// A chain of more CNAMEs than this is a failure, in one message or over several.
inline constexpr std::size_t kChainMax = 16;
// More addresses than this of one type are left out; a route holds as many.
inline constexpr std::size_t kAddressesMax = 16;

struct Answer {
  enum class Kind : std::uint8_t {
    kAddresses,
    kAlias,    // the chain goes on at `alias`, about which the message says nothing
    kNothing,  // there are none, and that is certain
    kFailed,   // nothing is known: see `reason`
  };
  Kind kind = Kind::kFailed;
  std::vector<base::IpAddress> addresses;  // sorted, each once, none beyond kAddressesMax
  model::DomainName alias;
  std::size_t links = 0;    // CNAMEs on the way
  std::uint32_t ttl_s = 0;  // smallest of the way; of kNothing that of RFC 2308 5, 0 without an SOA
  std::string reason;       // of kNothing and kFailed

  static Answer failed(std::string why) {
    Answer answer;
    answer.reason = std::move(why);
    return answer;
  }
};

// Reads the answer to a question for A or AAAA. Records that are not on the way from the question's
// name are not looked at.
Answer read_answer(const Question& question, std::span<const std::uint8_t> message);

}  // namespace brink::ctl::resolve
