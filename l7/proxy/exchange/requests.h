// Requests: what becomes of a request whose head is whole: it is answered by the edge, or written
// for an origin. Everything that needs the head's text and the snapshot is done here, before the
// head's bytes are gone.
//
// One of a worker, its thread only. Of the stage it calls ClientTls, OriginTls, ZoneRules,
// BodyCodings, Answers, OriginAttempts and ExchangeLog.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "l7/http/head.h"
#include "l7/proxy/client/client_tls.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/body_codings.h"
#include "l7/proxy/exchange/origin_attempts.h"
#include "l7/proxy/exchange/zone_rules.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/origin/origin_tls.h"
#include "l7/proxy/record/exchange_log.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class Requests {
 public:
  struct Uses {
    Clients& clients;
    Exchanges& exchanges;
    ClientTls& client_tls;
    OriginTls& origin_tls;
    ZoneRules& rules;
    BodyCodings& codings;
    Answers& answers;
    OriginAttempts& attempts;
    ExchangeLog& log;
  };
  // All outlive it.
  Requests(Turn& turn, const Uses& uses) noexcept;

  // `consume`: bytes of the head that are still in the client's receive queue. The exchange may
  // have ended when this returns.
  void begin(std::uint32_t x, const http::RequestHead& request, std::size_t consume) noexcept;

 private:
  // What a request asks for. own: the answer is composed.
  enum class Decision : std::uint8_t { forward, error, own };
  static constexpr std::size_t kWebsocketKeySize = 24;

  Decision decide(std::uint32_t x, const http::RequestHead& request, EdgeError& error) noexcept;
  Decision decide_route(std::uint32_t x, const http::RequestHead& request,
                        EdgeError& error) noexcept;
  Decision decide_own(std::uint32_t x, const http::RequestHead& request, EdgeError& error) noexcept;
  Decision run_rules(std::uint32_t x, const http::RequestHead& request, EdgeError& error) noexcept;
  Decision block_request(std::uint32_t x, const rewrite::Block& block, EdgeError& error) noexcept;
  Decision decide_origin(std::uint32_t x, const http::RequestHead& request,
                         EdgeError& error) noexcept;
  [[nodiscard]] std::string_view wrong_scheme(const Exchange& exchange,
                                              const http::RequestHead& request) const noexcept;
  void refuse_origins_of_this_edge(Exchange& exchange) noexcept;
  bool build_origin_request(std::uint32_t x, const http::RequestHead& request) noexcept;
  std::string_view websocket_key(std::span<char, kWebsocketKeySize> out) noexcept;

  Turn& turn_;
  Clients& clients_;
  Exchanges& exchanges_;
  ClientTls& client_tls_;
  OriginTls& origin_tls_;
  ZoneRules& rules_;
  BodyCodings& codings_;
  Answers& answers_;
  OriginAttempts& attempts_;
  ExchangeLog& log_;
};

}  // namespace brink::l7::proxy
