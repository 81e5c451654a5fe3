// OriginFinder: follows a CNAME through the zones that are served here to the addresses behind it.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_set>
#include <vector>

#include "ctl/compile/source.h"
#include "ctl/compile/zone_index.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::compile {

// A chain of more CNAMEs than this leads nowhere.
inline constexpr std::size_t kChainMax = 18;

// The addresses in A and AAAA entries, in order.
std::vector<base::IpAddress> addresses_of(std::span<const Entry> entries);

struct Chain {
  std::vector<base::IpAddress> addresses;  // stored ones, whether or not their names are proxied
  bool is_proxied = false;                 // some name on the way is
};

class OriginFinder {
 public:
  explicit OriginFinder(Source& source) : source_(source) {}

  // Makes the zone that is being compiled known; it must outlive the lookups.
  void use(const ZoneIndex& zone) { current_ = &zone; }

  // What `target` leads to. A loop, a chain that is too long, or a name outside the zones served
  // here gives no addresses.
  Chain follow(const model::DomainName& target);

 private:
  static constexpr std::size_t kKeptZones = 16;

  const ZoneIndex* zone_of(const model::DomainName& name);
  const ZoneIndex* load(const model::Zone& zone);

  Source& source_;
  const ZoneIndex* current_ = nullptr;
  std::list<std::unique_ptr<ZoneIndex>> kept_;  // last used first
};

}  // namespace brink::ctl::compile
