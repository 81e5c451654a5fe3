#include "ctl/compile/given_chain.h"

#include <algorithm>

#include "dataplane/base/bytes.h"
#include "dns/dnssec/denial.h"

namespace brink::ctl::compile {
namespace {

using dns::zone::Wire;
using model::DomainName;

Wire to_wire(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace

GivenChain::GivenChain(NameCompiler& compiler, Lookups& lookups, const model::Zone& zone)
    : compiler_(compiler), lookups_(lookups), zone_(zone) {
  const std::vector<Entry> apex = lookups_.entries(zone, zone.name);
  // Negative answers that are not signed have no use for it.
  const bool is_signed = std::any_of(apex.begin(), apex.end(), [](const Entry& entry) {
    return entry.type == model::kTypeRrsig && entry.rdata.size() > 2 &&
           base::load_be16(entry.rdata.data()) == model::kTypeSoa;
  });
  if (!is_signed) return;
  for (const Entry& entry : apex) {
    if (entry.type == model::kTypeNsec3Param) take(entry);
    if (kind_ == snapshot::DenialKind::kNsec3) return;
  }
  if (has_type(apex, model::kTypeNsec)) kind_ = snapshot::DenialKind::kNsec;
}

// NSEC3PARAM as this chain's, if the apex has a record by it.
void GivenChain::take(const Entry& parameters) {
  const auto read = dns::dnssec::read_nsec3param(to_wire(parameters.rdata));
  if (!read || read.value().salt.size() > snapshot::kNsec3SaltMax) return;
  const auto& [iterations, salt] = read.value();
  iterations_ = iterations;
  salt_.assign(salt.begin(), salt.end());
  const auto hash = dns::dnssec::nsec3_hash(to_wire(zone_.name.wire()), iterations, salt);
  const Wire owner = dns::dnssec::nsec3_owner(hash, to_wire(zone_.name.wire()));
  const auto name = DomainName::from_wire(
      std::span(reinterpret_cast<const std::uint8_t*>(owner.data()), owner.size()));
  if (!name) return;
  kind_ = snapshot::DenialKind::kNsec3;
  const std::vector<Entry> there = lookups_.entries(zone_, *name);
  if (std::any_of(there.begin(), there.end(), [this](const Entry& e) { return is_of_chain(e); })) {
    return;
  }
  kind_ = snapshot::DenialKind::kNone;
  iterations_ = 0;
  salt_.clear();
}

// RFC 5155 3.2: algorithm, flags, iterations, salt.
bool GivenChain::is_of_chain(const Entry& entry) const {
  if (kind_ != snapshot::DenialKind::kNsec3) {
    return kind_ == snapshot::DenialKind::kNsec && entry.type == model::kTypeNsec;
  }
  constexpr std::size_t kSaltAt = 5;
  const model::Rdata& rdata = entry.rdata;
  return entry.type == model::kTypeNsec3 && rdata.size() > kSaltAt + salt_.size() &&
         rdata[0] == 1 && base::load_be16(rdata.data() + 2) == iterations_ &&
         rdata[4] == salt_.size() &&
         std::equal(salt_.begin(), salt_.end(), rdata.begin() + kSaltAt);
}

base::Result<void> GivenChain::put(const DomainName& owner, snapshot::ChangeSink& sink) {
  if (kind_ == snapshot::DenialKind::kNone) return {};
  const std::vector<Entry> entries = lookups_.entries(zone_, owner);
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [this](const Entry& each) { return is_of_chain(each); });
  if (entry == entries.end()) return sink.drop_denial(owner.wire());
  dns::zone::Rrset set{entry->type, entry->ttl, {to_wire(entry->rdata)}};
  const Wire wire = to_wire(owner.wire());
  if (auto signed_set = compiler_.sign(zone_, wire, wire, set); !signed_set) return signed_set;
  const auto blob = dns::render::render_denial(to_wire(zone_.name.wire()), wire, set);
  if (!blob) return blob.error();
  return sink.put_denial(owner.wire(), blob.value());
}

base::Result<void> GivenChain::put_all(snapshot::ChangeSink& sink) {
  if (kind_ == snapshot::DenialKind::kNone) return {};
  store::TreeKey key = store::tree_key(zone_.name);
  while (const auto name = lookups_.first_from(zone_, key)) {
    const std::vector<Entry> entries = lookups_.entries(zone_, *name);
    const bool is_there = std::any_of(entries.begin(), entries.end(),
                                      [this](const Entry& each) { return is_of_chain(each); });
    if (is_there) {
      if (auto put_one = put(*name, sink); !put_one) return put_one;
    }
    key = store::tree_key(*name);
    key.push_back(0);
  }
  return {};
}

}  // namespace brink::ctl::compile
