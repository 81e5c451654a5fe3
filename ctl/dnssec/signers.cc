#include "ctl/dnssec/signers.h"

#include "ctl/dnssec/zone_keys.h"
#include "ctl/store/dnssec_keys.h"
#include "dns/dnssec/signature.h"

namespace brink::ctl::dnssec {
namespace {

using dns::dnssec::KeyUse;
using dns::dnssec::SigningKey;
using dns::zone::Rrset;
using dns::zone::Wire;

struct OpenKey {
  SigningKey key;
  std::uint16_t flags;
  KeyUse use;
};

class KeySigner : public ZoneSigner {
 public:
  KeySigner(Wire apex, std::vector<OpenKey> keys, std::vector<Rrset> apex_rrsets,
            const dns::dnssec::SignaturePolicy& policy)
      : apex_(std::move(apex)),
        keys_(std::move(keys)),
        apex_rrsets_(std::move(apex_rrsets)),
        policy_(policy) {}

  [[nodiscard]] base::Result<std::vector<Wire>> sign(const Wire& owner, const Rrset& rrset,
                                                     const Wire& scheduled_by,
                                                     model::Timestamp now) const override {
    const auto validity = dns::dnssec::validity_at(policy_, scheduled_by, seconds_of(now));
    std::vector<Wire> signatures;
    for (const OpenKey& each : keys_) {
      if (!does_sign(each.use, rrset.type)) continue;
      signatures.push_back(
          dns::dnssec::sign_rrset(each.key, each.flags, apex_, owner, rrset, validity));
    }
    return signatures;
  }
  [[nodiscard]] const std::vector<Rrset>& apex_rrsets() const override { return apex_rrsets_; }

 private:
  static bool does_sign(const KeyUse& use, std::uint16_t type) {
    if (type == dns::dnssec::kTypeDnskey) return use.signs_dnskey;
    if (type == dns::dnssec::kTypeCds || type == dns::dnssec::kTypeCdnskey) return use.signs_cds;
    return use.signs_zone;
  }

  const Wire apex_;
  const std::vector<OpenKey> keys_;
  const std::vector<Rrset> apex_rrsets_;
  const dns::dnssec::SignaturePolicy policy_;
};

base::Error unreadable(const model::Zone& zone, const std::string& why) {
  return {"a DNSSEC key of the zone cannot be opened: " + why, zone.name.text(),
          "put back the key file that the store was used with"};
}

}  // namespace

base::Result<std::shared_ptr<const ZoneSigner>> StoreSigners::of(const model::Zone& zone) {
  if (!zone.dnssec.is_signed()) return std::shared_ptr<const ZoneSigner>();
  const auto known = places_.find(zone.id);
  if (known != places_.end() && known->second->key_set == zone.dnssec.key_set) {
    known_.splice(known_.begin(), known_, known->second);
    return known->second->signer;
  }
  auto opened = open(zone);
  if (opened) keep({zone.id, zone.dnssec.key_set, opened.value()});
  return opened;
}

void StoreSigners::keep(Known known) {
  if (const auto old = places_.find(known.zone); old != places_.end()) known_.erase(old->second);
  known_.push_front(std::move(known));
  places_[known_.front().zone] = known_.begin();
  if (known_.size() <= zones_max_) return;
  places_.erase(known_.back().zone);
  known_.pop_back();
}

base::Result<std::shared_ptr<const ZoneSigner>> StoreSigners::open(const model::Zone& zone) {
  store::DnssecKeys keys(store_);
  std::vector<OpenKey> opened;
  for (const store::DnssecKey& key : keys.of(zone.id)) {
    const KeyUse& use = key.use;
    if (!use.signs_dnskey && !use.signs_cds && !use.signs_zone) continue;
    const auto number = dns::dnssec::dnskey_algorithm(key.key.dnskey);
    const auto algorithm = number ? dns::dnssec::algorithm_from_number(*number) : std::nullopt;
    if (!algorithm) return unreadable(zone, "its DNSKEY is damaged");
    auto pem = box_.open(key.sealed_key, key_context(key.id));
    if (!pem) return unreadable(zone, pem.error().message());
    std::string text = std::move(pem).value();
    auto signing_key = SigningKey::from_pem(*algorithm, text);
    dns::dnssec::wipe(text);
    if (!signing_key) return unreadable(zone, signing_key.error().message());
    opened.push_back({std::move(signing_key).value(), dns::dnssec::flags_of(key.key.role), use});
  }
  return std::shared_ptr<const ZoneSigner>(std::make_shared<KeySigner>(
      wire_of(zone.name), std::move(opened), keys.zone(zone.id).apex, policy_));
}

}  // namespace brink::ctl::dnssec
