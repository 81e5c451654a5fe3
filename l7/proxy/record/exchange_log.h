// ExchangeLog: what the access log learns of an exchange on its way, and its entry at the end.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "l7/http/head.h"
#include "l7/log/entry.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ExchangeLog {
 public:
  // All outlive it. `notes`: one an exchange.
  ExchangeLog(Turn& turn, const Clients& clients, const Exchanges& exchanges,
              std::span<log::Notes> notes) noexcept
      : turn_(turn), clients_(clients), exchanges_(exchanges), notes_(notes) {}

  // A new exchange has slot `x`.
  void clear(std::uint32_t x) noexcept { notes_[x].clear(); }
  // Its head is complete.
  void note_request(Exchange& exchange, const http::RequestHead& request,
                    std::size_t head_size) noexcept;
  void note_zone(const Exchange& exchange, std::string_view zone) noexcept;
  // The edge answers with an error, perhaps before there was a whole head.
  void note_error(Exchange& exchange, EdgeError error) noexcept;
  // The exchange is over: its entry becomes whole.
  void close(Exchange& exchange) noexcept;
  // To the worker's ring; what it has no room for is counted.
  void write(const Exchange& exchange) noexcept;

 private:
  void note_arrival(Exchange& exchange) noexcept;

  Turn& turn_;
  const Clients& clients_;
  const Exchanges& exchanges_;
  std::span<log::Notes> notes_;
};

}  // namespace brink::l7::proxy
