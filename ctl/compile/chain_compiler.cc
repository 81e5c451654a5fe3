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
    return put_touched_nsec3(zone, touched.names, output);
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
  if (zone.dnssec.denial == model::ZoneDenial::kNsec3) return put_all_nsec3(zone, output);
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

bool ChainCompiler::is_hashed(const model::Zone& zone, const DomainName& name) {
  if (!zone.dnssec.opt_out || name == zone.name) return true;
  const std::vector<Entry> entries = lookups_.entries(zone, name);
  return !has_type(entries, model::kTypeNs) || has_type(entries, model::kTypeDs);
}

Nsec3Names ChainCompiler::hash_all(const model::Zone& zone, std::set<Nsec3Names::Hash>& out) {
  const ChainNames chain = names_of(zone);
  Nsec3Names names(zone.name);
  DomainName name = zone.name;
  do {
    if (is_hashed(zone, name)) {
      names.set(name, true);
    } else {
      for (DomainName up = name; up != zone.name; up = up.parent()) {
        if (!out.insert(names.hash(up)).second) break;
      }
    }
    name = chain.next(name);
  } while (name != zone.name);
  return names;
}

base::Result<void> ChainCompiler::put_all_nsec3(const model::Zone& zone, ChainOutput& output) {
  std::set<Nsec3Names::Hash> out;
  Nsec3Names all = hash_all(zone, out);
  const Wire apex = wire_of(zone.name);
  for (const Nsec3Names::Hash& hash : out) {
    if (all.names().contains(hash)) continue;
    if (auto dropped = output.drop(dnssec::nsec3_owner(hash, apex)); !dropped) return dropped;
  }
  for (auto at = all.names().begin(); at != all.names().end(); ++at) {
    if (auto put = put_nsec3(zone, all, at, output); !put) return put;
  }
  if (options_.hashed == nullptr) return {};
  options_.hashed->count(all.take_count());
  // Who changes it once may change it again.
  if (options_.hashed->find(zone) != nullptr) options_.hashed->put(zone, std::move(all));
  return {};
}

// From what was kept, or else into `own`.
Nsec3Names& ChainCompiler::hash_touched(const model::Zone& zone, const Names& touched,
                                        std::optional<Nsec3Names>& own) {
  Nsec3Names* kept = options_.hashed == nullptr ? nullptr : options_.hashed->find(zone);
  if (kept == nullptr) {
    std::set<Nsec3Names::Hash> out;
    return own.emplace(hash_all(zone, out));
  }
  const ChainNames chain = names_of(zone);
  for (const auto& [key, name] : touched) {
    kept->set(name, chain.contains(name) && is_hashed(zone, name));
  }
  return *kept;
}

base::Result<void> ChainCompiler::put_touched_nsec3(const model::Zone& zone, const Names& touched,
                                                    ChainOutput& output) {
  std::optional<Nsec3Names> own;
  Nsec3Names& names = hash_touched(zone, touched, own);
  const Nsec3Names::ByHash& all = names.names();
  std::map<Nsec3Names::Hash, bool> wanted;  // whether it is there
  // With the one before it, which names it as the next.
  const auto want = [&](const Nsec3Names::Hash& hash) {
    wanted[hash] = all.contains(hash);
    const auto at = all.lower_bound(hash);
    wanted[at == all.begin() ? all.rbegin()->first : std::prev(at)->first] = true;
  };
  for (const auto& [key, name] : touched) {
    for (DomainName at = name;; at = at.parent()) {
      want(names.hash(at));
      if (at == zone.name) break;
    }
  }
  // Empty non-terminals are signed with the apex.
  if (touched.contains(Affected::key_of(zone.name))) {
    for (const Nsec3Names::Hash& hash : names.empty_non_terminals()) wanted[hash] = true;
  }
  const Wire apex = wire_of(zone.name);
  for (const auto& [hash, is_there] : wanted) {
    auto done = is_there ? put_nsec3(zone, names, all.find(hash), output)
                         : output.drop(dnssec::nsec3_owner(hash, apex));
    if (!done) return done;
  }
  if (options_.hashed == nullptr) return {};
  options_.hashed->count(names.take_count());
  if (own) options_.hashed->put(zone, *std::move(own));
  return {};
}

base::Result<void> ChainCompiler::put_nsec3(const model::Zone& zone, const Nsec3Names& names,
                                            Nsec3Names::ByHash::const_iterator at,
                                            ChainOutput& output) {
  const auto next = std::next(at) == names.names().end() ? names.names().begin() : std::next(at);
  const Nsec3Names::Name& name = at->second;
  const Wire apex = wire_of(zone.name);
  const NameTypes owned = name.is_owner ? compiler_.types(zone, name.name) : NameTypes{};
  const auto types = dnssec::denial_types(owned.types, owned.cut, dnssec::DenialKind::kNsec3);
  return put_record(
      zone, dnssec::nsec3_owner(at->first, apex), dns::zone::kTypeNsec3,
      dnssec::nsec3_rdata({model::kNsec3Iterations, {}}, zone.dnssec.opt_out, next->first, types),
      name.is_owner ? schedule_of(zone, name.name) : apex, output);
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
