#include "dns/answer/resolve.h"

#include "dns/answer/engine.h"
#include "dns/wire/message.h"

namespace brink::dns::answer {
namespace {

using snapshot::BlobHeader;
using snapshot::Lookup;
using snapshot::Record;
using snapshot::View;

class Resolver {
 public:
  Resolver(const View& view, const wire::Query& query, Response& response) noexcept
      : view_(view), query_(query), response_(response) {}

  Outcome run(Lookup found, snapshot::NameKey& key) noexcept;

 private:
  Outcome answer(const BlobHeader& blob) noexcept;
  Outcome refer(const Record& cut) noexcept;
  Outcome negative(const Record& in_zone, wire::Rcode rcode) noexcept;
  Outcome delegation_signer(const Record& apex) noexcept;
  bool follow(const BlobHeader& alias, snapshot::NameKey& key) noexcept;
  const BlobHeader* pick(const Record& record) const noexcept;
  void enter_zone(const Record& record) noexcept;

  const View& view_;
  const wire::Query& query_;
  Response& response_;
  NamePlace place_{};
  std::uint32_t zone_ = 0;  // of the apex that place_ points at
};

// Points place_.apex at the apex of the record's zone. Within one zone a compressed alias target
// ends in a pointer to the apex already known; in another zone its labels are spelled out that far.
void Resolver::enter_zone(const Record& record) noexcept {
  if (record.zone == zone_) return;
  zone_ = record.zone;
  place_.apex = place_.suffix(record.apex_size);
}

// RRset of the question's type. For ANY one of those there are (RFC 8482 4.1); for IXFR, over UDP,
// the SOA alone, so that the client comes back over TCP (RFC 1995 2).
const BlobHeader* Resolver::pick(const Record& record) const noexcept {
  if (query_.type == wire::kTypeIxfr) return view_.blob(record, wire::kTypeSoa);
  if (query_.type != wire::kTypeAny) return view_.blob(record, query_.type);
  if (record.inline_type != 0) return view_.inline_blob(record);
  const auto sets = view_.rrsets(record);
  return sets.empty() ? nullptr : view_.table_blob(record, sets.front());
}

Outcome Resolver::answer(const BlobHeader& blob) noexcept {
  std::size_t body_at = 0;
  if (!response_.put_body(blob, Section::kAnswer, place_.owner, place_.apex, body_at) ||
      !response_.put_additional(blob, body_at, place_.apex)) {
    response_.set_truncated();
  }
  return Outcome::kData;
}

// RFC 1034 4.3.2 step 3b.
Outcome Resolver::refer(const Record& cut) noexcept {
  const BlobHeader* servers = view_.blob(cut, wire::kTypeNs);
  if (servers == nullptr) return Outcome::kServFail;
  std::size_t body_at = 0;
  if (!response_.put_body(*servers, Section::kAuthority, place_.suffix(cut.name_size), place_.apex,
                          body_at) ||
      !response_.put_additional(*servers, body_at, place_.apex)) {
    response_.set_truncated();
  }
  return Outcome::kReferral;
}

// RFC 2308 2: the SOA of the zone that says no.
Outcome Resolver::negative(const Record& in_zone, wire::Rcode rcode) noexcept {
  enter_zone(in_zone);
  std::size_t body_at = 0;
  const BlobHeader& soa = negative_blob(view_.zone(in_zone));
  if (!response_.put_body(soa, Section::kAuthority, place_.apex, place_.apex, body_at)) {
    response_.set_truncated();
  }
  response_.set_rcode(rcode);
  return rcode == wire::Rcode::kNxDomain ? Outcome::kNxDomain : Outcome::kNoData;
}

// RFC 4035 3.1.4.1: the parent answers for DS, if it is served here.
Outcome Resolver::delegation_signer(const Record& apex) noexcept {
  const BlobHeader* blob = view_.blob(apex, wire::kTypeDs);
  const Record* parent = view_.above(apex);
  if (parent == nullptr) parent = &apex;
  enter_zone(*parent);
  return blob != nullptr ? answer(*blob) : negative(*parent, wire::Rcode::kNoError);
}

// Puts the CNAME and makes `key` and place_ its target; false if there was no room.
bool Resolver::follow(const BlobHeader& alias, snapshot::NameKey& key) noexcept {
  std::size_t body_at = 0;
  if (!response_.put_body(alias, Section::kAnswer, place_.owner, place_.apex, body_at)) {
    response_.set_truncated();
    return false;
  }
  const auto target = snapshot::blob_target(alias);
  snapshot::set_key(key, view_.hash_key(), target.data(), target.size(), target.size());
  place_.owner = static_cast<std::uint16_t>(body_at + 12);
  place_.name_size = static_cast<std::uint16_t>(target.size());
  return true;
}

Outcome Resolver::run(Lookup found, snapshot::NameKey& key) noexcept {
  if (found.encloser == nullptr) return Outcome::kRefused;
  place_ = {wire::kHeaderSize, 0, query_.name_size};
  response_.set_authoritative(true);  // AA speaks of the first owner (RFC 1035 4.1.1)

  for (int hop = 0;; ++hop) {
    const Record& encloser = *found.encloser;
    enter_zone(encloser);
    if ((encloser.flags & snapshot::kCut) != 0 && !(found.exact && query_.type == wire::kTypeDs)) {
      if (hop == 0) response_.set_authoritative(false);
      return refer(encloser);
    }
    if (found.record == nullptr) return negative(encloser, wire::Rcode::kNxDomain);
    const Record& record = *found.record;
    if (query_.type == wire::kTypeDs && (record.flags & snapshot::kParentSide) != 0) {
      return delegation_signer(record);
    }
    if (const BlobHeader* blob = pick(record); blob != nullptr) return answer(*blob);
    if ((record.flags & snapshot::kAlias) == 0) return negative(encloser, wire::Rcode::kNoError);

    // RFC 1034 4.3.2 step 3a: the alias is data; go on with its target where it is ours.
    const BlobHeader* alias = view_.blob(record, wire::kTypeCname);
    if (alias == nullptr) return Outcome::kServFail;
    if (!follow(*alias, key) || hop == kChainMax) return Outcome::kData;
    found = view_.lookup(key);
    if (found.encloser == nullptr) return Outcome::kData;
  }
}

}  // namespace

Outcome resolve(const View& view, const wire::Query& query, Lookup found, snapshot::NameKey& key,
                Response& response) noexcept {
  return Resolver(view, query, response).run(found, key);
}

}  // namespace brink::dns::answer
