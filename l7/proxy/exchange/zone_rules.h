// ZoneRules: the zone's rules on the way of an exchange: they block a request, change the head that
// the origin gets, and the one that the client gets. What they say is l7/rewrite.
//
// One of a worker, its thread only. Of the stage it calls ClientTls alone.
#pragma once

#include <cstdint>

#include "l7/http/head.h"
#include "l7/proxy/client/client_tls.h"
#include "l7/proxy/head/edge_error.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"
#include "l7/rewrite/rules.h"

namespace brink::l7::proxy {

class ZoneRules {
 public:
  enum class Verdict : std::uint8_t { pass, block, error };

  // All outlive it. `work` is for the head that is at hand.
  ZoneRules(const Turn& turn, const Clients& clients, Exchanges& exchanges, ClientTls& client_tls,
            rewrite::Workspace& work) noexcept
      : turn_(turn),
        clients_(clients),
        exchanges_(exchanges),
        client_tls_(client_tls),
        work_(work) {}

  // Firewall first, then the headers to the origin. block: `block` says with what; error: `error`
  // is the answer.
  Verdict run_on_request(Exchange& exchange, const http::RequestHead& request,
                         rewrite::Block& block, EdgeError& error) noexcept;
  // What the response's rules will ask about the request is kept behind it, as the origin gets it.
  // False: there is no room.
  [[nodiscard]] bool keep_facts(std::uint32_t x, const http::RequestHead& request) noexcept;
  // The headers to the client. False: the rules could not be run.
  [[nodiscard]] bool run_on_response(std::uint32_t x, const http::ResponseHead& response) noexcept;

  // What the rules that ran last change.
  [[nodiscard]] const rewrite::HeaderEdits& edits() const noexcept { return work_.edits; }

 private:
  [[nodiscard]] rewrite::Facts request_facts(const Exchange& exchange,
                                             const http::RequestHead& request) const noexcept;

  const Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  ClientTls& client_tls_;
  rewrite::Workspace& work_;
};

}  // namespace brink::l7::proxy
