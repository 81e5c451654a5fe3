// Codec: what the sessions of one worker share: the arena that all of their memory is from, scratch
// for the head being read, nghttp2's tables. Built at start, which allocates; nothing after it
// does. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "dataplane/base/arena.h"
#include "l7/http2/settings.h"

namespace brink::l7::http2 {

using base::Arena;

class HeadReader;

class Codec {
 public:
  // `memory` is the arena, 16-byte aligned; it outlives the codec, and the codec its sessions. What
  // a session and a stream take is in the README.
  Codec(std::span<std::byte> memory, const Settings& server, const Settings& client);
  ~Codec();
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;

  [[nodiscard]] const Arena& arena() const noexcept { return arena_; }

 private:
  friend class Session;
  struct Tables;

  Arena arena_;
  Settings server_;
  Settings client_;
  std::unique_ptr<char[]> head_text_;
  std::unique_ptr<HeadReader> reader_;
  std::unique_ptr<Tables> tables_;
};

}  // namespace brink::l7::http2
