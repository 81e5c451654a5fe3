// Sealer: the records that one side of a connection sends under AES-GCM (RFC 8446 5.2, RFC 5288 3),
// made without the TLS library: it does the handshakes, all that is read and every other cipher,
// and hands the keys of what is sent over as it would to a kernel (see wire.cc). Private to this
// folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/tls/gcm.h"
#include "dataplane/tls/types.h"

namespace brink::tls {

// RFC 8446 B.1.
enum class ContentType : std::uint8_t { kAlert = 21, kHandshake = 22, kData = 23 };

// What a direction's records are sealed with, as the library has it. The key is borrowed.
struct RecordKeys {
  Version version = Version::kTls13;
  std::span<const std::uint8_t> key;
  // The nonce is the salt and, in TLS 1.3, `vector` with the sequence number over it; in TLS 1.2
  // `vector` counts, and is sent with the record.
  std::array<std::uint8_t, 4> salt{};
  std::array<std::uint8_t, 8> vector{};
  std::array<std::uint8_t, 8> sequence{};  // of the next record, big-endian
};

class Sealer {
 public:
  Sealer(const Gcm& gcm, const RecordKeys& keys) noexcept;

  // How long the record of so much plaintext is: at most kRecordOverheadMax more.
  [[nodiscard]] std::size_t record_size(std::size_t plain_size) const noexcept {
    return kHeaderSize + explicit_size() + plain_size + inner_type_size() + kGcmTagSize;
  }
  // Makes the next record. At most kRecordPlaintextMax of plaintext; `out` has record_size().
  void seal(ContentType type, std::span<const std::uint8_t> plain,
            std::span<std::uint8_t> out) noexcept;
  // Gives memory back until the next record.
  void rest() noexcept { key_.rest(); }

 private:
  static constexpr std::size_t kHeaderSize = 5;
  static constexpr std::size_t kExplicitSize = 8;

  [[nodiscard]] bool is_tls13() const noexcept { return version_ == Version::kTls13; }
  [[nodiscard]] std::size_t explicit_size() const noexcept {
    return is_tls13() ? 0 : kExplicitSize;
  }
  [[nodiscard]] std::size_t inner_type_size() const noexcept { return is_tls13() ? 1 : 0; }

  GcmKey key_;
  Version version_;
  std::array<std::uint8_t, 4> salt_;
  std::uint64_t vector_;
  std::uint64_t sequence_;
};

}  // namespace brink::tls
