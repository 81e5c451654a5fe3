#include "l7/proxy/stage_memory.h"

#include <algorithm>
#include <bit>
#include <new>

#include "l7/page/page.h"

namespace brink::l7::proxy {
namespace {

std::uint32_t bucket_count_of(const StageConfig& config) noexcept {
  return std::bit_ceil(std::max<std::uint32_t>(config.max_origins, 16));
}

// Cuts typed arrays out of the arena; with a null base it only counts.
class Arena {
 public:
  explicit Arena(std::byte* base) noexcept : base_(base) {}

  template <typename T>
  std::span<T> take(std::size_t count) noexcept {
    at_ = (at_ + 63) & ~std::size_t{63};
    std::byte* const place = base_ + at_;
    at_ += count * sizeof(T);
    if (base_ == nullptr) return {};
    T* const first = reinterpret_cast<T*>(place);
    for (std::size_t i = 0; i < count; ++i) new (first + i) T;
    return {first, count};
  }
  template <typename T>
  SlotMemory<T> take_slots(std::size_t count) noexcept {
    return {take<T>(count), take<std::uint32_t>(count)};
  }
  [[nodiscard]] std::size_t size() const noexcept { return (at_ + 63) & ~std::size_t{63}; }

 private:
  std::byte* base_;
  std::size_t at_ = 0;
};

}  // namespace

std::uint32_t buffer_size_of(const StageConfig& config) noexcept {
  return std::max(config.request_limits.head_max, config.response_limits.head_max) +
         kAddedFieldsMax;
}

StageMemory carve_memory(std::byte* base, const StageConfig& config) noexcept {
  using Index = std::uint32_t;
  Arena arena(base);
  StageMemory memory;
  const std::uint32_t buffer_size = buffer_size_of(config);
  const bool http2 = config.http2 != nullptr;

  memory.clients = arena.take_slots<Client>(config.max_clients);
  memory.ready = arena.take<Index>(config.max_clients);

  // Every inbox may be full: who does not take a body must hold up nobody else's.
  const std::size_t blocks =
      http2 ? std::size_t{config.max_exchanges} * kInboxesMax * kInboxBlocks : 0;
  memory.exchanges.slots = arena.take_slots<Exchange>(config.max_exchanges);
  memory.exchanges.blocks = arena.take<std::uint8_t>(blocks * BlockPool::kBlockSize);
  memory.exchanges.next_block = arena.take<Index>(blocks);
  memory.exchanges.buffers = arena.take<char>(std::size_t{config.max_exchanges} * 2 * buffer_size);
  memory.notes = arena.take<log::Notes>(config.max_exchanges);

  const std::size_t codings = config.coders == nullptr ? 0 : config.max_exchanges;
  memory.codings = {arena.take<BodyCoding>(codings), arena.take<Index>(codings),
                    arena.take<Index>(codings)};

  memory.origins = {arena.take_slots<OriginConnection>(config.max_origins),
                    arena.take<origin::IdlePool::Entry>(config.max_origins),
                    arena.take<Index>(bucket_count_of(config)),
                    arena.take<IndexList::Link>(config.max_origins)};
  memory.records =
      arena.take<origin::OriginRecord>(origin::OriginTable::record_count(config.max_origins));

  memory.sessions = {{arena.take_slots<http2::ServerSession>(http2 ? config.max_sessions : 0),
                      arena.take<Index>(config.max_clients)},
                     arena.take<Index>(config.max_exchanges)};
  memory.origin_sessions = {
      arena.take_slots<http2::ClientSession>(http2 ? config.max_origin_sessions : 0),
      arena.take<Index>(config.max_origins)};

  memory.scratch = arena.take<char>(buffer_size);
  // It goes through the scratch buffer with its head.
  memory.page =
      arena.take<char>(std::min<std::size_t>(page::kPageMax, buffer_size - kAddedFieldsMax));
  memory.rules = arena.take<rewrite::Workspace>(1);
  memory.size_bytes = arena.size();
  return memory;
}

}  // namespace brink::l7::proxy
