#include "dns/dnssec/signed_zone_check.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "dns/dnssec/denial_check.h"
#include "dns/dnssec/signature.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

using zone::Findings;
using zone::Node;
using zone::Rrset;
using zone::Severity;

constexpr std::int32_t kEndsSoon = 3 * 86'400;  // seconds

bool is_of_nsec3_chain(const Node& node) {
  return node.find(kTypeNsec3) != nullptr;
}

// Serial arithmetic (RFC 4034 3.1.5): seconds from `a` to `b`.
std::int32_t from_to(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(b - a);
}

std::string date_text(std::uint32_t time, std::uint32_t now) {
  const std::time_t seconds = static_cast<std::time_t>(now) + from_to(now, time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

class SignatureCheck {
 public:
  SignatureCheck(const zone::Zone& zone, const SignedZoneCheck& options, Findings& findings)
      : zone_(zone), options_(options), findings_(findings) {}

  void run();

 private:
  [[nodiscard]] std::vector<const Rrset*> signed_sets(const Node& node) const;
  void take_keys();
  void check(const Node& node, const Rrset& set);
  // Empty: nothing is wrong with it.
  std::string fault_of(const Node& node, const Rrset& set, const Wire& rrsig);
  std::string times_fault(const RrsigFields& fields);
  void tell_end();
  void tell(Severity severity, const Wire& owner, std::uint16_t type, std::string what,
            std::string remedy = "sign the zone again") {
    findings_.push_back({severity, owner, type, std::move(what), std::move(remedy)});
  }

  const zone::Zone& zone_;
  const SignedZoneCheck& options_;
  Findings& findings_;
  std::vector<Wire> keys_;
  std::set<std::uint8_t> algorithms_;  // of the keys
  std::size_t count_ = 0, stride_ = 1;
  std::optional<std::uint32_t> first_end_;
};

std::vector<const Rrset*> SignatureCheck::signed_sets(const Node& node) const {
  std::vector<const Rrset*> sets;
  for (const Rrset& set : node.rrsets) {
    const bool is_chain = set.type == kTypeNsec3 && is_of_nsec3_chain(node);
    if (is_chain || is_signed_type(node, set.type)) sets.push_back(&set);
  }
  return sets;
}

void SignatureCheck::take_keys() {
  const Rrset* set = zone_.find(zone_.apex())->find(kTypeDnskey);
  if (set == nullptr) {
    return tell(Severity::kError, zone_.apex(), kTypeDnskey,
                "the zone has no DNSKEY records: nobody can verify its signatures");
  }
  for (const Wire& rdata : set->rdata) {
    const auto algorithm = dnskey_algorithm(rdata);
    if (!algorithm) continue;
    keys_.push_back(rdata);
    if (!algorithms_.insert(*algorithm).second || algorithm_from_number(*algorithm)) continue;
    tell(Severity::kWarning, zone_.apex(), kTypeDnskey,
         "signatures of algorithm " + std::to_string(*algorithm) + " cannot be verified here",
         "see RFC 8624 for algorithms that resolvers know");
  }
}

void SignatureCheck::run() {
  take_keys();
  if (keys_.empty()) return;
  std::size_t signatures = 0;
  for (const Node& node : zone_.nodes()) {
    for (const Rrset* set : signed_sets(node)) signatures += set->signatures.size();
  }
  if (options_.verified_max == 0) {
    stride_ = ~std::size_t{0};
  } else {
    stride_ =
        std::max<std::size_t>(1, (signatures + options_.verified_max - 1) / options_.verified_max);
  }
  // The apex holds what everything else rests on.
  const Node& apex = *zone_.find(zone_.apex());
  for (const Rrset* set : signed_sets(apex)) check(apex, *set);
  for (const Node& node : zone_.nodes()) {
    if (findings_.size() >= options_.findings_max) return;
    if (&node == &apex) continue;
    for (const Rrset* set : signed_sets(node)) check(node, *set);
  }
  tell_end();
}

void SignatureCheck::check(const Node& node, const Rrset& set) {
  if (set.signatures.empty()) {
    return tell(Severity::kError, node.owner, set.type, "the signature is missing");
  }
  std::set<std::uint8_t> missing = algorithms_;
  std::string fault;
  bool is_proven = false;
  for (const Wire& rrsig : set.signatures) {
    std::string wrong = fault_of(node, set, rrsig);
    if (wrong.empty()) {
      is_proven = true;
      missing.erase(static_cast<std::uint8_t>(rrsig[2]));
    } else {
      fault = std::move(wrong);
    }
  }
  if (!fault.empty()) {
    tell(is_proven ? Severity::kWarning : Severity::kError, node.owner, set.type, fault);
  } else if (!missing.empty()) {  // RFC 4035 2.2
    tell(Severity::kWarning, node.owner, set.type,
         "it has no signature of algorithm " + std::to_string(*missing.begin()) +
             ", of which there are keys");
  }
}

std::string SignatureCheck::times_fault(const RrsigFields& fields) {
  const auto [inception, expiration] = fields.validity;
  if (from_to(inception, options_.now) < 0) {
    return "the signature is not valid before " + date_text(inception, options_.now);
  }
  if (from_to(options_.now, expiration) < 0) {
    return "the signature has expired on " + date_text(expiration, options_.now);
  }
  if (!first_end_ || from_to(expiration, *first_end_) > 0) first_end_ = expiration;
  return "";
}

std::string SignatureCheck::fault_of(const Node& node, const Rrset& set, const Wire& rrsig) {
  const auto fields = read_rrsig(rrsig);
  if (!fields) return "a malformed signature";
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Wire& each) {
    return key_tag(each) == fields->key_tag && dnskey_algorithm(each) == fields->algorithm;
  });
  if (key == keys_.end()) {
    return "a signature of key " + std::to_string(fields->key_tag) + ", algorithm " +
           std::to_string(fields->algorithm) + ", which is not among the zone's DNSKEY records";
  }
  if (auto fault = times_fault(*fields); !fault.empty()) return fault;
  if (set.ttl > fields->original_ttl) {
    return "its TTL is " + std::to_string(set.ttl) + ", " + std::to_string(fields->original_ttl) +
           " was signed";
  }
  const bool is_known = algorithm_from_number(fields->algorithm).has_value();
  if (!is_known || (node.owner != zone_.apex() && count_++ % stride_ != 0)) return "";
  // Keys may have the same tag.
  std::string fault;
  for (const Wire& each : keys_) {
    if (key_tag(each) != fields->key_tag || dnskey_algorithm(each) != fields->algorithm) continue;
    const auto verified =
        verify_signature(zone_.apex(), each, node.owner, set, rrsig, std::nullopt);
    if (verified) return "";
    fault = verified.error().what;
  }
  return fault;
}

void SignatureCheck::tell_end() {
  if (!first_end_ || from_to(options_.now, *first_end_) > kEndsSoon) return;
  tell(Severity::kWarning, zone_.apex(), kTypeRrsig,
       "the first signatures expire on " + date_text(*first_end_, options_.now),
       "sign the zone again and bring it in before");
}

}  // namespace

bool is_signed_zone(const zone::Zone& zone) {
  const Node& apex = *zone.find(zone.apex());
  const bool has_keys = std::any_of(apex.rrsets.begin(), apex.rrsets.end(), [](const Rrset& set) {
    return set.type == kTypeDnskey || set.type == kTypeNsec || set.type == kTypeNsec3Param;
  });
  return has_keys || !zone.soa().signatures.empty();
}

Findings check_signed_zone(const zone::Zone& zone, const SignedZoneCheck& options) {
  Findings findings;
  SignatureCheck(zone, options, findings).run();
  if (findings.size() < options.findings_max) DenialCheck(zone, findings).run();
  if (findings.size() > options.findings_max) findings.resize(options.findings_max);
  return findings;
}

}  // namespace brink::dns::dnssec
