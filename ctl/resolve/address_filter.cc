#include "ctl/resolve/address_filter.h"

#include <algorithm>
#include <array>

#include "dataplane/base/check.h"

namespace brink::ctl::resolve {
namespace {

Prefix known(std::string_view text) {
  const auto prefix = Prefix::parse(text);
  CHECK(prefix.has_value());
  return *prefix;
}

// Not globally reachable by RFC 6890's registry, or multicast, or reserved.
const std::array<Prefix, 16>& special_v4() {
  static const std::array<Prefix, 16> kPrefixes = {
      known("0.0.0.0/8"),         known("10.0.0.0/8"),     known("100.64.0.0/10"),
      known("127.0.0.0/8"),       known("169.254.0.0/16"), known("172.16.0.0/12"),
      known("192.0.0.0/24"),      known("192.0.2.0/24"),   known("192.88.99.0/24"),
      known("192.168.0.0/16"),    known("198.18.0.0/15"),  known("198.51.100.0/24"),
      known("203.0.113.0/24"),    known("224.0.0.0/4"),    known("240.0.0.0/4"),
      known("255.255.255.255/32")};
  return kPrefixes;
}

// Within 2000::/3, which is all global unicast there is: protocol assignments with Teredo,
// documentation, 6to4.
const std::array<Prefix, 4>& special_v6() {
  static const std::array<Prefix, 4> kPrefixes = {known("2001::/23"), known("2001:db8::/32"),
                                                  known("2002::/16"), known("3fff::/20")};
  return kPrefixes;
}

bool any_contains(const auto& prefixes, const base::IpAddress& address) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const Prefix& prefix) { return prefix.contains(address); });
}

}  // namespace

bool is_public(const base::IpAddress& address) {
  static const Prefix kGlobalUnicast = known("2000::/3");
  if (address.is_v4()) return !any_contains(special_v4(), address);
  return kGlobalUnicast.contains(address) && !any_contains(special_v6(), address);
}

AddressFilter::AddressFilter(std::vector<Prefix> allowed, std::vector<base::IpAddress> own)
    : allowed_(std::move(allowed)), own_(std::move(own)) {
  std::sort(own_.begin(), own_.end());
}

bool AddressFilter::admits(const base::IpAddress& address) const {
  if (std::binary_search(own_.begin(), own_.end(), address)) return false;
  return is_public(address) || any_contains(allowed_, address);
}

}  // namespace brink::ctl::resolve
