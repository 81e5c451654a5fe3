#include "dataplane/tls/stream.h"

#include <algorithm>

#include "dataplane/base/check.h"
#include "dataplane/tls/handles.h"
#include "dataplane/tls/host.h"
#include "dataplane/tls/reasons.h"
#include "dataplane/tls/sealer.h"

namespace brink::tls {
namespace {

// Protocol messages and empty records that a peer may send between two pieces of plaintext: more
// than one whole record, and four of the longest tickets.
constexpr std::uint32_t kSilentBytesMax = 128 * 1024;
// A record as short as this is made only of the last bytes that there are.
constexpr std::size_t kRecordSmall = 1024;
static_assert(kRecordSmall + kRecordOverheadMax <= kEnoughRoom);

}  // namespace

Stream::Stream() noexcept = default;

Stream::~Stream() {
  reset();
}

bool Stream::flush(Wire& wire) noexcept {
  if (queue_.empty()) return true;
  const std::size_t count = std::min(queued(), wire.out.size());
  std::copy_n(queue_.begin() + static_cast<std::ptrdiff_t>(queue_sent_), count, wire.out.begin());
  wire.out = wire.out.subspan(count);
  queue_sent_ += count;
  if (queued() > 0) return false;
  queue_ = {};
  queue_sent_ = 0;
  return true;
}

// Before a call of the library: an error that somebody left behind would be taken for this one's.
// Asking is cheaper than clearing.
void Stream::begin_call(Wire& wire) noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
  wire_ = &wire;
}

void Stream::fail(Failure failure) noexcept {
  if (failure_ == Failure::kNone) failure_ = failure;
}

// What a call of the library came to; the error queue is empty afterwards.
Stream::Step Stream::judge(int returned) noexcept {
  wire_ = nullptr;
  if (returned == 1) return Step::kOk;
  const int error = SSL_get_error(ssl_, returned);
  if (failure_ == Failure::kNone) {
    if (error == SSL_ERROR_WANT_READ) return Step::kWantsInput;
    if (error == SSL_ERROR_ZERO_RETURN) return Step::kClosed;
  }
  const Failure found = take_failure();
  fail(found);
  return Step::kFailed;
}

Status Stream::status_of(Step step) const noexcept {
  if (queued() > 0) return Status::kNeedsRoom;
  switch (step) {
    case Step::kOk:
      return Status::kDone;
    case Step::kWantsInput:
      return Status::kNeedsInput;
    case Step::kClosed:
      return Status::kPeerClosed;
    case Step::kFailed:
      return Status::kFailed;
  }
  return Status::kFailed;
}

Status Stream::handshake(Wire& wire) noexcept {
  begin_call(wire);
  Step step = judge(SSL_do_handshake(ssl_));
  if (step == Step::kOk) {
    established_ = true;
    silent_bytes_ = 0;
    silent_limit_ = kSilentBytesMax;
  } else if (step == Step::kClosed || (step == Step::kWantsInput && input_ended_)) {
    fail(Failure::kTruncated);
    step = Step::kFailed;
  }
  return status_of(step);
}

Status Stream::advance(Wire& wire) noexcept {
  CHECK(active());
  if (!flush(wire)) return Status::kNeedsRoom;
  if (failure_ != Failure::kNone) return Status::kFailed;
  return established_ ? Status::kDone : handshake(wire);
}

Moved Stream::read(std::span<std::uint8_t> plain, Wire& wire) noexcept {
  const Status begun = advance(wire);
  if (begun != Status::kDone) return {begun, 0};
  Moved moved;
  while (moved.size < plain.size()) {
    std::size_t count = 0;
    begin_call(wire);
    Step step =
        judge(SSL_read_ex(ssl_, plain.data() + moved.size, plain.size() - moved.size, &count));
    moved.size += count;
    if (count > 0) silent_bytes_ = 0;
    if (step == Step::kWantsInput && wants_keys()) {  // and was given no more, for that
      moved.status = renew_keys(wire);
      if (moved.status != Status::kDone) return moved;
      continue;
    }
    if (step == Step::kWantsInput && input_ended_) {
      fail(Failure::kTruncated);
      step = Step::kFailed;
    }
    moved.status = status_of(step);
    if (moved.status != Status::kDone) return moved;
    // The library would find out, at half the price of a record.
    if (wire.in.empty() && !input_ended_ && !readable()) return {Status::kNeedsInput, moved.size};
  }
  return moved;
}

bool Stream::wants_keys() const noexcept {
  return sealer_ && SSL_get_key_update_type(ssl_) != SSL_KEY_UPDATE_NONE;
}

