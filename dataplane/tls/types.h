// What passes between the TLS streams of a worker and those who use them: values and their names
// only. See stream.h for what is done with a stream, server.h for what a host is, client.h for
// connections to origins, engine.h for what a worker owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace brink::tls {

// The two ends of one call: ciphertext that has arrived and room for ciphertext to send, both
// borrowed during the call. The stream takes from the front of `in` and fills the front of `out`,
// and leaves in each span what remains. It keeps no ciphertext that it could leave in `in`.
struct Wire {
  std::span<const std::uint8_t> in = {};
  std::span<std::uint8_t> out = {};
};

// With this much room in Wire::out, any plaintext and anything of the protocol goes on.
inline constexpr std::size_t kEnoughRoom = 1280;
// The most that one record can take; what one write() makes of 16 KiB of plaintext fits into it.
inline constexpr std::size_t kRecordPlaintextMax = 16384;
inline constexpr std::size_t kRecordOverheadMax = 128;
inline constexpr std::size_t kRecordMax = kRecordPlaintextMax + kRecordOverheadMax;

enum class Status : std::uint8_t {
  kDone,        // all that was asked for is done
  kNeedsInput,  // Wire::in is used up; go on when the peer has sent more
  kNeedsRoom,   // Wire::out is full, or too small for a record (kEnoughRoom): send it, come back
  kPeerClosed,  // the peer's close_notify: no plaintext will come; writing still works
  kFailed,  // see Stream::failure(); an alert may be left to send: advance() until kFailed again
};

// What a read or write did: `size` bytes were moved, whatever the status.
struct Moved {
  Status status = Status::kDone;
  std::size_t size = 0;
};

// X(enumerator, "name", "what it means"): the name is for a counter.
// clang-format off
#define BRINK_TLS_FAILURES(X) \
  X(kNone, "none", "nothing failed") \
  X(kMalformed, "malformed", "no TLS, or messages that violate it") \
  X(kRecordForged, "record_forged", "a record that was changed on its way") \
  X(kTruncated, "truncated", "the transport ended without close_notify") \
  X(kVersion, "version", "no version in common") \
  X(kCipher, "cipher", "no cipher, group or signature algorithm in common") \
  X(kProtocol, "protocol", "no ALPN protocol in common") \
  X(kUnknownName, "unknown_name", "no host of the name that the client asked for") \
  X(kMaterial, "material", "a certificate, key or authority of ours cannot be used") \
  X(kNoCertificate, "no_certificate", "the peer showed no certificate where one is required") \
  X(kCertificate, "certificate", "the peer's certificate was not accepted: see verification") \
  X(kHandshakeTooLong, "handshake_too_long", "more bytes of handshake than are allowed") \
  X(kNoProgress, "no_progress", "many bytes of protocol without any plaintext") \
  X(kPeerAlert, "peer_alert", "the peer ended it with an alert: see the alert's number") \
  X(kPeerRejectedUs, "peer_rejected_us", "its alert says that our certificate is bad, or is wanted") \
  X(kMemory, "memory", "no memory") \
  X(kInternal, "internal", "the TLS library failed in a way that has no other name")
// X(enumerator, "name", "what it means")
#define BRINK_TLS_VERIFICATIONS(X) \
  X(kNotAsked, "not_asked", "no certificate was asked for, or it was not to be looked at") \
  X(kAbsent, "absent", "the peer has shown none") \
  X(kGood, "good", "leads to a trusted authority; right time, name and purpose") \
  X(kExpired, "expired", "its time, or that of one above it, is over") \
  X(kNotYetValid, "not_yet_valid", "its time, or that of one above it, has not begun") \
  X(kSelfSigned, "self_signed", "signed by itself and not trusted") \
  X(kUntrusted, "untrusted", "leads to no authority that is trusted") \
  X(kNameMismatch, "name_mismatch", "made for other names") \
  X(kBadSignature, "bad_signature", "a signature of the chain is wrong") \
  X(kWrongPurpose, "wrong_purpose", "not made for this use, or signed by what is no authority") \
  X(kTooWeak, "too_weak", "a key or digest of the chain is too weak") \
  X(kChainTooLong, "chain_too_long", "more certificates than are followed") \
  X(kOther, "other", "refused for another reason")
// clang-format on

enum class Failure : std::uint8_t {
#define X(enumerator, name, help) enumerator,
  BRINK_TLS_FAILURES(X)
#undef X
};

enum class Verification : std::uint8_t {
#define X(enumerator, name, help) enumerator,
  BRINK_TLS_VERIFICATIONS(X)
#undef X
};

enum class Version : std::uint8_t { kTls12, kTls13 };

// TLS 1.3 has its three ciphers under each policy; the policy is about TLS 1.2.
enum class CipherPolicy : std::uint8_t {
  kModern,      // ECDHE with AES-GCM or ChaCha20-Poly1305
  kCompatible,  // and ECDHE with AES-CBC and SHA-2
  kLegacy,      // and ECDHE with SHA-1 MACs, and RSA key exchange: no forward secrecy
};

// Protocols that are negotiated by ALPN (RFC 7301).
enum class Alpn : std::uint8_t {
  kNone,    // none was negotiated
  kHttp11,  // "http/1.1"
  kH2,      // "h2"
  kDot,     // "dot", DNS over TLS (RFC 7858, IANA)
};

// Names bytes and settings for good: whoever changes them gives them another version. Id 0 is never
// cached.
struct Key {
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  bool operator==(const Key&) const noexcept = default;
};

[[nodiscard]] std::string_view name_of(Failure failure) noexcept;
[[nodiscard]] std::string_view name_of(Verification verification) noexcept;
[[nodiscard]] std::string_view name_of(Version version) noexcept;  // "TLSv1.3"
[[nodiscard]] std::string_view name_of(Alpn protocol) noexcept;    // empty for kNone

}  // namespace brink::tls
