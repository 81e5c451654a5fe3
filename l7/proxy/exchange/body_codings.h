// BodyCodings: content codings of response bodies: which one a body gets, and the coder between its
// origin and its client. What is decided and how bodies are coded is l7/compress.
//
// A coder works off a share of input and output a turn, then its body rests until the next. What it
// holds back is flushed when the origin pauses.
//
// One of a worker, its thread only. Of the stage it calls BodySources alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/base/index_ring.h"
#include "l7/compress/policy.h"
#include "l7/http/head.h"
#include "l7/proxy/exchange/body_sources.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"
#include "l7/proxy/transfer/body_coding.h"
#include "l7/proxy/transfer/body_relay.h"

namespace brink::l7::proxy {

class BodyCodings {
 public:
  // One entry for each exchange in all; empty without coders.
  struct Memory {
    std::span<BodyCoding> codings;
    std::span<std::uint32_t> resting;
    std::span<std::uint32_t> watched;
  };
  // All outlive it.
  BodyCodings(Turn& turn, const Clients& clients, Exchanges& exchanges, BodySources& bodies,
              const Memory& memory) noexcept;

  // What the origin is asked for instead of what the request says. A decoder is promised to whom
  // may need it: until the response is there, others may ask as well.
  std::string_view accept_encoding(Exchange& exchange, const http::RequestHead& request) noexcept;
  // What becomes of the body of a final response; a coder is taken for it. False: the client does
  // not take the body as it is, and no decoder is free.
  [[nodiscard]] bool plan(std::uint32_t x, const http::ResponseHead& response,
                          compress::Plan& plan) noexcept;
  // The exchange is over.
  void end(std::uint32_t x) noexcept;

  // Moves the response's body through its coder into `room`, which has at least a byte. needs_room
  // with room left: more comes in the next turn.
  RelayState pump(Exchange& exchange, std::span<std::uint8_t> room, std::size_t& written,
                  bool& progressed) noexcept;
  // The same for an HTTP/1 client: chunks of what its connection has room for, or plain bytes where
  // its close ends the body.
  RelayState send(Exchange& exchange, bool& progressed) noexcept;

  // An exchange whose time for a flush has come; kNoIndex: no more. It is to be driven.
  std::uint32_t take_unflushed() noexcept;
  // Of those that rested since the last turn, resting_count() at its begin, the next; kNoIndex: its
  // body has ended meanwhile. It is to be driven.
  std::uint32_t take_rested() noexcept;
  [[nodiscard]] std::uint32_t resting_count() const noexcept { return resting_.size(); }
  // When take_unflushed() is to be called; Time::max(): need not be.
  [[nodiscard]] base::Time next_flush() const noexcept;

 private:
  void take_promise_back(Exchange& exchange) noexcept;
  void note_moved(BodyCoding& coding) noexcept;
  void rest(std::uint32_t x) noexcept;
  void watch(std::uint32_t x) noexcept;
  std::span<const std::uint8_t> frame(const Exchange& exchange, std::size_t size,
                                      RelayState state) noexcept;

  Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  BodySources& bodies_;
  std::span<BodyCoding> codings_;
  base::IndexRing resting_;  // exchanges whose coder goes on in the next turn
  base::IndexRing watched_;  // exchanges whose coder may have to be flushed, by look_at
  bool encodes_ = false;
  bool decodes_ = false;
  std::size_t promised_decoders_ = 0;  // to exchanges whose response has not begun
};

}  // namespace brink::l7::proxy
