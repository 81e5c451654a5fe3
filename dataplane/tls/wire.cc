// The library's transport: what it reads is taken from the Wire of the call that runs, what it
// writes goes there. A write is never short: what finds no room is queued in the stream, which does
// nothing else until that is gone.
//
// Where records are under AES-GCM, the library is told that its transport seals them (as kernel TLS
// would): it hands the keys over, and writes plaintext from then on.
#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "dataplane/tls/engine_state.h"
#include "dataplane/tls/handed_keys.h"

namespace brink::tls {
namespace {

// More than the longest flight that any settings allow; beyond it something is wrong with us.
constexpr std::size_t kQueueMax = 512 * 1024;

// What <openssl/bio.h> names in a comment only: the keys, and the type of what is written next.
constexpr int kSetKeys = 72, kSetType = 74, kClearType = 75;

}  // namespace

Stream& StreamParts::of(const SSL* ssl) noexcept {
  return *static_cast<Stream*>(SSL_get_app_data(ssl));
}

BioMethodPtr StreamParts::make_wire() noexcept {
  BioMethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wire"));
  if (!method) return nullptr;
  BIO_meth_set_read_ex(method.get(), read_wire);
  BIO_meth_set_write_ex(method.get(), write_wire);
  BIO_meth_set_ctrl(method.get(), control_wire);
  BIO_meth_set_create(method.get(), create_wire);
  return method;
}

int StreamParts::create_wire(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

long StreamParts::control_wire(BIO* bio, int command, long number, void* pointer) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_GET_KTLS_SEND:
      return static_cast<Stream*>(BIO_get_data(bio))->sealer_ != nullptr ? 1 : 0;
    case kSetKeys:
      return number != 0 && take_keys(*static_cast<Stream*>(BIO_get_data(bio)), pointer) ? 1 : 0;
    case kSetType:
      static_cast<Stream*>(BIO_get_data(bio))->next_type_ = static_cast<ContentType>(number);
      return 1;
    case kClearType:
      static_cast<Stream*>(BIO_get_data(bio))->next_type_ = ContentType::kData;
      return 1;
  }
  return 0;
}

// The first keys for plaintext of ours. Later ones stay the library's: 3.0 does not hand them over
// (see Stream::renew_keys).
bool StreamParts::take_keys(Stream& stream, const void* handed) noexcept {
  Engine::State& state = state_of(stream);
  const auto keys = state.gcm ? read_handed_keys(handed) : std::nullopt;
  if (!keys || stream.sealer_) return false;
  stream.sealer_ = std::make_unique<Sealer>(*state.gcm, *keys);
  ++state.stats.streams_sealed;
  stream.next_type_ = ContentType::kData;
  return true;
}

int StreamParts::read_wire(BIO* bio, char* out, std::size_t size, std::size_t* taken) {
  Stream& stream = *static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  std::span<const std::uint8_t>& in = stream.wire_->in;
  // Behind a KeyUpdate another may come, which the library would answer under keys of its own.
  const std::size_t count = stream.wants_keys() ? 0 : std::min(size, in.size());
  *taken = count;
  if (count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  if (count > stream.silent_limit_ - stream.silent_bytes_) {
    stream.fail(stream.established_ ? Failure::kNoProgress : Failure::kHandshakeTooLong);
    *taken = 0;
    return 0;
  }
  stream.silent_bytes_ += static_cast<std::uint32_t>(count);
  std::copy_n(in.begin(), count, reinterpret_cast<std::uint8_t*>(out));
  in = in.subspan(count);
  return 1;
}

int StreamParts::write_wire(BIO* bio, const char* in, std::size_t size, std::size_t* taken) {
  Stream& stream = *static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(in), size);
  if (stream.sealer_) {
    *taken = size;
    return write_record(stream, bytes) ? 1 : 0;
  }
  // Without a call there is no wire: the library writes nothing when it frees a connection.
  std::span<std::uint8_t>& out = stream.wire_->out;
  const std::size_t fits = stream.queued() == 0 ? std::min(size, out.size()) : 0;
  if (stream.queued() + (size - fits) > kQueueMax) {
    stream.fail(Failure::kInternal);
    *taken = 0;
    return 0;
  }
  std::copy_n(bytes.begin(), fits, out.begin());
  out = out.subspan(fits);
  stream.queue_.insert(stream.queue_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(fits),
                       bytes.end());
  *taken = size;
  return 1;
}

bool StreamParts::write_record(Stream& stream, std::span<const std::uint8_t> plain) noexcept {
  const ContentType type = std::exchange(stream.next_type_, ContentType::kData);
  const std::size_t size = stream.sealer_->record_size(plain.size());
  std::span<std::uint8_t>& out = stream.wire_->out;
  if (stream.queued() + size > kQueueMax) {
    stream.fail(Failure::kInternal);
    return false;
  }
  if (stream.queued() == 0 && size <= out.size()) {
    stream.sealer_->seal(type, plain, out.first(size));
    out = out.subspan(size);
  } else {
    stream.queue_.resize(stream.queue_.size() + size);
    stream.sealer_->seal(type, plain, std::span(stream.queue_).last(size));
  }
  return true;
}

bool StreamParts::attach(Stream& stream, Engine& engine, BIO_METHOD* wire,
                         SSL_CTX* context) noexcept {
  SslPtr ssl(SSL_new(context));
  BIO* bio = ssl ? BIO_new(wire) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, &stream);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_app_data(ssl.get(), &stream);
  SSL_set_info_callback(ssl.get(), on_progress);
  stream.engine_ = &engine;
  stream.silent_limit_ = engine.state_->config.handshake_bytes_max;
  stream.ssl_ = ssl.release();
  return true;
}

}  // namespace brink::tls
