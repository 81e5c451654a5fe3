#include "ctl/compile/nsec3_names.h"

#include "ctl/model/zone_dnssec.h"

namespace brink::ctl::compile {

using model::DomainName;

Nsec3Names::Hash Nsec3Names::hash(const DomainName& name) {
  ++count_;
  const auto octets = name.wire();
  return dns::dnssec::nsec3_hash({reinterpret_cast<const char*>(octets.data()), octets.size()},
                                 model::kNsec3Iterations, {});
}

void Nsec3Names::set(const DomainName& name, bool is_owner) {
  const Hash own = hash(name);
  const auto known = names_.find(own);
  const bool was_owner = known != names_.end() && known->second.is_owner;
  if (was_owner == is_owner) return;
  if (is_owner) {
    names_.try_emplace(own, Name{name}).first->second.is_owner = true;
    empty_.erase(own);
  } else if (known->second.below != 0) {
    known->second.is_owner = false;
    empty_.insert(own);
  } else {
    names_.erase(known);
  }
  if (name == apex_) return;
  for (DomainName up = name.parent(); up != apex_; up = up.parent()) {
    is_owner ? add_below(up) : remove_below(up);
  }
}

void Nsec3Names::add_below(const DomainName& name) {
  const auto [at, is_fresh] = names_.try_emplace(hash(name), Name{name});
  if (is_fresh) empty_.insert(at->first);
  ++at->second.below;
}

void Nsec3Names::remove_below(const DomainName& name) {
  const auto at = names_.find(hash(name));
  if (--at->second.below != 0 || at->second.is_owner) return;
  empty_.erase(at->first);
  names_.erase(at);
}

}  // namespace brink::ctl::compile
