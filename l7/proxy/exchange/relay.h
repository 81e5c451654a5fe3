// Relay: moves an exchange forward: everything that can be sent is sent, everything that has come
// is read, as far as the other side has room. Called for every event of either connection; over
// HTTP/2 the sessions ask for bodies while they write.
//
// One of a worker, its thread only. Of the stage it calls the client's and the origin's sessions
// and connections, ClientOutput, BodySources, BodyCodings, Trailers, ResponseHeads, Answers and
// ExchangeLifecycle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "l7/http2/session.h"
#include "l7/proxy/client/client_output.h"
#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/exchange/answers.h"
#include "l7/proxy/exchange/body_codings.h"
#include "l7/proxy/exchange/body_sources.h"
#include "l7/proxy/exchange/exchange_lifecycle.h"
#include "l7/proxy/exchange/response_heads.h"
#include "l7/proxy/exchange/trailers.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class Relay {
 public:
  struct Uses {
    const Clients& clients;
    Exchanges& exchanges;
    ClientSessions& sessions;
    ClientOutput& output;
    OriginConnections& origins;
    BodySources& bodies;
    BodyCodings& codings;
    Trailers& trailers;
    ResponseHeads& responses;
    Answers& answers;
    ExchangeLifecycle& lifecycle;
  };
  // All outlive it.
  Relay(Turn& turn, const Uses& uses) noexcept;

  // The exchange may have ended when this returns.
  void drive(std::uint32_t x) noexcept;
  // Bodies whose time for a flush has come, and those that rested since the last turn.
  void resume_coded() noexcept;

  // Where sessions get the bodies of responses (clients) and of requests (origins) from; they are
  // called while those write. Tags are an exchange's index and one. The relay outlives the
  // sessions.
  http2::BodySource response_source() noexcept { return {&Relay::pull_body, this}; }
  http2::BodySource request_source() noexcept { return {&Relay::pull_request, this}; }

 private:
  void drive_relay(std::uint32_t x) noexcept;
  bool drive_request(std::uint32_t x) noexcept;
  bool send_request_trailers(std::uint32_t x) noexcept;
  void drive_response(std::uint32_t x) noexcept;
  void end_response(std::uint32_t x) noexcept;
  void drive_stream_response(std::uint32_t x) noexcept;

  static http2::BodyPart pull_request(void* relay, http2::StreamId stream, std::uint64_t tag,
                                      std::span<char> room) noexcept;
  static http2::BodyPart pull_body(void* relay, http2::StreamId stream, std::uint64_t tag,
                                   std::span<char> room) noexcept;
  http2::BodyPart end_request(const Exchange& exchange, std::size_t size) noexcept;
  bool repeat_sent(Exchange& exchange, RoomEnd& to) noexcept;
  void keep_sent(Exchange& exchange, std::span<const std::uint8_t> bytes) noexcept;
  http2::BodyPart pull_answer(Exchange& exchange, std::span<char> room) noexcept;
  http2::BodyPart pull_response(Exchange& exchange, std::span<char> room) noexcept;
  RelayState pump_into(Exchange& exchange, std::span<char> room, std::size_t& size,
                       bool& progressed) noexcept;

  Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  ClientSessions& sessions_;
  ClientOutput& output_;
  OriginConnections& origins_;
  BodySources& bodies_;
  BodyCodings& codings_;
  Trailers& trailers_;
  ResponseHeads& responses_;
  Answers& answers_;
  ExchangeLifecycle& lifecycle_;
};

}  // namespace brink::l7::proxy
