#include "dns/answer/resolve.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/bytes.h"
#include "dns/answer/denial.h"
#include "dns/answer/engine.h"
#include "dns/wire/message.h"

namespace brink::dns::answer {
namespace {

using snapshot::BlobHeader;
using snapshot::Lookup;
using snapshot::Record;
using snapshot::View;

// TTL of the blob's first record (RFC 1035 3.2.1).
std::uint32_t ttl_of(const BlobHeader& blob) noexcept {
  return base::load_be32(snapshot::blob_body(blob) + 6);
}

constexpr Foreseen kNothing;

class Resolver {
 public:
  Resolver(const View& view, const Slot& slot, Response& response) noexcept
      : view_(view),
        query_(slot.query),
        foreseen_(&slot.foreseen),
        response_(response),
        proofs_(view) {}

  Outcome run(Lookup found, snapshot::NameKey& key) noexcept;

 private:
  enum class Step : std::uint8_t { kAgain, kDone };

  Outcome answer(const BlobHeader& blob) noexcept;
  bool answer_signatures(const Record& record) noexcept;
  bool answer_nsec(const Lookup& found, const snapshot::NameKey& key) noexcept;
  Outcome refer(const Record& cut) noexcept;
  Outcome negative(const Record& in_zone, wire::Rcode rcode,
                   const BlobHeader* apex_denial = nullptr) noexcept;
  Outcome no_data(const Lookup& found, const snapshot::NameKey& key) noexcept;
  Outcome no_name(const Lookup& found, const snapshot::NameKey& key) noexcept;
  Outcome delegation_signer(const Record& apex) noexcept;
  Outcome end(Outcome outcome) noexcept;
  bool follow(const BlobHeader& alias, snapshot::NameKey& key) noexcept;
  Step redirect(const Record& from, snapshot::NameKey& key, Outcome& outcome) noexcept;
  const BlobHeader* pick(const Record& record) const noexcept;
  [[nodiscard]] const BlobHeader* blob(const Record& record, std::uint16_t type) const noexcept {
    return query_.dnssec_ok ? view_.signed_blob(record, type) : view_.blob(record, type);
  }
  void enter_zone(const Record& record) noexcept;
  [[nodiscard]] Denied denied_by(const Record& in_zone) const noexcept;
  void prove_wildcard(const Lookup& found, const snapshot::NameKey& key) noexcept;
  [[nodiscard]] bool is_loop(const snapshot::NameKey& key, int hop) noexcept;

