// AES-GCM sealing (NIST SP 800-38D) by the widest instructions that the CPU has: libipsec-mb, which
// takes a fifth of the time that OpenSSL 3.0 does for a whole record. No records, no TLS. Private
// to this folder, which alone includes that library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace brink::tls {

inline constexpr std::size_t kGcmNonceSize = 12;
inline constexpr std::size_t kGcmTagSize = 16;
using GcmNonce = std::array<std::uint8_t, kGcmNonceSize>;

// The library's functions for this CPU. One an Engine; outlives its keys.
class Gcm {
 public:
  // Null: no memory, or a CPU without AES.
  static std::unique_ptr<Gcm> create() noexcept;
  ~Gcm();
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

 private:
  friend class GcmKey;
  struct Functions;
  explicit Gcm(std::unique_ptr<Functions> functions) noexcept;

  std::unique_ptr<Functions> functions_;
};

// A key and, while it is in use, what follows from it (1 KB; making it takes some 300 cycles).
class GcmKey {
 public:
  // `key` has 16 or 32 bytes and is copied.
  GcmKey(const Gcm& gcm, std::span<const std::uint8_t> key) noexcept;
  ~GcmKey();
  GcmKey(const GcmKey&) = delete;
  GcmKey& operator=(const GcmKey&) = delete;

  // Encrypts `head` and behind it `tail`, and puts the tag there. `out` has their size and
  // kGcmTagSize and overlaps neither. A nonce is used once with a key.
  void seal(const GcmNonce& nonce, std::span<const std::uint8_t> authenticated,
            std::span<const std::uint8_t> head, std::span<const std::uint8_t> tail,
            std::span<std::uint8_t> out) noexcept;
  // Gives back what follows from the key; the next seal() makes it again.
  void rest() noexcept;

 private:
  struct Expanded;
  void expand() noexcept;

  const Gcm& gcm_;
  std::array<std::uint8_t, 32> key_{};
  std::size_t size_;
  std::unique_ptr<Expanded> expanded_;
};

}  // namespace brink::tls
