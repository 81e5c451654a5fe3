#include "dns/dnssec/denial.h"

#include <openssl/evp.h>

#include <algorithm>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dns/wire/message.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

constexpr std::uint8_t kHashSha1 = 1;    // RFC 5155 11
constexpr std::uint8_t kFlagOptOut = 1;  // RFC 5155 3.1.2.1
constexpr std::size_t kHashLabelSize = 32;
constexpr std::size_t kSaltMax = 255;
constexpr char kBase32Hex[] = "0123456789abcdefghijklmnopqrstuv";  // RFC 4648 7, lower case

std::uint8_t lower(char c) {
  return static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

// Offsets of a name's labels, from the first; without the root.
struct Labels {
  std::array<std::uint8_t, wire::kNameMax / 2 + 1> at;
  std::size_t count = 0;

  explicit Labels(const Wire& name) {
    std::size_t offset = 0;
    while (name[offset] != 0 && count < at.size()) {
      at[count++] = static_cast<std::uint8_t>(offset);
      offset += 1U + static_cast<std::uint8_t>(name[offset]);
    }
  }
};

std::strong_ordering label_order(const char* a, const char* b) {
  const std::size_t a_size = static_cast<std::uint8_t>(*a), b_size = static_cast<std::uint8_t>(*b);
  for (std::size_t i = 1; i <= std::min(a_size, b_size); ++i) {
    const auto order = lower(a[i]) <=> lower(b[i]);
    if (order != 0) return order;
  }
  return a_size <=> b_size;
}

void put_parameters(Wire& out, const Nsec3Parameters& parameters, std::uint8_t flags) {
  CHECK(parameters.salt.size() <= kSaltMax);
  out += static_cast<char>(kHashSha1);
  out += static_cast<char>(flags);
  out += static_cast<char>(parameters.iterations >> 8);
  out += static_cast<char>(parameters.iterations);
  out += static_cast<char>(parameters.salt.size());
  out += parameters.salt;
}

int base32_digit(char c) {
  const auto digit = static_cast<char>(lower(c));
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'a' && digit <= 'v' ? digit - 'a' + 10 : -1;
}

Nsec3Hash sha1(std::string_view octets) {
  Nsec3Hash hash;
  CHECK(EVP_Digest(octets.data(), octets.size(), hash.data(), nullptr, EVP_sha1(), nullptr) == 1);
  return hash;
}

}  // namespace

std::strong_ordering canonical_order(const Wire& a, const Wire& b) {
  const Labels a_labels(a), b_labels(b);
  const std::size_t common = std::min(a_labels.count, b_labels.count);
  for (std::size_t i = 1; i <= common; ++i) {
    const auto order = label_order(a.data() + a_labels.at[a_labels.count - i],
                                   b.data() + b_labels.at[b_labels.count - i]);
    if (order != 0) return order;
  }
  return a_labels.count <=> b_labels.count;
}

std::vector<std::uint16_t> denial_types(std::span<const std::uint16_t> types, bool cut,
                                        DenialKind kind) {
  std::vector<std::uint16_t> shown;
  bool proven = kind == DenialKind::kNsec;  // NSEC is itself signed
  for (const std::uint16_t type : types) {
    if (cut && type != zone::kTypeNs && type != zone::kTypeDs) continue;
    if (type == kTypeNsec || type == kTypeNsec3 || type == kTypeRrsig) continue;
    shown.push_back(type);
    if (!cut || type == zone::kTypeDs) proven = true;
  }
  if (shown.empty()) return shown;
  if (proven) shown.push_back(kTypeRrsig);
  if (kind == DenialKind::kNsec) shown.push_back(kTypeNsec);
  std::sort(shown.begin(), shown.end());
  shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
  return shown;
}

Wire type_bitmap(std::span<const std::uint16_t> types) {
  std::vector<std::uint16_t> sorted(types.begin(), types.end());
  std::sort(sorted.begin(), sorted.end());
  Wire bitmap;
  for (std::size_t i = 0; i < sorted.size();) {
    const int window = sorted[i] >> 8;
    std::array<std::uint8_t, 32> bits{};
    std::size_t size = 0;
    for (; i < sorted.size() && sorted[i] >> 8 == window; ++i) {
      const std::size_t octet = (sorted[i] & 0xff) / 8;
      bits[octet] = static_cast<std::uint8_t>(bits[octet] | 0x80 >> (sorted[i] & 7));
      size = octet + 1;
    }
    bitmap += static_cast<char>(window);
    bitmap += static_cast<char>(size);
    bitmap.append(reinterpret_cast<const char*>(bits.data()), size);
  }
  return bitmap;
}

