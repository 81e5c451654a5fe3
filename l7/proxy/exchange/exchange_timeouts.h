// ExchangeTimeouts: how long an exchange may wait, by what it waits for, and what happens when that
// is over. Looked at by a sweep: all of them are seconds long, and a sweep over the slots in use is
// cheaper than a timer per state change.
//
// One of a worker, its thread only. Of the stage it calls OriginConnections, OriginAttempts,
// Answers and ExchangeLifecycle.
#pragma once

#include <cstdint>

#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/origin_attempts.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ExchangeTimeouts {
 public:
  // All outlive it.
  ExchangeTimeouts(Turn& turn, Exchanges& exchanges, OriginConnections& origins,
                   OriginAttempts& attempts, Answers& answers,
                   ExchangeLifecycle& lifecycle) noexcept
      : turn_(turn),
        exchanges_(exchanges),
        origins_(origins),
        attempts_(attempts),
        answers_(answers),
        lifecycle_(lifecycle) {}

  // The exchange may have ended when this returns.
  void check(std::uint32_t x) noexcept;

 private:
  void check_relay(std::uint32_t x) noexcept;

  Turn& turn_;
  Exchanges& exchanges_;
  OriginConnections& origins_;
  OriginAttempts& attempts_;
  Answers& answers_;
  ExchangeLifecycle& lifecycle_;
};

}  // namespace brink::l7::proxy
