#include "l7/proxy/exchange/body_sources.h"

#include "l7/proxy/transfer/body_coding.h"
#include "l7/proxy/transfer/body_ends.h"

namespace brink::l7::proxy {

// The end of a body of unknown length is known only when its last byte was taken.
template <typename To>
RelayState BodySources::pump_request(Exchange& exchange, To& to, bool& progressed) noexcept {
  if (exchange.stream == 0) {
    ConnectionEnd from(turn_.transport, clients_[exchange.client].id, turn_.now);
    return exchange.request_body.pump(from, to, progressed);
  }
  InboxEnd from(exchange.inbox, exchanges_.blocks(), &sessions_.session_of(exchange),
                exchange.stream);
  RelayState state = exchange.request_body.pump(from, to, progressed);
  if (state == RelayState::needs_input && exchange.stream_ended && exchange.inbox.empty() &&
      exchange.request_body.input_ended()) {
    state = exchange.request_body.pump(from, to, progressed);
  }
  if (progressed) sessions_.push_flush(exchange.client);  // windows are open again
  return state;
}

template <typename To>
RelayState BodySources::pump_response(Exchange& exchange, To& to, bool& progressed) noexcept {
  if (!exchange.from_session) {
    const tcp::ConnectionId origin =
        exchange.origin == kNoIndex ? tcp::ConnectionId{} : origins_[exchange.origin].id;
    ConnectionEnd from(turn_.transport, origin, turn_.now);
    return exchange.response_body.pump(from, to, progressed);
  }
  http2::Session* const session =
      exchange.origin_stream == 0 ? nullptr : &origins_.session_of(exchange);
  InboxEnd from(exchange.response_inbox, exchanges_.blocks(), session, exchange.origin_stream);
  RelayState state = exchange.response_body.pump(from, to, progressed);
  if (state == RelayState::needs_input && exchange.origin_ended &&
      exchange.response_inbox.empty() && exchange.response_body.input_ended()) {
    state = exchange.response_body.pump(from, to, progressed);
  }
  if (progressed && exchange.origin != kNoIndex) origins_.push_flush(exchange.origin);
  return state;
}
template RelayState BodySources::pump_request(Exchange&, ConnectionEnd&, bool&) noexcept;
template RelayState BodySources::pump_request(Exchange&, RoomEnd&, bool&) noexcept;
template RelayState BodySources::pump_response(Exchange&, ConnectionEnd&, bool&) noexcept;
template RelayState BodySources::pump_response(Exchange&, RoomEnd&, bool&) noexcept;
template RelayState BodySources::pump_response(Exchange&, CodedEnd&, bool&) noexcept;

}  // namespace brink::l7::proxy
