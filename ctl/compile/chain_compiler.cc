#include "ctl/compile/chain_compiler.h"

#include <algorithm>
#include <iterator>

#include "ctl/compile/chain_names.h"
#include "ctl/compile/given_chain.h"
#include "dns/dnssec/denial.h"

namespace brink::ctl::compile {
namespace {

namespace dnssec = dns::dnssec;
using dns::zone::Wire;
using model::DomainName;

Wire wire_of(const DomainName& name) {
  const auto octets = name.wire();
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

std::span<const std::uint8_t> octets(const Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

// A name of an NSEC3 chain. Empty non-terminals are in it, too; whose turn it is to be signed
// again is not for them to say.
struct Hashed {
  DomainName name;
  bool is_empty = true;
};
using ByHash = std::map<dnssec::Nsec3Hash, Hashed>;

// The names of a zone's NSEC3 chain, and those that opt-out leaves out of it: delegations that are
// not signed, and what is there for their sake alone (RFC 5155 6, 7.1).
struct Nsec3Names {
  ByHash in, out;
};

dnssec::Nsec3Hash hash_of(const DomainName& name) {
  return dnssec::nsec3_hash(wire_of(name), model::kNsec3Iterations, {});
}

bool is_unsigned_delegation(Lookups& lookups, const model::Zone& zone, const DomainName& name) {
  if (name == zone.name) return false;
  const std::vector<Entry> entries = lookups.entries(zone, name);
  return has_type(entries, model::kTypeNs) && !has_type(entries, model::kTypeDs);
}

Nsec3Names hash_all(Lookups& lookups, const ChainNames& chain, const model::Zone& zone) {
  Nsec3Names names;
  DomainName name = zone.name;
  do {
    const bool is_out = zone.dnssec.opt_out && is_unsigned_delegation(lookups, zone, name);
    ByHash& hashed = is_out ? names.out : names.in;
    hashed[hash_of(name)] = {name, false};
    for (DomainName up = name; up != zone.name;) {
      up = up.parent();
      if (!hashed.try_emplace(hash_of(up), Hashed{up, true}).second) break;
    }
    name = chain.next(name);
  } while (name != zone.name);
  for (const auto& [hash, hashed] : names.in) names.out.erase(hash);
  return names;
}

// Renders what it gets.
class SinkOutput : public ChainOutput {
 public:
  SinkOutput(const model::Zone& zone, snapshot::ChangeSink& sink)
      : apex_(wire_of(zone.name)), sink_(sink) {}

  base::Result<void> put(const Wire& owner, const dns::zone::Rrset& set) override {
    const auto blob = dns::render::render_denial(apex_, owner, set);
    if (!blob) return blob.error();
    return sink_.put_denial(octets(owner), blob.value());
  }
  base::Result<void> drop(const Wire& owner) override { return sink_.drop_denial(octets(owner)); }

 private:
  const Wire apex_;
  snapshot::ChangeSink& sink_;
};

}  // namespace

void ChainCompiler::touch(const model::Zone& zone, const DomainName& name) {
  const bool signs = zone.dnssec.is_signed() && options_.signers != nullptr;
  if (!signs && !zone.dnssec.presigned) return;
  Touched& touched = touched_[zone.row];
  touched.zone = &zone;
  touched.names.emplace(Affected::key_of(name), name);
}

// The zones above the one that owns it have it as well where they delegate it, or where it was
// theirs before they did.
void ChainCompiler::touch(const DomainName& name) {
  const model::Zone* owner = lookups_.zone_of(name);
  for (const model::Zone* zone = owner; zone != nullptr;
       zone = zone->name.is_root() ? nullptr : lookups_.zone_of(zone->name.parent())) {
    if (zone == owner || !lookups_.entries(*zone, name).empty()) touch(*zone, name);
  }
}

std::vector<ChainCompiler::Touched> ChainCompiler::take_touched() {
  std::vector<Touched> taken;
  for (auto& [row, touched] : touched_) taken.push_back(std::move(touched));
  touched_.clear();
  return taken;
}

base::Result<void> ChainCompiler::put(const Touched& touched, snapshot::ChangeSink& sink) {
  const model::Zone& zone = *touched.zone;
  if (zone.dnssec.presigned) {
    GivenChain chain(compiler_, lookups_, zone);
    for (const auto& [key, name] : touched.names) {
      if (auto put_one = chain.put(name, sink); !put_one) return put_one;
    }
    return {};
  }
  SinkOutput output(zone, sink);
  if (zone.dnssec.denial == model::ZoneDenial::kNsec3) {
    return put_nsec3(zone, &touched.names, output);
  }
  const ChainNames chain = names_of(zone);
  Names names;
  for (const auto& [key, name] : touched.names) {
    if (chain.contains(name)) {
      names.emplace(key, name);
    } else if (auto dropped = sink.drop_denial(name.wire()); !dropped) {
      return dropped;
    }
    const DomainName previous = chain.previous(name);
    names.emplace(Affected::key_of(previous), previous);
  }
  for (const auto& [key, name] : names) {
    if (auto put = put_nsec(zone, name, chain.next(name), output); !put) return put;
  }
  return {};
}

base::Result<void> ChainCompiler::put_all(const model::Zone& zone, snapshot::ChangeSink& sink) {
  if (zone.dnssec.presigned) return GivenChain(compiler_, lookups_, zone).put_all(sink);
  SinkOutput output(zone, sink);
  return put_all(zone, output);
}

base::Result<void> ChainCompiler::put_all(const model::Zone& zone, ChainOutput& output) {
  if (zone.dnssec.denial == model::ZoneDenial::kNsec3) return put_nsec3(zone, nullptr, output);
  const ChainNames chain = names_of(zone);
  DomainName name = zone.name;
  do {
    DomainName next = chain.next(name);
    if (auto put = put_nsec(zone, name, next, output); !put) return put;
    name = std::move(next);
  } while (name != zone.name);
  return {};
}

ChainNames ChainCompiler::names_of(const model::Zone& zone) {
  return {lookups_, zone, compiler_.directs().of(zone)};
}

// Whose turn it is to be signed again is not for names to say that have no records stored.
Wire ChainCompiler::schedule_of(const model::Zone& zone, const DomainName& name) {
  return wire_of(compiler_.directs().find(zone, name) == nullptr ? name : zone.name);
}

base::Result<void> ChainCompiler::put_nsec(const model::Zone& zone, const DomainName& name,
                                           const DomainName& next, ChainOutput& output) {
  const NameTypes owned = compiler_.types(zone, name);
  const auto types = dnssec::denial_types(owned.types, owned.cut, dnssec::DenialKind::kNsec);
  const Wire owner = wire_of(name);
  return put_record(zone, owner, dns::zone::kTypeNsec, dnssec::nsec_rdata(wire_of(next), types),
                    schedule_of(zone, name), output);
}

// Those that `touched` names and their ancestors have changed; null: all.
base::Result<void> ChainCompiler::put_nsec3(const model::Zone& zone, const Names* touched,
                                            ChainOutput& output) {
  const Nsec3Names all = hash_all(lookups_, names_of(zone), zone);
  const ByHash& hashed = all.in;
  const Wire apex = wire_of(zone.name);
  std::map<dnssec::Nsec3Hash, bool> wanted;  // whether it is there
  const auto want = [&](const dnssec::Nsec3Hash& hash) {
    const bool is_there = hashed.contains(hash);
    wanted[hash] = is_there;
    const auto at = hashed.lower_bound(hash);
    wanted[at == hashed.begin() ? hashed.rbegin()->first : std::prev(at)->first] = true;
  };
  if (touched == nullptr) {
    for (const auto& [hash, name] : all.out) wanted[hash] = false;
    for (const auto& [hash, name] : hashed) wanted[hash] = true;
  } else {
    for (const auto& [key, name] : *touched) {
      for (DomainName at = name;; at = at.parent()) {
        want(hash_of(at));
        if (at == zone.name) break;
      }
    }
    // Empty non-terminals are signed with the apex.
    if (touched->contains(Affected::key_of(zone.name))) {
      for (const auto& [hash, name] : hashed) {
        if (name.is_empty) wanted[hash] = true;
      }
    }
  }
  for (const auto& [hash, is_there] : wanted) {
    const Wire owner = dnssec::nsec3_owner(hash, apex);
    if (!is_there) {
      if (auto dropped = output.drop(owner); !dropped) return dropped;
      continue;
    }
    const auto at = hashed.find(hash);
    const auto next = std::next(at) == hashed.end() ? hashed.begin() : std::next(at);
    const Hashed& name = at->second;
    const NameTypes owned = name.is_empty ? NameTypes{} : compiler_.types(zone, name.name);
    const auto types = dnssec::denial_types(owned.types, owned.cut, dnssec::DenialKind::kNsec3);
    auto put = put_record(
        zone, owner, dns::zone::kTypeNsec3,
        dnssec::nsec3_rdata({model::kNsec3Iterations, {}}, zone.dnssec.opt_out, next->first, types),
        name.is_empty ? apex : schedule_of(zone, name.name), output);
    if (!put) return put;
  }
  return {};
}

// RFC 9077 3: with the TTL of negative answers.
base::Result<void> ChainCompiler::put_record(const model::Zone& zone, const Wire& owner,
                                             std::uint16_t type, Wire rdata,
                                             const Wire& scheduled_by, ChainOutput& output) {
  dns::zone::Rrset set{type, compiler_.negative_ttl(zone), {std::move(rdata)}};
  if (auto signed_set = compiler_.sign(zone, owner, scheduled_by, set); !signed_set) {
    return signed_set;
  }
  return output.put(owner, set);
}

}  // namespace brink::ctl::compile
