#include "l7/proxy/transfer/body_relay.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "dataplane/base/check.h"
#include "l7/proxy/transfer/body_coding.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {
namespace {

// One chunk of ours carries at most this much, so that its length stays well under the windows.
constexpr std::uint64_t kChunkMax = 64 * 1024;

}  // namespace

void BodyRelay::start(http::BodyFraming in, http::BodyKind out, std::uint64_t limit) noexcept {
  *this = BodyRelay{};
  in_ = in.kind;
  out_ = out;
  left_ = in.length;
  limit_left_ = limit;
  input_done_ = in.kind == http::BodyKind::none;
}

void BodyRelay::post(std::string_view framing) noexcept {
  CHECK(outbox_size_ == 0 && framing.size() <= outbox_.size());
  std::memcpy(outbox_.data(), framing.data(), framing.size());
  outbox_size_ = static_cast<std::uint8_t>(framing.size());
  outbox_sent_ = 0;
}

template <typename To>
bool BodyRelay::flush(To& to, bool& progressed) noexcept {
  if (outbox_size_ == 0) return true;
  const std::span<const std::uint8_t> rest(
      reinterpret_cast<const std::uint8_t*>(outbox_.data()) + outbox_sent_,
      outbox_size_ - outbox_sent_);
  const std::size_t written = to.write(rest);
  progressed |= written > 0;
  outbox_sent_ = static_cast<std::uint8_t>(outbox_sent_ + written);
  if (outbox_sent_ < outbox_size_) return false;
  outbox_size_ = 0;
  return true;
}

template <typename From, typename To>
bool BodyRelay::move(From& from, To& to, std::uint64_t count, bool& progressed) noexcept {
  const std::size_t moved = transfer(from, to, static_cast<std::size_t>(count));
  progressed |= moved > 0;
  touched_ |= moved > 0;
  limit_left_ -= moved;
  moved_ += moved;
  if (in_ == http::BodyKind::length) left_ -= moved;
  if (in_ == http::BodyKind::chunked) decoder_.take_body(moved);
  if (out_ == http::BodyKind::chunked) chunk_left_ -= moved;
  return moved == count;
}

template <typename From>
std::uint64_t BodyRelay::due(From& from, bool& progressed) noexcept {
  switch (in_) {
    case http::BodyKind::none:
      input_done_ = true;
      return 0;
    case http::BodyKind::length:
      input_done_ = left_ == 0;
      return left_;
    case http::BodyKind::until_close:
      return UINT64_MAX;
    case http::BodyKind::chunked:
      break;
  }
  while (decoder_.body_due() == 0) {
    const std::string_view text = as_text(from.first());
    if (text.empty()) return 0;
    const std::size_t used = decoder_.take_framing(text);
    from.consume(used);
    progressed = true;
    touched_ = true;
    malformed_ = decoder_.failed();
    input_done_ = decoder_.done();
    if (malformed_ || input_done_) return 0;
  }
  return decoder_.body_due();
}

template <typename From, typename To>
RelayState BodyRelay::pump(From& from, To& to, bool& progressed) noexcept {
  // Every turn moves bytes or returns; the bytes are those that have arrived, so it ends.
  for (;;) {
    if (!flush(to, progressed)) return RelayState::needs_room;
    if (finished_) return RelayState::done;
    if (chunk_left_ > 0) {
      if (!move(from, to, chunk_left_, progressed)) return RelayState::needs_room;
      post(http1::kChunkEnd);
      continue;
    }
    const std::uint64_t wanted = input_done_ ? 0 : due(from, progressed);
    if (malformed_) return RelayState::malformed;
    if (input_done_) {
      finished_ = true;
      if (out_ == http::BodyKind::chunked) {
        post(trailers_follow_ ? http1::kLastChunkHead : http1::kLastChunk);
      }
      continue;
    }
    const std::uint64_t there = from.size();
    // How long a body is that only its end will end is not known before.
    const std::uint64_t announced = in_ == http::BodyKind::until_close ? there : wanted;
    if (announced > limit_left_) return RelayState::too_large;
    if (wanted == 0 || there == 0) return RelayState::needs_input;
    const std::uint64_t count = std::min(wanted, there);
    if (out_ == http::BodyKind::chunked) {
      chunk_left_ = std::min(count, kChunkMax);
      std::array<char, http1::kChunkHeadMax> head;
      post({head.data(), http1::write_chunk_head(head, chunk_left_)});
    } else if (!move(from, to, count, progressed)) {
      return RelayState::needs_room;
    }
  }
}

bool BodyRelay::input_ended() noexcept {
  if (in_ == http::BodyKind::until_close) input_done_ = true;
  if (in_ == http::BodyKind::length && left_ == 0) input_done_ = true;
  return input_done_;
}

template RelayState BodyRelay::pump(ConnectionEnd&, ConnectionEnd&, bool&) noexcept;
template RelayState BodyRelay::pump(InboxEnd&, ConnectionEnd&, bool&) noexcept;
template RelayState BodyRelay::pump(ConnectionEnd&, RoomEnd&, bool&) noexcept;
template RelayState BodyRelay::pump(InboxEnd&, RoomEnd&, bool&) noexcept;
template RelayState BodyRelay::pump(ConnectionEnd&, CodedEnd&, bool&) noexcept;
template RelayState BodyRelay::pump(InboxEnd&, CodedEnd&, bool&) noexcept;

}  // namespace brink::l7::proxy
