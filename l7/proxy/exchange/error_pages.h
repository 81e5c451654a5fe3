// ErrorPages: which page an error is told with: the zone's own, else the operator's, else the
// edge's (head/edge_error.h).
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <span>
#include <string_view>

#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ErrorPages {
 public:
  // All outlive it. `room`: for one page.
  ErrorPages(const Turn& turn, const Clients& clients, std::span<char> room) noexcept
      : turn_(turn), clients_(clients), room_(room) {}

  // The page, until the next call; empty: the edge's own has to do.
  std::string_view write(const Exchange& exchange, EdgeError error) noexcept;

 private:
  [[nodiscard]] std::string_view page_text(const Exchange& exchange,
                                           const EdgeErrorInfo& info) const noexcept;

  const Turn& turn_;
  const Clients& clients_;
  std::span<char> room_;
};

}  // namespace brink::l7::proxy
