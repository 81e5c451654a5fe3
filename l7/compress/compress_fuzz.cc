// Arbitrary bytes as a body that is encoded, decoded and turned from one coding into another,
// through arbitrary cuts of input and room. Checked: nothing is read or written outside
// (sanitizers), no step stands still, what is encoded is read by the libraries, cuts change nothing
// that is decoded, all memory comes back. The input: how to go about it (4 bytes), the body.
#include <cstdint>
#include <string>

#include "l7/compress/body_coder.h"
#include "l7/compress/test_codings.h"

namespace {

using namespace brink::l7::compress;  // NOLINT

constexpr std::size_t kOutMax = 1024 * 1024;  // of what damaged input may decode to

Pool& pool() {
  static Pool one({1, 1, 1, 1, 1});
  return one;
}

void check_encoding(Coding coding, const std::string& body, const Cuts& cuts) {
  BodyCoder coder;
  require(coder.begin(pool(), {.encode = coding}) == Begun::ok);
  const Ran ran = run(coder, body, cuts);
  require(ran.state == StepState::done);
  require(decode_whole(coding, ran.output, body.size()) == body);
}

// Decodes `body`, which is anything; whether that failed, in `state`.
std::string decoded(const Plan& plan, const std::string& body, std::size_t cut, StepState& state) {
  BodyCoder coder;
  require(coder.begin(pool(), plan) == Begun::ok);
  std::string out;
  std::string room(cut * 3 + 1, '\0');
  std::size_t taken = 0;
  for (std::size_t idle = 0; out.size() < kOutMax;) {
    require(idle < 100);
    const std::size_t there = std::min(cut, body.size() - taken);
    const Flow flow = taken + there == body.size() ? Flow::finish : Flow::more;
    const Step step = coder.step({bytes_of(body) + taken, there},
                                 {reinterpret_cast<std::uint8_t*>(room.data()), room.size()}, flow);
    require(step.consumed <= there && step.produced <= room.size());
    taken += step.consumed;
    out.append(room, 0, step.produced);
    state = step.state;
    if (state == StepState::done || state == StepState::failed) return out;
    idle = step.consumed + step.produced == 0 && state != StepState::busy ? idle + 1 : 0;
  }
  return out;
}

void check_decoding(Coding coding, const std::string& body, std::size_t cut) {
  StepState whole = StepState::needs_input;
  StepState parts = StepState::needs_input;
  const std::string at_once = decoded({.decode = coding}, body, body.size() + 1, whole);
  const std::string in_parts = decoded({.decode = coding}, body, cut, parts);
  if (whole == StepState::done && parts == StepState::done) require(at_once == in_parts);
  const std::size_t common = std::min(at_once.size(), in_parts.size());
  require(at_once.compare(0, common, in_parts, 0, common) == 0);
  if (std::max(at_once.size(), in_parts.size()) < kOutMax) require(whole == parts);
  for (const Coding to : {Coding::gzip, Coding::br, Coding::zstd}) {
    StepState state = StepState::needs_input;
    const std::string again = decoded({.decode = coding, .encode = to}, body, cut, state);
    if (state != StepState::done || at_once.size() >= kOutMax) continue;
    require(whole == StepState::done);
    require(decode_whole(to, again, at_once.size()) == at_once);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 256 * 1024) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 4, size - 4);
  const Cuts cuts{.in_max = data[1] * 16U + 1U,
                  .room_max = data[2] * 16U + 1U,
                  .seed = data[3],
                  .flush = (data[0] & 8) != 0};
  const auto coding = static_cast<Coding>(data[0] % 4);
  if (coding != Coding::identity) check_encoding(coding, body, cuts);
  if ((data[0] & 4) != 0) {
    check_decoding((data[0] & 16) != 0 ? Coding::br : Coding::gzip, body, data[1] * 4U + 1U);
  }
  require(pool().can_decode() && pool().gzip_encoders.free() == 1);
  require(pool().br_encoders.free() == 1 && pool().zstd_encoders.free() == 1);
  return 0;
}
