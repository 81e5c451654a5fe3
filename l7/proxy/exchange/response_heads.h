// ResponseHeads: heads of responses: gathered from an origin over HTTP/1, judged, and written for
// the client. What follows them is the relay's.
//
// One of a worker, its thread only. Of the stage it calls OriginConnections, OriginBooks,
// BodyCodings, ZoneRules, ClientOutput, Answers and TrafficCounts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "l7/http/head.h"
#include "l7/proxy/client/client_output.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/body_codings.h"
#include "l7/proxy/exchange/zone_rules.h"
#include "l7/proxy/head/forwarded_head.h"
#include "l7/proxy/origin/origin_books.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/record/traffic_counts.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ResponseHeads {
 public:
  struct Uses {
    const Clients& clients;
    Exchanges& exchanges;
    OriginBooks& books;
    OriginConnections& origins;
    BodyCodings& codings;
    ZoneRules& rules;
    ClientOutput& output;
    Answers& answers;
    TrafficCounts& traffic;
  };
  // All outlive it.
  ResponseHeads(Turn& turn, const Uses& uses) noexcept;

  // Gathers and forwards one head from the exchange's connection. True: look again; false: more
  // must come, or the exchange has ended or changed.
  [[nodiscard]] bool read(std::uint32_t x) noexcept;
  // One that came on a stream. False: the exchange has ended or changed.
  [[nodiscard]] bool take(std::uint32_t x, const http::ResponseHead& response) noexcept;

 private:
  bool begin(std::uint32_t x, const http::ResponseHead& response, std::size_t consume) noexcept;
  [[nodiscard]] bool refuse(std::uint32_t x, const http::ResponseHead& response) noexcept;
  [[nodiscard]] bool is_granted(const Exchange& exchange,
                                const http::ResponseHead& response) const noexcept;
  [[nodiscard]] bool leads_back(std::uint32_t x, const http::ResponseHead& response) noexcept;
  void frame(Exchange& exchange, const http::ResponseHead& response,
             ResponseContext& context) noexcept;
  void note_seen(Exchange& exchange) noexcept;
  void begin_tunnel(std::uint32_t x, std::size_t head_size) noexcept;
  void begin_body(std::uint32_t x, const http::ResponseHead& response, http::BodyKind out) noexcept;

  Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  OriginBooks& books_;
  OriginConnections& origins_;
  BodyCodings& codings_;
  ZoneRules& rules_;
  ClientOutput& output_;
  Answers& answers_;
  TrafficCounts& traffic_;
  http::ResponseHead parsed_;  // that is at hand
};

}  // namespace brink::l7::proxy
