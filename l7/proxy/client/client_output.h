// ClientOutput: heads and answers on their way to a client, over HTTP/1 into its connection, over
// HTTP/2 into its session. Bodies of origins are the relay's.
//
// One of a worker, its thread only. Of the stage it calls ClientSessions alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http2/head_writer.h"
#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/head/forwarded_head.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ClientOutput {
 public:
  // All outlive it.
  ClientOutput(Turn& turn, const Clients& clients, Exchanges& exchanges,
               ClientSessions& sessions) noexcept
      : turn_(turn), clients_(clients), exchanges_(exchanges), sessions_(sessions) {}

  // How the answer of this exchange leaves its connection.
  [[nodiscard]] ConnectionField connection_field(const Exchange& exchange) const noexcept;
  // The settings are the defaults, which ask for nothing, until the route is found.
  [[nodiscard]] ZoneFields zone_fields(const Exchange& exchange) const noexcept;

  // ---- HTTP/1 ----

  // Sends `size` bytes of the turn's scratch buffer; what there is no room for is kept in the
  // exchange's `in`, which holds nothing else at that time.
  void queue(std::uint32_t x, std::size_t size) noexcept;
  // True once the client's send queue has taken everything that was serialised for it.
  bool flush(Exchange& exchange) noexcept;

  // ---- HTTP/2 ----

  // An answer of the edge's own, whose body is kept in `in`.
  void respond_composed(std::uint32_t x, const http2::HeadWriter& head,
                        std::string_view body) noexcept;

  // ---- either ----

  // The origin's head for the client: to the scratch buffer (HTTP/1), or to the session at once,
  // which copies it. send() follows if it is `wanted`. False: it does not fit.
  [[nodiscard]] bool write(std::uint32_t x, const http::ResponseHead& response,
                           const ResponseContext& context, bool wanted, std::size_t& size) noexcept;
  void send(std::uint32_t x, std::size_t size) noexcept;

 private:
  void respond(std::uint32_t x, const http2::HeadWriter& head, bool has_body) noexcept;
  void drop_inbox(Exchange& exchange) noexcept;

  Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  ClientSessions& sessions_;
};

}  // namespace brink::l7::proxy
