#include "dataplane/tls/sealer.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace brink::tls {
namespace {

std::uint64_t read_number(const std::array<std::uint8_t, 8>& bytes) noexcept {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

void write_number(std::uint64_t number, std::uint8_t* out) noexcept {
  for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<std::uint8_t>(number >> shift);
}

// Both versions have it in the header (RFC 8446 5.1).
constexpr std::uint8_t kMajor = 3, kMinor = 3;

void write_header(std::uint8_t type, std::size_t size, std::uint8_t* out) noexcept {
  out[0] = type;
  out[1] = kMajor;
  out[2] = kMinor;
  out[3] = static_cast<std::uint8_t>(size >> 8);
  out[4] = static_cast<std::uint8_t>(size);
}

}  // namespace

Sealer::Sealer(const Gcm& gcm, const RecordKeys& keys) noexcept
    : key_(gcm, keys.key),
      version_(keys.version),
      salt_(keys.salt),
      vector_(read_number(keys.vector)),
      sequence_(read_number(keys.sequence)) {}

void Sealer::seal(ContentType type, std::span<const std::uint8_t> plain,
                  std::span<std::uint8_t> out) noexcept {
  CHECK(plain.size() <= kRecordPlaintextMax && out.size() == record_size(plain.size()));
  const auto number = static_cast<std::uint8_t>(type);
  GcmNonce nonce;
  std::copy(salt_.begin(), salt_.end(), nonce.begin());
  if (is_tls13()) {
    // RFC 8446 5.2, 5.3: the header is authenticated; the type is encrypted behind the content.
    write_header(static_cast<std::uint8_t>(ContentType::kData), out.size() - kHeaderSize,
                 out.data());
    write_number(vector_ ^ sequence_, nonce.data() + salt_.size());
    key_.seal(nonce, out.first(kHeaderSize), plain, {&number, 1}, out.subspan(kHeaderSize));
  } else {
    // RFC 5246 6.2.3.3: the sequence number, and the header as it would be without encryption.
    std::array<std::uint8_t, 8 + kHeaderSize> authenticated;
    write_number(sequence_, authenticated.data());
    write_header(number, plain.size(), authenticated.data() + 8);
    write_header(number, out.size() - kHeaderSize, out.data());
    write_number(vector_, out.data() + kHeaderSize);
    write_number(vector_, nonce.data() + salt_.size());
    key_.seal(nonce, authenticated, plain, {}, out.subspan(kHeaderSize + kExplicitSize));
    ++vector_;
  }
  ++sequence_;
}

}  // namespace brink::tls
