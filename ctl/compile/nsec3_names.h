// Nsec3Names: the names of a zone that have a record in its NSEC3 chain, in the order of their
// hashes: owners, and the empty non-terminals above them (RFC 5155 7.1). Follows a zone name by
// name. About 150 octets a name. Private to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "ctl/model/name.h"
#include "dns/dnssec/denial.h"

namespace brink::ctl::compile {

class Nsec3Names {
 public:
  using Hash = dns::dnssec::Nsec3Hash;
  struct Name {
    model::DomainName name;
    std::uint32_t below = 0;  // owners, however deep; of the apex they are not counted
    bool is_owner = false;    // if not, it is an empty non-terminal
  };
  using ByHash = std::map<Hash, Name>;

  explicit Nsec3Names(model::DomainName apex) : apex_(std::move(apex)) {}

  // Says whether a name at or below the apex is an owner from now on.
  void set(const model::DomainName& name, bool is_owner);

  [[nodiscard]] const ByHash& names() const { return names_; }
  [[nodiscard]] const std::set<Hash>& empty_non_terminals() const { return empty_; }

  Hash hash(const model::DomainName& name);
  // Calls of hash(), its own included, since the last time.
  std::uint64_t take_count() { return std::exchange(count_, 0); }

 private:
  void add_below(const model::DomainName& name);
  void remove_below(const model::DomainName& name);

  model::DomainName apex_;
  ByHash names_;
  std::set<Hash> empty_;
  std::uint64_t count_ = 0;
};

}  // namespace brink::ctl::compile
