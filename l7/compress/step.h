// Step: what one call of a coder did. All coders have one shape: bytes in, room for bytes out, and
// what the caller knows of the input behind them. A call does as much as input and room allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace brink::l7::compress {

// Brotli and zstd work a block off at once, up to 64 and 128 KiB; they are made to end one after
// this much input, whether there is a pause or not. That is a third of the time that a step may
// take, and what was made reaches the client sooner; bodies become up to 1.6% larger.
inline constexpr std::size_t kBlockBytes = 32 * 1024;

// What follows the bytes of a call.
enum class Flow : std::uint8_t {
  more,    // more input soon: bytes may be held back for a better ratio
  flush,   // the source pauses: the peer must be able to read all that came so far
  finish,  // nothing: these are the last bytes. What is left of them is given with finish again
};

enum class StepState : std::uint8_t {
  needs_input,  // all input is taken; with Flow::flush, and all of it is in the output
  needs_room,   // there may be more output: call again with room, with what input is left
  busy,         // there is room and work left, but this call did its share: call again, soon
  done,         // with Flow::finish: the whole body is in the output
  failed,       // a decoder's input is damaged, cut short or followed by other bytes; for good
};

struct Step {
  std::size_t consumed = 0;  // of the input
  std::size_t produced = 0;  // of the room
  StepState state = StepState::needs_input;
};

using Input = std::span<const std::uint8_t>;
using Room = std::span<std::uint8_t>;

}  // namespace brink::l7::compress
