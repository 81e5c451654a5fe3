// What the parent of a zone has of it, asked of the parent's own servers (RFC 1034 4.2.1), never of
// the zone itself: the name servers that it delegates the zone to, and its DS records.
//
// The resolver says who serves the parent (the closest name above the zone that has NS records) and
// where; one of those servers is then asked for the zone's NS set without recursion, and answers
// with a referral. A server that holds parent and zone both answers from the zone; that counts too,
// since it is the parent that brought us there. A referral to a zone between the two is followed.
// DS records are the parent's own data (RFC 4035 3.1.4.1), and answered with authority.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ctl/resolve/address_filter.h"
#include "ctl/resolve/exchange.h"
#include "dns/zone/resource_record.h"

namespace brink::ctl::resolve {

struct Delegation {
  enum class Kind : std::uint8_t {
    kFound,
    kAbsent,   // the parent knows of no such delegation
    kUnknown,  // nobody could be asked: see `reason`
  };
  Kind kind = Kind::kUnknown;
  std::vector<model::DomainName> servers;  // sorted, each once
  std::string reason;                      // of kAbsent and kUnknown
};

struct ParentDs {
  bool known = false;                  // false: nobody could be asked, for the reason `reason`
  std::vector<dns::zone::Wire> rdata;  // sorted, each once; none: the parent has none
  std::string reason;
};

// Asks at most kQuestionsMax questions and calls `done` once, on the exchange's thread, where it is
// started too. Servers whose addresses `filter` does not admit are not asked. `exchange` and
// `filter` outlive it. `port`: of the parent's servers.
inline constexpr unsigned kQuestionsMax = 40;
void check_delegation(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
                      const model::DomainName& zone, std::function<void(Delegation)> done);
// Likewise for DS.
void check_ds(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
              const model::DomainName& zone, std::function<void(ParentDs)> done);

}  // namespace brink::ctl::resolve