  const View& view_;
  const wire::Query& query_;
  const Foreseen* foreseen_;
  Response& response_;
  NamePlace place_{};
  std::uint32_t zone_ = 0;  // of the apex that place_ points at
  Proofs proofs_;
  std::uint64_t passed_[kChainMax + 1];  // hashes of the names of a chain,
  std::uint64_t redirected_[kChainMax + 1];  // and of the DNAMEs in the response
  int redirected_count_ = 0;
};

WireName name_of(const snapshot::NameKey& key) noexcept {
  return {key.bytes, key.size};
}

// Points place_.apex at the apex of the record's zone. Within one zone a compressed alias target
// ends in a pointer to the apex already known; in another zone its labels are spelled out that far.
void Resolver::enter_zone(const Record& record) noexcept {
  if (record.zone == zone_) return;
  zone_ = record.zone;
  place_.apex = place_.suffix(record.apex_size);
}

// How the record's zone, which place_ is in, denies; no chain unless signatures are asked for.
Denied Resolver::denied_by(const Record& in_zone) const noexcept {
  const auto* chain = query_.dnssec_ok ? view_.chain(view_.zone(in_zone)) : nullptr;
  return {chain, in_zone.apex_size, place_.apex};
}

// RRset of the question's type. For ANY one of those there are (RFC 8482 4.1); for IXFR, over UDP,
// the SOA alone, so that the client comes back over TCP (RFC 1995 2).
const BlobHeader* Resolver::pick(const Record& record) const noexcept {
  if (query_.type == wire::kTypeIxfr) return blob(record, wire::kTypeSoa);
  if (query_.type != wire::kTypeAny) return blob(record, query_.type);
  if (record.inline_type != 0) return blob(record, record.inline_type);
  const auto sets = view_.rrsets(record);
  return sets.empty() ? nullptr : blob(record, sets.front().type);
}

// With what was gathered to prove it.
Outcome Resolver::end(Outcome outcome) noexcept {
  if (!proofs_.put(response_)) response_.set_truncated();
  return outcome;
}

Outcome Resolver::answer(const BlobHeader& blob) noexcept {
  std::size_t body_at = 0;
  if (!response_.put_body(blob, Section::kAnswer, place_.owner, place_.apex, body_at) ||
      !proofs_.put(response_) || !response_.put_additional(blob, body_at, place_.apex)) {
    response_.set_truncated();
  }
  return Outcome::kData;
}

// Those of one RRset, as for ANY. False: there are none.
bool Resolver::answer_signatures(const Record& record) noexcept {
  for (const snapshot::RrsetEntry& entry : view_.rrsets(record)) {
    if (entry.form != snapshot::kSignedForm) continue;
    const BlobHeader& blob = *view_.table_blob(record, entry);
    if (!response_.put_signatures(blob, Section::kAnswer, place_.owner)) response_.set_truncated();
    return true;
  }
  return false;
}

// The name's own record in the chain. False: it has none.
bool Resolver::answer_nsec(const Lookup& found, const snapshot::NameKey& key) noexcept {
  if (!found.exact) return false;
  const auto* chain = view_.chain(view_.zone(*found.encloser));
  if (chain == nullptr || chain->kind != snapshot::DenialKind::kNsec) {
    return false;
  }
  snapshot::DenialKey wanted;
  snapshot::set_denial_key(wanted, key.bytes, key.size, found.encloser->apex_size);
  const snapshot::DenialHit hit = view_.find_denial(*chain, wanted);
  if (!hit.exact) return false;
  const bool put = query_.dnssec_ok
                       ? response_.put_free(*hit.blob(), Section::kAnswer, place_.apex)
                       : response_.put_unsigned_free(*hit.blob(), Section::kAnswer, place_.apex);
  if (!put) response_.set_truncated();
  return true;
}

// RFC 1034 4.3.2 step 3b. With the signed DS set, or the proof that there is none (RFC 4035 3.1.4).
Outcome Resolver::refer(const Record& cut) noexcept {
  const BlobHeader* servers = view_.blob(cut, wire::kTypeNs);
  if (servers == nullptr) return Outcome::kServFail;
  const std::uint16_t owner = place_.suffix(cut.name_size);
  std::size_t body_at = 0;
  bool fits = response_.put_body(*servers, Section::kAuthority, owner, place_.apex, body_at);
  if (const Denied denied = denied_by(cut); denied.chain != nullptr) {
    if (const BlobHeader* ds = blob(cut, wire::kTypeDs); ds != nullptr) {
      std::size_t ds_at = 0;
      fits = fits && response_.put_body(*ds, Section::kAuthority, owner, place_.apex, ds_at);
    } else {
      proofs_.add_no_data(denied, {view_.name_bytes(cut), cut.name_size}, *foreseen_);
    }
    fits = fits && proofs_.put(response_);
  }
  if (!fits || !response_.put_additional(*servers, body_at, place_.apex)) {
    response_.set_truncated();
  }
  return Outcome::kReferral;
}

// RFC 2308 2: the SOA of the zone that says no; and what its state has of the proof, if that is
// asked for.
Outcome Resolver::negative(const Record& in_zone, wire::Rcode rcode,
                           const BlobHeader* apex_denial) noexcept {
  std::size_t body_at = 0;
  const snapshot::ZoneState& state = view_.zone(in_zone);
  const BlobHeader& soa = query_.dnssec_ok ? *View::signed_negative_blob(state)
                                           : snapshot::negative_blob(state);
  if (!response_.put_body(soa, Section::kAuthority, place_.apex, place_.apex, body_at)) {
    response_.set_truncated();
  } else if (apex_denial != nullptr &&
             !response_.put_free(*apex_denial, Section::kAuthority, place_.apex)) {
    response_.set_truncated();
  }
  response_.set_rcode(rcode);
  return end(rcode == wire::Rcode::kNxDomain ? Outcome::kNxDomain : Outcome::kNoData);
}

Outcome Resolver::no_name(const Lookup& found, const snapshot::NameKey& key) noexcept {
  const Record& encloser = *found.encloser;
  enter_zone(encloser);
  if (!query_.dnssec_ok) return negative(encloser, wire::Rcode::kNxDomain);
  const Denied denied = denied_by(encloser);
  // What earlier links of a chain have proven may be in it: then each record is put by itself,
  // once.
  const BlobHeader* said =
      proofs_.count() == 0 ? apex_denial(view_.zone(encloser), found) : nullptr;
  if (said != nullptr) {
    proofs_.add_below_apex(denied, name_of(key), *said, *foreseen_);
  } else {
    proofs_.add_no_name(denied, name_of(key), found.closest_size, *foreseen_);
  }
  return negative(encloser, wire::Rcode::kNxDomain, said);
}

Outcome Resolver::no_data(const Lookup& found, const snapshot::NameKey& key) noexcept {
  const Record& encloser = *found.encloser;
  enter_zone(encloser);
  if (query_.dnssec_ok) {
    if (found.exact) {
      proofs_.add_no_data(denied_by(encloser), name_of(key), *foreseen_);
    } else {
      proofs_.add_wildcard(denied_by(encloser), name_of(key), found.closest_size, false);
    }
  }
  return negative(encloser, wire::Rcode::kNoError);
}

// RFC 4035 3.1.3.3: an answer by a wildcard says that the name itself is not there.
void Resolver::prove_wildcard(const Lookup& found, const snapshot::NameKey& key) noexcept {
  if (found.exact || !query_.dnssec_ok) return;
  proofs_.add_wildcard(denied_by(*found.encloser), name_of(key), found.closest_size, true);
}

// RFC 4035 3.1.4.1: the parent answers for DS, if it is served here.
Outcome Resolver::delegation_signer(const Record& apex) noexcept {
  const BlobHeader* ds = blob(apex, wire::kTypeDs);
  const Record* parent = view_.above(apex);
  if (parent == nullptr) parent = &apex;
  enter_zone(*parent);
  if (ds != nullptr) return answer(*ds);
  if (query_.dnssec_ok) {
    proofs_.add_no_data(denied_by(*parent), {view_.name_bytes(apex), apex.name_size});
  }
  return negative(*parent, wire::Rcode::kNoError);
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

// RFC 6672 3.2: puts the DNAME of `from`, which stands above `key`, and the CNAME that it makes of
// it, and makes `key` and place_ the target.
Resolver::Step Resolver::redirect(const Record& from, snapshot::NameKey& key,
                                  Outcome& outcome) noexcept {
  const BlobHeader* dname = blob(from, wire::kTypeDname);
  outcome = dname == nullptr ? Outcome::kServFail : Outcome::kData;
  if (dname == nullptr) return Step::kDone;
  std::uint64_t* const known = redirected_ + redirected_count_;
  if (std::find(redirected_, known, from.name_hash) == known) {  // RFC 2181 5: once
    redirected_[redirected_count_++] = from.name_hash;
    std::size_t body_at = 0;
    if (!response_.put_body(*dname, Section::kAnswer, place_.suffix(from.name_size), place_.apex,
                            body_at)) {
      response_.set_truncated();
      return Step::kDone;
    }
  }
  const auto suffix = snapshot::blob_target(*dname);
  const std::size_t prefix = key.size - from.name_size;
  if (prefix + suffix.size() > snapshot::kNameMax) {
    outcome = Outcome::kTooLong;
    return Step::kDone;
  }
  std::uint8_t target[snapshot::kNameMax];
  std::memcpy(target, key.bytes, prefix);
  std::memcpy(target + prefix, suffix.data(), suffix.size());
  const std::span<const std::uint8_t> name(target, prefix + suffix.size());
  std::size_t target_at = 0;
  if (!response_.put_made({place_.owner, wire::kTypeCname, wire::kClassIn, ttl_of(*dname), name},
                          target_at)) {
    response_.set_truncated();
    return Step::kDone;
  }
  if (query_.type == wire::kTypeCname || query_.type == wire::kTypeAny) return Step::kDone;
  snapshot::set_key(key, view_.hash_key(), target, name.size(), name.size());
  place_.owner = static_cast<std::uint16_t>(target_at);
  place_.name_size = static_cast<std::uint16_t>(name.size());
  return Step::kAgain;
}

// Whether an earlier link of the chain had this name: its record is not put twice (RFC 2181 5).
bool Resolver::is_loop(const snapshot::NameKey& key, int hop) noexcept {
  return std::find(passed_, passed_ + hop + 1, key.hash) != passed_ + hop + 1;
}

Outcome Resolver::run(Lookup found, snapshot::NameKey& key) noexcept {
  if (found.encloser == nullptr) return Outcome::kRefused;
  place_ = {wire::kHeaderSize, 0, query_.name_size};
  response_.set_authoritative(true);  // AA speaks of the first owner (RFC 1035 4.1.1)

  for (int hop = 0;; ++hop) {
    const Record& encloser = *found.encloser;
    passed_[hop] = key.hash;
    enter_zone(encloser);
    if ((encloser.flags & snapshot::kCut) != 0 && !(found.exact && query_.type == wire::kTypeDs)) {
      if (hop == 0) response_.set_authoritative(false);
      return refer(encloser);
    }
    if ((encloser.flags & snapshot::kRedirect) != 0 && found.record != &encloser) {
      Outcome outcome;
      if (redirect(encloser, key, outcome) == Step::kDone || hop == kChainMax) return end(outcome);
    } else {
      if (found.record == nullptr) return no_name(found, key);
      const Record& record = *found.record;
      if (query_.type == wire::kTypeDs && (record.flags & snapshot::kParentSide) != 0) {
        return delegation_signer(record);
      }
      if (const BlobHeader* blob = pick(record); blob != nullptr) {
        prove_wildcard(found, key);
        return answer(*blob);
      }
      if (query_.type == wire::kTypeRrsig && answer_signatures(record)) return end(Outcome::kData);
      if (query_.type == wire::kTypeNsec && answer_nsec(found, key)) return Outcome::kData;
      if ((record.flags & snapshot::kAlias) == 0) return no_data(found, key);

      // RFC 1034 4.3.2 step 3a: the alias is data; go on with its target where it is ours.
      const BlobHeader* alias = blob(record, wire::kTypeCname);
      if (alias == nullptr) return Outcome::kServFail;
      prove_wildcard(found, key);
      if (!follow(*alias, key) || hop == kChainMax) return end(Outcome::kData);
    }
    if (is_loop(key, hop)) return end(Outcome::kData);
    found = view_.lookup(key);
    if (found.encloser == nullptr) return end(Outcome::kData);
    foreseen_ = &kNothing;  // it was about the name that was asked for
  }
}

}  // namespace

Outcome resolve(const View& view, Slot& slot, Response& response) noexcept {
  return Resolver(view, slot, response).run(slot.found, slot.key);
}

}  // namespace brink::dns::answer
