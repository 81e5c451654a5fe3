// BodyCoder: what a response body passes through on its way to the client, as a Plan says: a
// decoder, an encoder, or one behind the other. Bytes in, bytes out; it keeps only what the codings
// themselves hold back. It borrows from a Pool between begin() and end(). One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "l7/compress/policy.h"
#include "l7/compress/pool.h"
#include "l7/compress/step.h"

namespace brink::l7::compress {

enum class Begun : std::uint8_t {
  ok,
  no_encoder,  // none is free: without_encoding(plan) may do
  no_decoder,  // none is free: the client cannot be given this body
};

class BodyCoder {
 public:
  BodyCoder() noexcept = default;
  ~BodyCoder() { end(); }
  BodyCoder(const BodyCoder&) = delete;
  BodyCoder& operator=(const BodyCoder&) = delete;

  // Precondition: plan.changes_body(). Whatever went before is ended. But for ok nothing is taken.
  // `pool` outlives the coder's work.
  Begun begin(Pool& pool, const Plan& plan) noexcept;

  // Precondition: active(), and not failed or done. Input that is not consumed is to be given
  // again. After needs_room there may be output without more input; after needs_input there is
  // none. Work is bounded by input and room, and by 64 KiB between a decoder and an encoder (busy).
  Step step(Input in, Room room, Flow flow) noexcept;

  // Gives everything back, at any point of a body.
  void end() noexcept;

  [[nodiscard]] bool active() const noexcept { return pool_ != nullptr; }

 private:
  bool take_decoder(Coding coding) noexcept;
  bool take_encoder(Coding coding) noexcept;
  Step decode(Input in, Room room, Flow flow) noexcept;
  Step encode(Input in, Room room, Flow flow) noexcept;
  Step recode(Input in, Room room, Flow flow) noexcept;

  Pool* pool_ = nullptr;
  // At most one of each group is not null.
  GzipDecoder* gzip_decoder_ = nullptr;
  BrDecoder* br_decoder_ = nullptr;
  GzipEncoder* gzip_encoder_ = nullptr;
  BrEncoder* br_encoder_ = nullptr;
  ZstdEncoder* zstd_encoder_ = nullptr;
  // Decoded and not encoded yet.
  std::uint8_t* between_ = nullptr;
  std::size_t between_size_ = 0;
  std::size_t between_taken_ = 0;
  StepState decoded_ = StepState::needs_input;  // what the decoder said last
};

}  // namespace brink::l7::compress
