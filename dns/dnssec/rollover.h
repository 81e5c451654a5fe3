// Rollover: which keys a zone has, what each of them does, and when that changes, as a pure
// function of the keys, the policy, the time and what the parent shows (RFC 6781, 7583; CDS: RFC
// 7344, 8078). It makes no keys and signs nothing. Cold. Thread-safe.
//
// How keys are replaced:
//   ZSK        pre-publication (RFC 7583 3.2.1)
//   KSK, CSK   double signature of the DNSKEY RRset, then the DS (RFC 7583 3.3.1, RFC 6781 4.1.3)
//   the set    another algorithm, or split instead of CSK and back: signatures first, DNSKEYs, DS,
//              and back in the order DS, DNSKEYs, signatures (RFC 6781 4.1.4, conservative)
//   the end    DS removed (CDS and CDNSKEY of RFC 8078 4 ask for it), then everything else
// One rollover of a role at a time; one of the set excludes all others. A set of keys that is left
// as it is stays valid for ever, so every wait may last longer than planned, and a parent that
// never moves only stops the rollover.
//
// Waits assume that what a step says is served everywhere `propagation_s` after that step: DNSKEY,
// CDS and CDNSKEY with their signatures; that every other signature is the one which the step says
// `resign_s` after it; and that no TTL in the zone is greater than the policy's. Who lowers a TTL
// in the policy does so when the old one has passed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dns/dnssec/algorithm.h"
#include "dns/dnssec/delegation_signer.h"
#include "dns/dnssec/schedule.h"
#include "dns/zone/zone.h"

namespace brink::dns::dnssec {

enum class Role : std::uint8_t {
  kKsk,  // signs DNSKEY, CDS and CDNSKEY; a DS names it
  kZsk,  // signs everything else
  kCsk,  // both
};

// In the order a key goes through them; kPresigned and kWithdrawn only where the set is replaced.
enum class KeyState : std::uint8_t {
  kPresigned,  // the zone bears its signatures, but not its DNSKEY
  kPublished,  // its DNSKEY is there, but caches may hold the RRset without it
  kReady,      // no cache is without its DNSKEY; KSK, CSK: CDS names it, its DS is waited for
  kActive,     // in use
  kRetired,    // another one is in use; caches may hold its DS or signatures
  kWithdrawn,  // its DNSKEY is gone, its signatures stay until no cache holds the DNSKEY
};

// One key as the caller stores it.
struct Key {
  std::string id;  // the caller's
  Role role = Role::kCsk;
  KeyState state = KeyState::kPublished;
  UnixTime since = 0;     // of the state
  bool with_set = false;  // it comes or goes with its whole set: it signs all the while
  bool ds_shown = false;  // the parent showed its DS when last looked
  UnixTime ds_since = 0;  // since when that is so, as far as was seen
  Wire dnskey;            // data of its DNSKEY; says algorithm, flags and tag

  bool operator==(const Key&) const = default;
};

// What a zone keeps between steps. An unsigned zone has an empty one.
struct KeySet {
  std::vector<Key> keys;
  std::optional<UnixTime> no_ds_since;  // the parent showed no DS, and CDS asked for none, since
  bool roll_ksk = false;  // start a rollover of the KSK or CSK as soon as none is running; set by
  bool roll_zsk = false;  // the caller, cleared by the step that starts it. Likewise the ZSK

  bool operator==(const KeySet&) const = default;
};

struct RolloverPolicy {
  bool sign = true;  // false: leave DNSSEC
  Algorithm algorithm = Algorithm::kEcdsaP256Sha256;
  int rsa_bits = kRsaBitsDefault;
  bool split = false;                     // KSK and ZSK instead of one CSK
  std::uint32_t ksk_lifetime_s = 0;       // of KSK or CSK in state kActive; 0: until asked
  std::uint32_t zsk_lifetime_s = 0;       // likewise
  std::uint32_t dnskey_ttl_s = 3'600;     // of DNSKEY, CDS and CDNSKEY
  std::uint32_t zone_ttl_max_s = 86'400;  // greatest TTL of any RRset, and of negative answers
  std::uint32_t propagation_s = 300;      // until every server of the zone serves a change
  std::uint32_t resign_s = 0;             // until every RRset is signed as the step says
  std::uint32_t parent_ds_ttl_s = 86'400;
  std::uint32_t parent_propagation_s = 3'600;  // until every server of the parent shows a change
  DigestType cds_digest = DigestType::kSha256;
};

// A key that the caller makes and adds to the set: see make_key.
struct NewKey {
  Role role = Role::kCsk;
  Algorithm algorithm = Algorithm::kEcdsaP256Sha256;
  int rsa_bits = kRsaBitsDefault;
  KeyState state = KeyState::kPublished;
  bool with_set = false;
};

// What one key does, as its state and role say.
struct KeyUse {
  bool in_dnskey = false;     // its DNSKEY stands in the zone
  bool signs_dnskey = false;  // it signs the DNSKEY RRset
  bool signs_cds = false;     // it signs CDS and CDNSKEY
  bool signs_zone = false;    // it signs every other RRset
  bool in_cds = false;        // CDS and CDNSKEY name it: the parent ought to show its DS
};
KeyUse use_of(const Key& key, const KeySet& set, bool sign);

// Flags of the DNSKEY of a key in this role.
std::uint16_t flags_of(Role role);

struct Step {
  KeySet set;                        // what to store; without `removed`, and without `create`
  std::vector<std::string> removed;  // ids of keys to delete
  // Keys to make, and add to `set`: then step again at the same time, before publishing.
  std::vector<NewKey> create;
  // For the apex; without data: there is no such RRset. Nothing in DNSKEY: the zone is unsigned,
  // unless some key is kPresigned.
  zone::Rrset dnskey, cds, cdnskey;
  std::vector<KeyUse> uses;  // of `set.keys`, in their order
  // The parent does not show what CDS asks for: an operator or the parent has to act.
  bool waits_for_parent = false;
  // When to step again at the latest; empty: time alone changes nothing. While waits_for_parent,
  // and while a DS is waited for, the caller looks at the parent at intervals of its own besides.
  std::optional<UnixTime> next_event;
};

// One step of the zone `apex` at `now`. `parent_ds`: data of the DS records that the servers of the
// parent (asked themselves, not a cache) show now, none being an answer too; empty: it was not
// looked. What rests on the DS is done only by a step that has looked. Calling it late, twice, or
// with a clock that went back is harmless. A parent that goes back and forth between two looks goes
// unseen: look more often than that can happen.
Step step(const KeySet& set, const RolloverPolicy& policy, const Wire& apex, UnixTime now,
          const std::optional<std::vector<Wire>>& parent_ds);

// The entry of `set` for a key made as `wanted` says. `dnskey` is its data with flags_of(role).
Key make_key(const NewKey& wanted, std::string id, Wire dnskey, UnixTime now);

// Whether some key of the set has this algorithm and tag: then make another, for both would be
// tried by validators (RFC 4034 appendix B: a tag is no name).
bool is_tag_taken(const KeySet& set, const Wire& dnskey);

}  // namespace brink::dns::dnssec
