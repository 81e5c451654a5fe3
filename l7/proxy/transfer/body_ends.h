// The ends between which a body moves: a connection; the inbox of a stream; the room in a frame.
// An end that is read has first(), size() and consume(), one that is written has write();
// transfer() moves bytes between two of them and returns how many went, fewer than asked for when
// the receiver is full.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/transport/transport.h"
#include "l7/http2/session.h"
#include "l7/proxy/transfer/inbox.h"

namespace brink::l7::proxy {

class ConnectionEnd {
 public:
  ConnectionEnd(transport::Transport& transport, tcp::ConnectionId id, base::Time now) noexcept
      : transport_(transport), id_(id), now_(now) {}

  // The first bytes, valid until the next call.
  std::span<const std::uint8_t> first() noexcept { return transport_.readable(id_, now_); }
  std::size_t size() noexcept { return transport_.readable_bytes(id_, now_); }
  void consume(std::size_t count) noexcept { transport_.consume(id_, count, now_); }
  std::size_t write(std::span<const std::uint8_t> bytes) noexcept {
    return transport_.write(id_, bytes, now_);
  }

  friend std::size_t transfer(ConnectionEnd& from, ConnectionEnd& to, std::size_t max) noexcept {
    return from.transport_.transfer(from.id_, to.id_, max, from.now_);
  }

 private:
  transport::Transport& transport_;
  tcp::ConnectionId id_;
  base::Time now_;
};

// What came on a stream. Reading opens the stream's window again.
class InboxEnd {
 public:
  // `session` null: the stream is gone, and its windows with it.
  InboxEnd(Inbox& inbox, BlockPool& pool, http2::Session* session, http2::StreamId stream) noexcept
      : inbox_(inbox), pool_(pool), session_(session), stream_(stream) {}

  std::span<const std::uint8_t> first() noexcept { return inbox_.front(pool_); }
  std::size_t size() noexcept { return inbox_.size(); }
  void consume(std::size_t count) noexcept {
    inbox_.consume(pool_, count);
    if (session_ != nullptr) session_->consumed(stream_, count);
  }

 private:
  Inbox& inbox_;
  BlockPool& pool_;
  http2::Session* session_;
  http2::StreamId stream_;
};

// The rest of a DATA frame that is being made.
class RoomEnd {
 public:
  explicit RoomEnd(std::span<char> room) noexcept : room_(room) {}

  [[nodiscard]] std::size_t written() const noexcept { return written_; }
  std::size_t write(std::span<const std::uint8_t> bytes) noexcept {
    const std::size_t count = std::min(bytes.size(), room_.size() - written_);
    if (count > 0) std::memcpy(room_.data() + written_, bytes.data(), count);
    written_ += count;
    return count;
  }

 private:
  std::span<char> room_;
  std::size_t written_ = 0;
};

template <typename From, typename To>
std::size_t transfer(From& from, To& to, std::size_t max) noexcept {
  std::size_t moved = 0;
  while (moved < max) {
    const auto piece = from.first();
    const std::size_t wanted = std::min(piece.size(), max - moved);
    if (wanted == 0) break;
    const std::size_t written = to.write(piece.first(wanted));
    from.consume(written);
    moved += written;
    if (written < wanted) break;
  }
  return moved;
}

}  // namespace brink::l7::proxy