// RFC 8446 4.6.3: the peer has asked for new keys. They are the library's own: it tells the peer,
// which it would else do later, and goes on from here. Its buffer for what it sends went when it
// handed the first keys over, and it makes one where it has none of either kind, hence the mode.
Status Stream::renew_keys(Wire& wire) noexcept {
  SSL_set_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
  begin_call(wire);
  const bool begun = SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) == 1;
  const Step step = judge(begun ? SSL_do_handshake(ssl_) : 0);
  SSL_clear_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
  sealer_.reset();
  return status_of(step);
}

bool Stream::readable() const noexcept {
  return ssl_ != nullptr && SSL_pending(ssl_) > 0;
}

Moved Stream::write(std::span<const std::uint8_t> plain, Wire& wire) noexcept {
  Status begun = advance(wire);
  // Who has sent all that it will, without saying so, can still be answered.
  if (begun == Status::kFailed && established_ && failure_ == Failure::kTruncated) {
    begun = Status::kDone;
  }
  if (begun != Status::kDone || closing_) return {begun, 0};
  Moved moved;
  while (moved.size < plain.size()) {
    const std::size_t left = plain.size() - moved.size;
    const std::size_t room = wire.out.size();
    if (room < kRecordOverheadMax + std::min(left, kRecordSmall)) {
      moved.status = Status::kNeedsRoom;
      return moved;
    }
    const std::size_t size = std::min({left, kRecordPlaintextMax, room - kRecordOverheadMax});
    const Moved record = write_record(plain.subspan(moved.size, size), wire);
    moved.size += record.size;
    moved.status = record.status;
    if (moved.status != Status::kDone) return moved;
  }
  return moved;
}

// One record, which has room.
Moved Stream::write_record(std::span<const std::uint8_t> plain, Wire& wire) noexcept {
  if (sealer_) {
    const std::size_t size = sealer_->record_size(plain.size());
    sealer_->seal(ContentType::kData, plain, wire.out.first(size));
    wire.out = wire.out.subspan(size);
    return {Status::kDone, plain.size()};
  }
  std::size_t count = 0;
  begin_call(wire);
  const Step step = judge(SSL_write_ex(ssl_, plain.data(), plain.size(), &count));
  return {status_of(step), count};
}

Status Stream::close(Wire& wire) noexcept {
  CHECK(active());
  if (!flush(wire)) return Status::kNeedsRoom;
  const bool can_write = failure_ == Failure::kNone || failure_ == Failure::kTruncated;
  if (!established_ || !can_write || closing_) return Status::kDone;
  closing_ = true;
  begin_call(wire);
  SSL_shutdown(ssl_);
  wire_ = nullptr;
  ERR_clear_error();
  return queued() > 0 ? Status::kNeedsRoom : Status::kDone;
}

void Stream::rest() noexcept {
  if (sealer_) sealer_->rest();
  if (ssl_ == nullptr || SSL_has_pending(ssl_) == 1) return;
  // Between the header and the body of a record nothing counts as pending, yet the buffer holds it.
  // "RH": the library waits for a header.
  if (SSL_rstate_string(ssl_)[1] == 'H') SSL_free_buffers(ssl_);
}

void Stream::reset() noexcept {
  if (ssl_ == nullptr) return;
  const bool resumable =
      established_ && (failure_ == Failure::kNone || failure_ == Failure::kTruncated);
  // A session of a connection that was not shut down counts as broken.
  if (resumable) SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
  ERR_clear_error();
  ssl_ = nullptr;
  sealer_.reset();
  engine_ = nullptr;
  source_ = nullptr;
  wire_ = nullptr;
  user_ = 0;
  queue_ = {};
  queue_sent_ = 0;
  silent_bytes_ = 0;
  first_verify_error_ = 0;
  alert_.reset();
  failure_ = Failure::kNone;
  client_ = established_ = closing_ = input_ended_ = asked_for_certificate_ = false;
}

ConnectionInfo Stream::info() const noexcept {
  ConnectionInfo info;
  if (ssl_ == nullptr) return info;
  info.version = SSL_version(ssl_) == TLS1_2_VERSION ? Version::kTls12 : Version::kTls13;
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_); cipher != nullptr) {
    info.cipher = SSL_CIPHER_get_protocol_id(cipher);
    info.cipher_name = SSL_CIPHER_standard_name(cipher);
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &size);
  info.protocol = alpn_of({reinterpret_cast<const char*>(protocol), size});
  info.resumed = SSL_session_reused(ssl_) == 1;
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) info.server_name = name;
  if (asked_for_certificate_) {
    const long code = SSL_get_verify_result(ssl_);
    const bool shown = SSL_get0_peer_certificate(ssl_) != nullptr || code != X509_V_OK;
    info.verification = shown ? verification_of(code) : Verification::kAbsent;
  }
  return info;
}

}  // namespace brink::tls
