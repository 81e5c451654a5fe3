#include "ctl/identity/network.h"

#include <charconv>

namespace brink::ctl::identity {

base::IpAddress masked(const base::IpAddress& address, unsigned prefix) {
  auto bytes = address.bytes();
  const unsigned bits = address.is_v4() ? prefix + 96 : prefix;
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = bits <= 8 * i ? 0 : std::min(bits - 8 * i, 8U);
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
  return base::IpAddress::v6_from_wire(bytes.data());
}

std::optional<Network> Network::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = base::IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned prefix_max = address->is_v4() ? 32 : 128;
  unsigned prefix = prefix_max;
  if (slash != text.size()) {
    const char* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data() + slash + 1, end, prefix);
    if (error != std::errc() || last != end || prefix > prefix_max) return std::nullopt;
  }
  return Network{masked(*address, prefix), prefix};
}

std::string Network::text() const {
  return std::string(address.text().view()) + "/" + std::to_string(prefix);
}

bool Network::contains(const base::IpAddress& other) const {
  return other.is_v4() == address.is_v4() && masked(other, prefix) == address;
}

}  // namespace brink::ctl::identity
