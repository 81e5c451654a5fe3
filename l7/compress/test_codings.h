// Bodies, and the libraries' one-shot functions as a reference, for the tests of this folder.
#pragma once

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "l7/compress/body_coder.h"

namespace brink::l7::compress {

inline void require(bool condition) {
  if (!condition) std::abort();
}

inline const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// JSON-like text that repeats itself as such text does.
inline std::string text_body(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  static constexpr std::string_view kWords[] = {"garden", "spade",  "rake",  "hose",
                                                "green",  "handle", "steel", "offer"};
  std::string out = "[";
  while (out.size() < size) {
    out += "{\"id\":" + std::to_string(random() % 100000) + ",\"name\":\"";
    for (int i = 0; i < 3; ++i) out += std::string(kWords[random() % 8]) + " ";
    out += "\",\"price\":" + std::to_string(random() % 10000) + ".95,\"available\":true},\n";
  }
  out.resize(size);
  return out;
}

inline std::string noise_body(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

// One gzip member, by zlib. Aborts if it cannot.
inline std::string gzip_whole(std::string_view body, int level = 6) {
  z_stream stream{};
  require(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, body.size()) + 32, '\0');
  stream.next_in = const_cast<Bytef*>(bytes_of(body));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string br_whole(std::string_view body, int quality = 5, int window_bits = 22) {
  std::size_t size = BrotliEncoderMaxCompressedSize(body.size()) + 1024;
  std::string out(size, '\0');
  require(BrotliEncoderCompress(quality, window_bits, BROTLI_MODE_GENERIC, body.size(),
                                bytes_of(body), &size,
                                reinterpret_cast<std::uint8_t*>(out.data())) != 0);
  out.resize(size);
  return out;
}

// What can be read of `coded`, complete or not, of at most `size_max` bytes. `whole` is set when
// it ends as it should.
inline std::string decode_part(Coding coding, std::string_view coded, std::size_t size_max,
                               bool& whole) {
  std::string out(size_max + 1, '\0');
  std::size_t size = 0;
  auto* const to = reinterpret_cast<std::uint8_t*>(out.data());
  if (coding == Coding::gzip) {
    z_stream stream{};
    require(inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = const_cast<Bytef*>(bytes_of(coded));
    stream.avail_in = static_cast<uInt>(coded.size());
    stream.next_out = to;
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream, Z_SYNC_FLUSH);
    require(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
    whole = result == Z_STREAM_END && stream.avail_in == 0;
    size = stream.total_out;
    inflateEnd(&stream);
  } else if (coding == Coding::br) {
    auto* const state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t in_left = coded.size();
    std::size_t out_left = out.size();
    const std::uint8_t* from = bytes_of(coded);
    std::uint8_t* at = to;
    const auto result =
        BrotliDecoderDecompressStream(state, &in_left, &from, &out_left, &at, nullptr);
    require(result != BROTLI_DECODER_RESULT_ERROR);
    whole = result == BROTLI_DECODER_RESULT_SUCCESS && in_left == 0;
    size = out.size() - out_left;
    BrotliDecoderDestroyInstance(state);
  } else {
    ZSTD_DCtx* const context = ZSTD_createDCtx();
    ZSTD_inBuffer in{coded.data(), coded.size(), 0};
    ZSTD_outBuffer room{to, out.size(), 0};
    std::size_t left = 1;
    while (in.pos < in.size) {
      const std::size_t before = in.pos + room.pos;
      left = ZSTD_decompressStream(context, &room, &in);
      require(ZSTD_isError(left) == 0);
      if (in.pos + room.pos == before) break;
    }
    whole = left == 0 && in.pos == in.size;
    size = room.pos;
    ZSTD_freeDCtx(context);
  }
  out.resize(size);
  return out;
}

inline std::string decode_whole(Coding coding, std::string_view coded, std::size_t size_max) {
  bool whole = false;
  const std::string out = decode_part(coding, coded, size_max, whole);
  require(whole);
  return out;
}

// Sizes of the cuts that run() makes.
struct Cuts {
  std::size_t in_max = SIZE_MAX;
  std::size_t room_max = 64 * 1024;
  unsigned seed = 0;   // 0: always the greatest
  bool flush = false;  // now and then the source pauses
};

struct Ran {
  std::string output;
  StepState state = StepState::needs_input;
};

// Passes `body` through `coder`, as a proxy would, with checks of what every step says.
inline Ran run(BodyCoder& coder, std::string_view body, const Cuts& cuts = {}) {
  std::mt19937 random(cuts.seed);
  const auto size = [&](std::size_t most) {
    if (cuts.seed == 0) return most;
    return random() % 4 == 0 ? random() % 2 : random() % (most + 1);
  };
  Ran out;
  std::string room;
  std::size_t taken = 0;
  std::size_t idle = 0;
  bool last = false;
  while (idle < 100) {
    const std::size_t left = body.size() - taken;
    const std::size_t in = last ? left : std::min(left, size(std::min(cuts.in_max, body.size())));
    last = in == left;
    const bool pauses = cuts.flush && random() % 4 == 0;
    const Flow flow = last ? Flow::finish : pauses ? Flow::flush : Flow::more;
    room.assign(size(cuts.room_max), '\0');
    const Step step = coder.step({bytes_of(body) + taken, in},
                                 {reinterpret_cast<std::uint8_t*>(room.data()), room.size()}, flow);
    require(step.consumed <= in && step.produced <= room.size());
    taken += step.consumed;
    out.output.append(room, 0, step.produced);
    out.state = step.state;
    if (step.state == StepState::needs_input) require(step.consumed == in && !last);
    if (step.state == StepState::done) require(last && step.consumed == in);
    if (step.state == StepState::done || step.state == StepState::failed) return out;
    idle = step.consumed == 0 && step.produced == 0 && step.state != StepState::busy ? idle + 1 : 0;
  }
  std::abort();  // it stands still
}

}  // namespace brink::l7::compress
