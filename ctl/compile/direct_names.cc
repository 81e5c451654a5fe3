#include "ctl/compile/direct_names.h"

#include <algorithm>

#include "ctl/compile/origins.h"
#include "dataplane/secret/digest.h"

namespace brink::ctl::compile {
namespace {

using model::DomainName;

constexpr std::size_t kTokenSize = 6;
constexpr char kMailLabel[] = "_dc-mx.";
constexpr char kServicePrefix[] = "dc-";

std::string token_of(const DirectSecret& secret, const DomainName& apex, const DomainName& target) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto of_zone = secret::hmac_sha256(secret, apex.wire());
  const auto digest = secret::hmac_sha256(of_zone, target.wire());
  std::string token;
  for (std::size_t i = 0; i < kTokenSize; ++i) {
    token += kDigits[digest[i] >> 4];
    token += kDigits[digest[i] & 15];
  }
  return token;
}

bool is_token(std::string_view text) {
  return text.size() == 2 * kTokenSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<DomainName> DirectNames::name_for(const DomainName& apex, model::RecordType type,
                                                const DomainName& target) const {
  const std::string first = type == model::kTypeMx ? kMailLabel : kServicePrefix;
  auto name = DomainName::parse(first + token_of(*options_.direct_secret, apex, target) + "." +
                                apex.text());
  return name ? std::optional(std::move(name).value()) : std::nullopt;  // else it is too long
}

std::optional<DomainName> DirectNames::instead_of(const model::Zone& zone, model::RecordType type,
                                                  const DomainName& target) {
  if (!options_.direct_secret || zone.dnssec.presigned) return std::nullopt;
  const model::Zone* owner = lookups_.zone_of(target);
  if (owner == nullptr || owner->row != zone.row) return std::nullopt;
  if (!follow(lookups_, target).is_proxied) return std::nullopt;
  auto name = name_for(zone.name, type, target);
  const bool is_free = name && lookups_.zone_of(*name)->row == zone.row &&
                       !lookups_.is_occluded(zone, *name) && lookups_.entries(zone, *name).empty();
  return is_free ? name : std::nullopt;
}

std::string DirectNames::key_of(const DomainName& name) {
  const store::TreeKey key = store::tree_key(name);
  return {key.begin(), key.end()};
}

bool DirectNames::is_served(const model::Zone& zone, const DomainName& owner) {
  if (lookups_.zone_of(owner)->row != zone.row || lookups_.is_occluded(zone, owner)) return false;
  return owner == zone.name || !has_type(lookups_.entries(zone, owner), model::kTypeNs);
}

const DirectNames::Map& DirectNames::of(const model::Zone& zone) {
  if (known_row_ == zone.row) return known_;
  known_.clear();
  known_row_ = zone.row;
  if (!options_.direct_secret) return known_;
  for (const store::Exchange& exchange : lookups_.exchanges(zone)) {
    if (!is_served(zone, exchange.owner)) continue;
    const auto name = instead_of(zone, exchange.type, exchange.target);
    if (name) known_.try_emplace(key_of(*name), DirectName{*name, exchange.target});
  }
  return known_;
}

const DirectName* DirectNames::find(const model::Zone& zone, const DomainName& name) {
  if (!is_place(zone.name, name)) return nullptr;
  const Map& known = of(zone);
  const auto found = known.find(key_of(name));
  return found == known.end() ? nullptr : &found->second;
}

std::vector<DomainName> DirectNames::candidates(const DomainName& apex,
                                                const DomainName& target) const {
  std::vector<DomainName> names;
  if (!options_.direct_secret) return names;
  for (const model::RecordType type : {model::kTypeMx, model::kTypeSrv}) {
    if (auto name = name_for(apex, type, target)) names.push_back(*std::move(name));
  }
  return names;
}

// By the label just below the apex.
bool DirectNames::is_place(const DomainName& apex, const DomainName& name) {
  if (!name.is_within(apex) || name == apex) return false;
  std::string_view text = name.text();
  text.remove_suffix(apex.is_root() ? 0 : apex.text().size() + 1);
  const std::string_view label = text.substr(text.rfind('.') + 1);
  return is_token(label) ||
         (label.starts_with(kServicePrefix) && is_token(label.substr(sizeof kServicePrefix - 1)));
}

}  // namespace brink::ctl::compile
