// Stream: TLS between ciphertext and plaintext, sans-IO. One object a connection, server or client
// side; Engine::accept or Engine::connect begins it. It reads no socket and no deadline, keeps no
// plaintext or ciphertext that its callers could keep, and logs nothing. Used by the thread of its
// Engine only, which outlives it.
//
// The life of a connection (`in` is what TCP has received, `out` what TCP has room for):
//     engine.accept(stream, source, user);            // or connect(stream, settings)
//     stream.advance(wire)                            // handshake, until kDone
//     stream.read(plain, wire), stream.write(plain, wire)
//     stream.close(wire)                              // close_notify; reading goes on
//     stream.end_input()                              // TCP's FIN was reached in `in`
//     stream.reset()                                  // forgets it; the object can begin again
// After each call: give what is left of wire.in back unread, send what was put into wire.out.
//
// Back-pressure: a caller that takes no plaintext does not call read(), and ciphertext stays where
// it is. A call that is given less room than it needs keeps the rest of that one flight of messages
// (queued(), at most a certificate chain) and does nothing else before that is gone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/tls/types.h"

struct ssl_st;

namespace brink::tls {

class CertificateSource;
class Engine;
class Sealer;
class StreamParts;
enum class ContentType : std::uint8_t;

// What was agreed. Views point into the stream and live until reset().
struct ConnectionInfo {
  Version version = Version::kTls13;
  std::uint16_t cipher = 0;      // IANA number
  std::string_view cipher_name;  // IANA name, as in "TLS_AES_128_GCM_SHA256"
  Alpn protocol = Alpn::kNone;
  bool resumed = false;
  std::string_view server_name;                         // that the client asked for; empty: none
  Verification verification = Verification::kNotAsked;  // of the peer's certificate
};

// All that header fields and rules can ask of a peer's certificate. Hexadecimal is lower case.
struct PeerCertificate {
  std::vector<std::uint8_t> der;
  std::string subject, issuer;                // RFC 2253
  std::string subject_legacy, issuer_legacy;  // "/C=US/O=Example/CN=client"
  std::string serial;
  std::string issuer_serial;          // of the certificate that signed it, if the chain shows it
  std::string sha1, sha256;           // fingerprints of `der`
  std::string key_id, issuer_key_id;  // subject and authority key identifier
  std::vector<std::uint8_t> issuer_name;       // DER, as the issuer's certificate has its own
  std::int64_t not_before = 0, not_after = 0;  // seconds since 1970
  // What the peer sent beside the leaf, DER each. Not kept in sessions: empty after a resumption.
  std::vector<std::vector<std::uint8_t>> chain;
};

class Stream {
 public:
  Stream() noexcept;
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Between accept or connect and reset().
  [[nodiscard]] bool active() const noexcept { return ssl_ != nullptr; }
  // The handshake is done: info() is complete, plaintext can be written.
  [[nodiscard]] bool established() const noexcept { return established_; }

  // All that needs no plaintext: the handshake, and sending what is queued. kDone: the handshake is
  // done and nothing is queued. A client's first call has nothing in `in`.
  Status advance(Wire& wire) noexcept;

  // Puts plaintext into `plain` until it is full (kDone) or no more can be had (kNeedsInput,
  // kPeerClosed, kFailed). Goes on with the handshake first. kDone does not mean that more is
  // there.
  Moved read(std::span<std::uint8_t> plain, Wire& wire) noexcept;
  // Plaintext of a record that has begun is waiting, whatever TCP has.
  [[nodiscard]] bool readable() const noexcept;

  // Takes plaintext from the front of `plain`, as records of up to 16 KiB that fit into `out`; all
  // of it (kDone) or what there is room for (kNeedsRoom). Before the handshake is done it goes on
  // with that. After close() none is taken.
  Moved write(std::span<const std::uint8_t> plain, Wire& wire) noexcept;

  // Sends close_notify after what was written. Reading goes on until the peer's. kDone: it is in
  // `out`. During a handshake it ends the stream without one.
  Status close(Wire& wire) noexcept;
  // The transport's end: what is read after the ciphertext so far is kTruncated, unless
  // close_notify has come.
  void end_input() noexcept { input_ended_ = true; }

  // Gives the record buffers (33 KiB) back if they are empty; the next record brings them back. For
  // connections that wait between two requests.
  void rest() noexcept;
  // Forgets everything; safe at any time. What was agreed remains resumable unless it failed.
  void reset() noexcept;

  [[nodiscard]] Failure failure() const noexcept { return failure_; }
  // The alert that the peer sent or we did (RFC 8446 6.2), if there was a fatal one.
  [[nodiscard]] std::optional<std::uint8_t> alert() const noexcept { return alert_; }
  [[nodiscard]] ConnectionInfo info() const noexcept;
  // Allocates: ask once a connection, where Verification is neither kNotAsked nor kAbsent.
  [[nodiscard]] std::optional<PeerCertificate> peer_certificate() const;
  // Bytes of messages that found no room yet.
  [[nodiscard]] std::size_t queued() const noexcept { return queue_.size() - queue_sent_; }

 private:
  friend class StreamParts;  // what the library's callbacks and the Engine may touch
  enum class Step : std::uint8_t { kOk, kWantsInput, kClosed, kFailed };

  bool flush(Wire& wire) noexcept;
  Status handshake(Wire& wire) noexcept;
  Step judge(int returned) noexcept;
  void begin_call(Wire& wire) noexcept;
  void fail(Failure failure) noexcept;
  Status status_of(Step step) const noexcept;
  [[nodiscard]] bool wants_keys() const noexcept;
  Status renew_keys(Wire& wire) noexcept;
  Moved write_record(std::span<const std::uint8_t> plain, Wire& wire) noexcept;

  ssl_st* ssl_ = nullptr;
  Engine* engine_ = nullptr;
  CertificateSource* source_ = nullptr;  // of a server stream
  std::uint64_t user_ = 0;
  Wire* wire_ = nullptr;            // of the call that runs
  std::unique_ptr<Sealer> sealer_;  // null: the library seals what is sent
  std::vector<std::uint8_t> queue_;
  std::size_t queue_sent_ = 0;
  std::uint32_t silent_bytes_ = 0;  // taken in since the last plaintext
  std::uint32_t silent_limit_ = 0;
  std::int32_t first_verify_error_ = 0;
  std::optional<std::uint8_t> alert_;
  Failure failure_ = Failure::kNone;
  ContentType next_type_{};  // of what the library writes to the sealer
  bool client_ = false;
  bool established_ = false;
  bool closing_ = false;
  bool input_ended_ = false;
  bool asked_for_certificate_ = false;
  std::array<std::uint8_t, 16>
      session_key_{};  // of a client stream: what its session is kept under
};

}  // namespace brink::tls
