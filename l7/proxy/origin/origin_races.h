// OriginRaces: origins with addresses of both families (RFC 8305 5): when the first connection
// takes its time, one of the other family is made beside it, and the first that stands has the
// request. Two at most; once one of them stands it is as if there had been no other.
//
// One of a worker, its thread only. Of the stage it calls OriginBooks and OriginConnections.
#pragma once

#include <cstdint>

#include "l7/proxy/origin/origin_connections.h"

namespace brink::l7::proxy {

class OriginRaces {
 public:
  // All outlive it.
  OriginRaces(Turn& turn, Exchanges& exchanges, OriginBooks& books,
              OriginConnections& origins) noexcept
      : turn_(turn), exchanges_(exchanges), books_(books), origins_(origins) {}

  // The connection of an exchange has just begun.
  void begin(std::uint32_t x) noexcept;
  // Those whose head start is over get their rival.
  void take_due() noexcept;
  // One of the two stands: it is the exchange's.
  void won(std::uint32_t x, std::uint32_t o) noexcept;
  // One of the two is gone; the other goes on.
  void lost(std::uint32_t x, std::uint32_t o, EdgeError error) noexcept;

 private:
  [[nodiscard]] std::uint32_t of_family(const Exchange& exchange, bool v4) const noexcept;
  void start(std::uint32_t x) noexcept;
  void promote(std::uint32_t x) noexcept;

  Turn& turn_;
  Exchanges& exchanges_;
  OriginBooks& books_;
  OriginConnections& origins_;
};

}  // namespace brink::l7::proxy