Wire nsec_rdata(const Wire& next, std::span<const std::uint16_t> types) {
  return next + type_bitmap(types);
}

Nsec3Hash nsec3_hash(const Wire& name, std::uint16_t iterations, const Wire& salt) {
  Nsec3Hash hash = sha1(zone::lower_name(name) + salt);
  for (int i = 0; i < iterations; ++i) {
    hash = sha1(Wire(reinterpret_cast<const char*>(hash.data()), hash.size()) + salt);
  }
  return hash;
}

Wire nsec3_owner(const Nsec3Hash& hash, const Wire& apex) {
  Wire owner(1, static_cast<char>(kHashLabelSize));
  // 5 octets are 8 digits; a hash is 20.
  for (std::size_t at = 0; at < hash.size(); at += 5) {
    std::uint64_t group = 0;
    for (std::size_t i = 0; i < 5; ++i) group = group << 8 | hash[at + i];
    for (int shift = 35; shift >= 0; shift -= 5) owner += kBase32Hex[group >> shift & 31];
  }
  return owner + apex;
}

std::optional<Nsec3Hash> hash_of_nsec3_owner(const Wire& owner) {
  if (owner.size() <= 1 + kHashLabelSize || owner[0] != kHashLabelSize) return std::nullopt;
  Nsec3Hash hash;
  for (std::size_t at = 0; at < hash.size(); at += 5) {
    std::uint64_t group = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const int digit = base32_digit(owner[1 + at / 5 * 8 + i]);
      if (digit < 0) return std::nullopt;
      group = group << 5 | static_cast<std::uint64_t>(digit);
    }
    for (std::size_t i = 0; i < 5; ++i) {
      hash[at + i] = static_cast<std::uint8_t>(group >> (32 - 8 * i));
    }
  }
  return hash;
}

Wire nsec3_rdata(const Nsec3Parameters& parameters, bool opt_out, const Nsec3Hash& next,
                 std::span<const std::uint16_t> types) {
  Wire rdata;
  put_parameters(rdata, parameters, opt_out ? kFlagOptOut : 0);
  rdata += static_cast<char>(next.size());
  rdata.append(reinterpret_cast<const char*>(next.data()), next.size());
  return rdata + type_bitmap(types);
}

Wire nsec3param_rdata(const Nsec3Parameters& parameters) {
  Wire rdata;
  put_parameters(rdata, parameters, 0);
  return rdata;
}

base::Result<Nsec3Parameters> read_nsec3param(const Wire& rdata) {
  const auto fail = [](std::string what, std::string remedy) {
    return base::Error{std::move(what), "NSEC3PARAM", std::move(remedy)};
  };
  base::ByteReader reader({reinterpret_cast<const std::uint8_t*>(rdata.data()), rdata.size()});
  const std::uint8_t algorithm = reader.u8(), flags = reader.u8();
  Nsec3Parameters parameters;
  parameters.iterations = reader.u16();
  const auto salt = reader.bytes(reader.u8());
  if (!reader.ok() || reader.remaining() != 0) return fail("malformed data", "see RFC 5155 4.2");
  if (algorithm != kHashSha1) {
    return fail("hash algorithm " + std::to_string(algorithm), "use 1 (SHA-1), the only one");
  }
  if (flags != 0) return fail("flags " + std::to_string(flags), "use 0 (RFC 5155 4.1.2)");
  if (parameters.iterations > kNsec3IterationsMax) {
    return fail(std::to_string(parameters.iterations) + " iterations",
                "use 0 (RFC 9276); at most " + std::to_string(kNsec3IterationsMax));
  }
  parameters.salt.assign(reinterpret_cast<const char*>(salt.data()), salt.size());
  return parameters;
}

}  // namespace brink::dns::dnssec
