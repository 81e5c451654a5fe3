// The state of connections: the full control block, and the two small ones that stand for a
// connection before it is established (half-open) and after it is over (TIME_WAIT). Data only; the
// behaviour is in Stack, split by what happens: handshake.cc, input.cc, ack.cc, output.cc,
// timers.cc, application.cc.
#pragma once

#include <cstdint>

#include "dataplane/base/timer_wheel.h"
#include "dataplane/tcp/congestion.h"
#include "dataplane/tcp/flow_table.h"
#include "dataplane/tcp/header.h"
#include "dataplane/tcp/index_list.h"
#include "dataplane/tcp/promises.h"
#include "dataplane/tcp/receive_queue.h"
#include "dataplane/tcp/rtt.h"
#include "dataplane/tcp/scoreboard.h"
#include "dataplane/tcp/send_queue.h"
#include "dataplane/tcp/sequence.h"
#include "dataplane/tcp/types.h"

namespace brink::tcp {

inline constexpr base::Time kNever = base::Time::max();

// What the two sides agreed on by SYN options, and the numbers they started from.
struct Agreement {
  Sequence iss;
  Sequence irs;
  std::uint16_t mss = 536;         // payload and options of a segment we send
  std::uint8_t send_scale = 0;     // of the windows we receive
  std::uint8_t receive_scale = 0;  // of the windows we send
  bool sack = false;
  bool timestamps = false;
  std::uint32_t timestamp_offset = 0;  // added to our clock
  std::uint32_t timestamp_recent = 0;  // TS.Recent (RFC 7323 4.3)
};

// How the bytes in flight are looked at (recovery.cc).
enum class Recovery : std::uint8_t {
  kOpen,     // nothing is known to be lost
  kFast,     // fast recovery (RFC 6582, RFC 6675), until `recover` is acknowledged
  kTimeout,  // after a retransmission timeout everything up to `recover` counts as lost
};

struct Connection {
  base::TimerNode timer;  // armed no later than the earliest deadline below
  FlowKey key;
  std::uint32_t hash = 0;
  std::uint32_t generation = 0;
  bool in_use = false;
  State state = State::kClosed;
  Agreement agreed;

  // RFC 9293 3.3.1. `snd_nxt` never goes back; what is sent again is the business of `high_rxt`.
  Sequence snd_una;
  Sequence snd_nxt;
  std::uint32_t snd_wnd = 0;
  std::uint32_t max_snd_wnd = 0;
  Sequence snd_wl1;
  Sequence snd_wl2;
  Sequence rcv_nxt;
  Sequence rcv_adv;  // the right edge we have advertised
  Sequence last_ack_sent;
  base::Time timestamp_recent_at{};
  std::uint32_t first_window = 0;  // what our SYN offers; 0 on the passive side
  Recent recent;                   // bytes received of late
  Promise promise;                 // what the peer is expected to send of what it was offered

  SendQueue send;
  ReceiveQueue received;

  // Loss recovery.
  NewReno congestion;
  RttEstimator rtt;
  Scoreboard scoreboard;
  Recovery recovery = Recovery::kOpen;
  Sequence recover;
  Sequence high_rxt;  // holes before it have been sent again
  Sequence lost_end;  // holes before it count as lost
  std::uint32_t dup_acks = 0;
  Sequence rtt_sequence;  // the timed segment's end
  base::Time rtt_sent_at{};
  base::Time last_sent_at{};  // of data
  std::uint32_t retransmits = 0;

  // Deadlines; kNever when not running.
  base::Time retransmit_at = kNever;
  base::Time persist_at = kNever;
  base::Time delayed_ack_at = kNever;
  base::Time linger_at =
      kNever;                // FIN_WAIT_2 of a released connection; unread bytes of a closed one
  base::Time progress_at{};  // since when the oldest byte in flight waits
  base::Time last_heard{};
  base::Time last_data{};  // in either direction
  base::Time last_acked{};
  base::Time next_courtesy_ack{};  // limits ACKs to unacceptable segments without payload
  std::uint8_t syn_tries = 0;
  std::uint8_t persist_tries = 0;
  std::uint8_t keepalive_sent = 0;

  // What is to be sent at the next occasion.
  bool syn_pending = false;
  bool probe_pending = false;     // a segment before the window, to be answered
  bool force_retransmit = false;  // one segment regardless of the congestion window
  bool force_small = false;       // less than sender SWS avoidance would send
  std::uint8_t acks_owed = 0;
  std::uint8_t segments_unacked = 0;  // full ones received since our last ACK
  SackBlock duplicate;                // to be reported (RFC 2883); empty when start == end

  bool rtt_timing = false;
  bool cwnd_limited = false;
  bool fin_queued = false;  // close() was called
  bool fin_sent = false;
  bool fin_received = false;  // in order
  bool fin_known = false;     // it came, maybe before bytes that precede it
  Sequence fin_sequence;
  bool released = false;  // the application has forgotten us
  bool want_writable = false;
  std::uint8_t events = 0;  // bits of EventKind
  bool peer_closed_told = false;
  CloseReason reason = CloseReason::kNormal;

  std::uint64_t user = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  IndexLink event_link;
  IndexLink output_link;
  IndexLink starved_link;
  std::uint32_t next_free = kNil;

  // Payload of a full segment without SACK blocks.
  [[nodiscard]] std::uint32_t smss() const noexcept {
    return agreed.mss - (agreed.timestamps ? 12U : 0U);
  }
  [[nodiscard]] std::uint32_t flight() const noexcept { return snd_nxt - snd_una; }
  [[nodiscard]] bool synchronized() const noexcept {
    return state != State::kClosed && state != State::kSynSent;
  }
};

// RFC 4987's SYN cache entry: an incoming connection before its third segment.
struct HalfOpen {
  base::TimerNode timer;
  FlowKey key;
  std::uint32_t hash = 0;
  Agreement agreed;
  base::Time sent_at{};
  std::uint8_t tries = 0;
  bool scaling = false;  // the SYN had the option
  std::uint32_t next_free = kNil;
};

// What is needed to answer for a connection that is over.
struct TimeWait {
  IndexLink link;  // in order of expiry
  FlowKey key;
  std::uint32_t hash = 0;
  Sequence snd_nxt;
  Sequence rcv_nxt;
  std::uint16_t window = 0;
  bool timestamps = false;
  std::uint32_t timestamp_offset = 0;
  std::uint32_t timestamp_recent = 0;
  base::Time expires{};
  std::uint32_t next_free = kNil;
};

}  // namespace brink::tcp
