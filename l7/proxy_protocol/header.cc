#include "l7/proxy_protocol/header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "dataplane/base/bytes.h"

namespace brink::l7::proxy_protocol {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kLineStart = "PROXY ";
constexpr std::array<std::uint8_t, 12> kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                     0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
// Version 2, section 2.2:
//   OFFSET SIZE  MEANING
//   0      12    signature
//   12     1     version (2) above command
//   13     1     address family above transport
//   14     2     octets that follow, network order
//   16     ..    addresses, then TLVs
constexpr std::size_t kFixedSize = 16;
constexpr std::size_t kAddressesV4 = 12;  // two addresses, two ports
constexpr std::size_t kAddressesV6 = 36;
constexpr std::size_t kAddressesUnix = 216;
static_assert(kFixedSize + kAddressesV6 <= kLookMax);

constexpr std::uint8_t kLocal = 0x20;
constexpr std::uint8_t kProxy = 0x21;

// Whether both begin alike, as far as both go.
bool begins_alike(Bytes bytes, const void* start, std::size_t size) noexcept {
  return std::memcmp(bytes.data(), start, std::min(bytes.size(), size)) == 0;
}

// Takes the text before the next space, or all that is left.
std::string_view take_word(std::string_view& line) noexcept {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

bool read_port(std::string_view text, std::uint16_t& out) noexcept {
  if (text.size() > 1 && text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// "192.0.2.1 192.0.2.2 1000 80"
bool read_line_addresses(std::string_view line, bool v4, Addresses& out) noexcept {
  // A space at the end would be an empty word that nobody reads.
  if (line.ends_with(' ')) return false;
  const auto source = base::IpAddress::parse(take_word(line));
  const auto destination = base::IpAddress::parse(take_word(line));
  if (!source || !destination) return false;
  // Of TCP6, mapped addresses are as good as others.
  if (v4 && !(source->is_v4() && destination->is_v4())) return false;
  out.source.address = *source;
  out.destination.address = *destination;
  return read_port(take_word(line), out.source.port) &&
         read_port(take_word(line), out.destination.port) && line.empty();
}

Verdict read_v1(Bytes bytes, Header& out) noexcept {
  const Bytes looked = bytes.first(std::min(bytes.size(), kV1SizeMax));
  const std::string_view text(reinterpret_cast<const char*>(looked.data()), looked.size());
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return text.size() < kV1SizeMax ? Verdict::kIncomplete : Verdict::kMalformed;
  }
  if (text[end - 1] != '\r') return Verdict::kMalformed;
  std::string_view line(text.data() + kLineStart.size(), end - 1 - kLineStart.size());
  out = {Version::kV1, end + 1, {}};
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") return Verdict::kOk;  // the rest of the line says nothing
  Addresses addresses;
  const bool known = protocol == "TCP4" || protocol == "TCP6";
  if (!known || !read_line_addresses(line, protocol == "TCP4", addresses)) {
    return Verdict::kMalformed;
  }
  out.addresses = addresses;
  return Verdict::kOk;
}

Addresses read_v4(const std::uint8_t* at) noexcept {
  return {{base::IpAddress::v4_from_wire(at), base::load_be16(at + 8)},
          {base::IpAddress::v4_from_wire(at + 4), base::load_be16(at + 10)}};
}

Addresses read_v6(const std::uint8_t* at) noexcept {
  return {{base::IpAddress::v6_from_wire(at), base::load_be16(at + 32)},
          {base::IpAddress::v6_from_wire(at + 16), base::load_be16(at + 34)}};
}

// The size of a family's addresses; none: no such family or transport.
std::optional<std::size_t> address_size(std::uint8_t family) noexcept {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
    case 0x12:
      return kAddressesV4;
    case 0x21:
    case 0x22:
      return kAddressesV6;
    case 0x31:
    case 0x32:
      return kAddressesUnix;
    default:
      return {};
  }
}

Verdict read_v2(Bytes bytes, Header& out) noexcept {
  if (bytes.size() > 12 && bytes[12] != kLocal && bytes[12] != kProxy) return Verdict::kMalformed;
  if (bytes.size() < kFixedSize) return Verdict::kIncomplete;
  const std::uint8_t family = bytes[13];
  const std::size_t length = base::load_be16(bytes.data() + 14);
  out = {Version::kV2, kFixedSize + length, {}};
  if (out.size > kV2SizeMax) return Verdict::kMalformed;
  if (bytes[12] == kLocal) return Verdict::kOk;  // whatever the family says
  const auto size = address_size(family);
  if (!size || *size > length) return Verdict::kMalformed;
  const bool over_tcp = family == 0x11 || family == 0x21;
  if (!over_tcp) return Verdict::kOk;
  if (bytes.size() < kFixedSize + *size) return Verdict::kIncomplete;
  const std::uint8_t* const at = bytes.data() + kFixedSize;
  out.addresses = family == 0x11 ? read_v4(at) : read_v6(at);
  return Verdict::kOk;
}

// Text into `out`, one piece after the other; there is room for every line that can be.
class Line {
 public:
  explicit Line(std::span<std::uint8_t, kWrittenMax> out) noexcept : out_(out) {}

  void add(std::string_view text) noexcept {
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void add(std::uint16_t number) noexcept {
    char* const at = reinterpret_cast<char*>(out_.data() + size_);
    size_ += static_cast<std::size_t>(std::to_chars(at, at + 5, number).ptr - at);
  }
  // `v4` false: an IPv4 address in its mapped form.
  void add(const base::IpAddress& address, bool v4) noexcept {
    if (!v4 && address.is_v4()) add("::ffff:");
    add(address.text().view());
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::span<std::uint8_t, kWrittenMax> out_;
  std::size_t size_ = 0;
};

std::size_t write_v1(const Addresses& addresses, bool v4,
                     std::span<std::uint8_t, kWrittenMax> out) noexcept {
  Line line(out);
  line.add(kLineStart);
  line.add(v4 ? "TCP4 " : "TCP6 ");
  line.add(addresses.source.address, v4);
  line.add(" ");
  line.add(addresses.destination.address, v4);
  line.add(" ");
  line.add(addresses.source.port);
  line.add(" ");
  line.add(addresses.destination.port);
  line.add("\r\n");
  return line.size();
}

std::size_t write_v2(const Addresses& addresses, bool v4,
                     std::span<std::uint8_t, kWrittenMax> out) noexcept {
  const std::size_t length = v4 ? kAddressesV4 : kAddressesV6;
  std::uint8_t* at = out.data();
  std::memcpy(at, kSignature.data(), kSignature.size());
  at[12] = kProxy;
  at[13] = v4 ? 0x11 : 0x21;
  base::store_be16(at + 14, static_cast<std::uint16_t>(length));
  at += kFixedSize;
  for (const base::Endpoint* end : {&addresses.source, &addresses.destination}) {
    const std::size_t size = v4 ? 4 : 16;
    std::memcpy(at, v4 ? end->address.v4_wire() : end->address.bytes().data(), size);
    at += size;
  }
  base::store_be16(at, addresses.source.port);
  base::store_be16(at + 2, addresses.destination.port);
  return kFixedSize + length;
}

}  // namespace

Verdict read_header(Bytes bytes, Header& out) noexcept {
  if (bytes.empty()) return Verdict::kIncomplete;
  Header header;
  Verdict verdict = Verdict::kMalformed;
  if (begins_alike(bytes, kSignature.data(), kSignature.size())) {
    verdict = read_v2(bytes, header);
  } else if (begins_alike(bytes, kLineStart.data(), kLineStart.size())) {
    verdict = read_v1(bytes, header);
  }
  if (verdict == Verdict::kOk) out = header;
  return verdict;
}

std::size_t write_header(Version version, const Addresses& addresses,
                         std::span<std::uint8_t, kWrittenMax> out) noexcept {
  const bool v4 = addresses.source.address.is_v4() && addresses.destination.address.is_v4();
  return version == Version::kV1 ? write_v1(addresses, v4, out) : write_v2(addresses, v4, out);
}

}  // namespace brink::l7::proxy_protocol
