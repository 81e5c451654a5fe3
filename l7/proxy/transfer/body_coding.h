// BodyCoding: one exchange's response body on its way through a coder (l7/compress), and what of
// its work is left for later. CodedEnd: the coder as an end that a body moves to (body_ends.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "l7/compress/body_coder.h"

namespace brink::l7::proxy {

// One an exchange. The marks outlive the exchange: its slot may be in a ring when it is used again.
struct BodyCoding {
  compress::BodyCoder coder;

  // Of the body.
  bool encodes = false;
  bool holds_output = false;  // the coder may have output without more input
  bool unflushed = false;     // it has taken input since its last flush
  compress::Flow flow = compress::Flow::more;
  base::Time moved_at{};    // when it took input last
  base::Time held_since{};  // with `unflushed`: since when

  // Of the slot.
  bool resting = false;  // is in the ring of those that go on in the next turn
  bool watched = false;  // is in the ring of those that may have to be flushed
  base::Time look_at{};  // when, with `watched`

  void begin_body(bool is_encoded) noexcept {
    encodes = is_encoded;
    holds_output = false;
    unflushed = false;
    flow = compress::Flow::more;
  }
};

// Bytes written here leave a coder into `room`. Does a turn's share of work at most.
class CodedEnd {
 public:
  // Both outlive it; `room` has at least a byte.
  CodedEnd(compress::BodyCoder& coder, std::span<std::uint8_t> room) noexcept
      : coder_(coder), room_(room) {}

  [[nodiscard]] std::size_t written() const noexcept { return written_; }
  // needs_input: it takes more. busy: this turn's share is done.
  [[nodiscard]] compress::StepState state() const noexcept { return state_; }

  // Fewer than all: see state().
  std::size_t write(std::span<const std::uint8_t> bytes) noexcept {
    std::size_t taken = 0;
    while (taken < bytes.size() && may_step()) {
      taken += step(bytes.subspan(taken), compress::Flow::more);
    }
    return taken;
  }
  // What comes without more input, as far as there is room.
  void run_dry(compress::Flow flow) noexcept {
    if (!may_step()) return;
    do {
      step({}, flow);
    } while (state_ == compress::StepState::needs_room && may_step());
  }

 private:
  // Input and output of one call. Brotli takes half a millisecond for it.
  static constexpr std::size_t kShareBytes = 64 * 1024;

  bool may_step() noexcept {
    using compress::StepState;
    if (state_ != StepState::needs_input && state_ != StepState::needs_room) return false;
    if (written_ == room_.size()) {
      state_ = StepState::needs_room;
      return false;
    }
    if (done_bytes_ >= kShareBytes) state_ = StepState::busy;
    return state_ != StepState::busy;
  }
  std::size_t step(std::span<const std::uint8_t> bytes, compress::Flow flow) noexcept {
    const compress::Step step = coder_.step(bytes, room_.subspan(written_), flow);
    written_ += step.produced;
    done_bytes_ += step.consumed + step.produced;
    state_ = step.state;
    return step.consumed;
  }

  compress::BodyCoder& coder_;
  std::span<std::uint8_t> room_;
  std::size_t written_ = 0;
  std::size_t done_bytes_ = 0;
  compress::StepState state_ = compress::StepState::needs_input;
};

}  // namespace brink::l7::proxy
