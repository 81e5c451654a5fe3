// Exchanges: the exchanges of a worker with what belongs to each: two buffers for heads, and the
// blocks of their inboxes. Only a table: who acquires one and what its end takes is told in
// exchange/exchange_lifecycle.h.
// One thread.
#pragma once

#include <cstdint>
#include <span>

#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/slots.h"
#include "l7/proxy/transfer/inbox.h"

namespace brink::l7::proxy {

class Exchanges : public Slots<Exchange> {
 public:
  // `buffers`: 2 * `buffer_size` bytes an exchange. `blocks` has what all inboxes can hold.
  struct Memory {
    SlotMemory<Exchange> slots;
    std::span<char> buffers;
    std::span<std::uint8_t> blocks;
    std::span<std::uint32_t> next_block;
  };
  Exchanges(const Memory& memory, std::uint32_t buffer_size) noexcept
      : Slots(memory.slots),
        buffers_(memory.buffers),
        buffer_size_(buffer_size),
        blocks_(memory.blocks, memory.next_block) {}

  // Where a head is gathered, and what the client has no room for waits.
  std::span<char> in(std::uint32_t x) noexcept {
    return buffers_.subspan(std::size_t{x} * 2 * buffer_size_, buffer_size_);
  }
  // The request as the origin gets it, and what has to be known of it later.
  std::span<char> out(std::uint32_t x) noexcept {
    return buffers_.subspan((std::size_t{x} * 2 + 1) * buffer_size_, buffer_size_);
  }
  BlockPool& blocks() noexcept { return blocks_; }

 private:
  std::span<char> buffers_;
  std::uint32_t buffer_size_;
  BlockPool blocks_;
};

}  // namespace brink::l7::proxy
