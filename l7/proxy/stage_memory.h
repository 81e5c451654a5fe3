// StageMemory: the arrays of a worker's stage, cut out of one arena. Their sizes follow from the
// configuration alone. Cold: it is made once, at start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "l7/log/entry.h"
#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/exchange/body_codings.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/origin/origin_sessions.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/stage_config.h"
#include "l7/rewrite/rules.h"

namespace brink::l7::proxy {

struct StageMemory {
  SlotMemory<Client> clients;
  std::span<std::uint32_t> ready;
  Exchanges::Memory exchanges;
  std::span<log::Notes> notes;
  BodyCodings::Memory codings;
  OriginConnections::Memory origins;
  std::span<origin::OriginRecord> records;
  ClientSessions::Memory sessions;
  OriginSessions::Memory origin_sessions;
  std::span<char> scratch;
  std::span<char> page;
  std::span<rewrite::Workspace> rules;  // one
  std::size_t size_bytes = 0;
};

// With a null `base` all arrays are empty, and only their size is told.
StageMemory carve_memory(std::byte* base, const StageConfig& config) noexcept;

// Octets of each of an exchange's two buffers.
std::uint32_t buffer_size_of(const StageConfig& config) noexcept;

}  // namespace brink::l7::proxy
