#include "l7/compress/body_coder.h"

#include <algorithm>

#include "dataplane/base/check.h"

namespace brink::l7::compress {
namespace {

// What one step takes at most, so that a worker soon goes on with its packets. Of coded bytes less:
// a decoder makes ten of one.
constexpr std::size_t kEncoderInput = 16 * 1024;
constexpr std::size_t kDecoderInput = 4 * 1024;
constexpr std::size_t kStepRoom = 16 * 1024;

// What a few bytes decode to may be encoded to few again, so neither input nor room bounds the
// work: this does, at 64 KiB between.
constexpr std::size_t kRecodeTurns = 4;

// A coder that begins a body, or null when none is free.
template <typename Coder>
Coder* take(Shelf<Coder>& shelf) noexcept {
  Coder* const coder = shelf.take();
  if (coder == nullptr || coder->start()) return coder;
  coder->stop();
  shelf.put(coder);
  return nullptr;
}

template <typename Coder>
void give_back(Shelf<Coder>& shelf, Coder*& coder) noexcept {
  if (coder == nullptr) return;
  coder->stop();
  shelf.put(coder);
  coder = nullptr;
}

}  // namespace

Begun BodyCoder::begin(Pool& pool, const Plan& plan) noexcept {
  CHECK(plan.changes_body());
  end();
  pool_ = &pool;
  if (plan.decode != Coding::identity && !take_decoder(plan.decode)) {
    end();
    return Begun::no_decoder;
  }
  if (plan.encode != Coding::identity && !take_encoder(plan.encode)) {
    end();
    return Begun::no_encoder;
  }
  between_size_ = 0;
  between_taken_ = 0;
  decoded_ = StepState::needs_input;
  return Begun::ok;
}

void BodyCoder::end() noexcept {
  if (pool_ == nullptr) return;
  give_back(pool_->gzip_decoders, gzip_decoder_);
  give_back(pool_->br_decoders, br_decoder_);
  give_back(pool_->gzip_encoders, gzip_encoder_);
  give_back(pool_->br_encoders, br_encoder_);
  give_back(pool_->zstd_encoders, zstd_encoder_);
  if (between_ != nullptr) pool_->betweens.put(reinterpret_cast<std::byte*>(between_));
  between_ = nullptr;
  pool_ = nullptr;
}

bool BodyCoder::take_decoder(Coding coding) noexcept {
  if (coding == Coding::gzip) gzip_decoder_ = take(pool_->gzip_decoders);
  if (coding == Coding::br) br_decoder_ = take(pool_->br_decoders);
  if (gzip_decoder_ == nullptr && br_decoder_ == nullptr) return false;
  between_ = reinterpret_cast<std::uint8_t*>(pool_->betweens.take());
  CHECK(between_ != nullptr);  // there are as many as decoders
  return true;
}

bool BodyCoder::take_encoder(Coding coding) noexcept {
  if (coding == Coding::gzip) gzip_encoder_ = take(pool_->gzip_encoders);
  if (coding == Coding::br) br_encoder_ = take(pool_->br_encoders);
  if (coding == Coding::zstd) zstd_encoder_ = take(pool_->zstd_encoders);
  return gzip_encoder_ != nullptr || br_encoder_ != nullptr || zstd_encoder_ != nullptr;
}

Step BodyCoder::decode(Input in, Room room, Flow flow) noexcept {
  return gzip_decoder_ != nullptr ? gzip_decoder_->step(in, room, flow)
                                  : br_decoder_->step(in, room, flow);
}

Step BodyCoder::encode(Input in, Room room, Flow flow) noexcept {
  if (gzip_encoder_ != nullptr) return gzip_encoder_->step(in, room, flow);
  if (br_encoder_ != nullptr) return br_encoder_->step(in, room, flow);
  return zstd_encoder_->step(in, room, flow);
}

Step BodyCoder::recode(Input in, Room room, Flow flow) noexcept {
  Step step;
  for (std::size_t turn = 0; turn < kRecodeTurns; ++turn) {
    const bool decodes = between_taken_ == between_size_ && decoded_ != StepState::done;
    if (decodes) {
      const Step decoded = decode(in.subspan(step.consumed), {between_, kBetweenBytes}, flow);
      step.consumed += decoded.consumed;
      between_size_ = decoded.produced;
      between_taken_ = 0;
      decoded_ = decoded.state;
      if (decoded_ == StepState::failed) {
        step.state = StepState::failed;
        return step;
      }
    }
    const bool is_last = decoded_ == StepState::done;
    const bool is_dry = decodes && decoded_ == StepState::needs_input;
    const bool pauses = is_dry && flow == Flow::flush;
    const Flow encoder_flow = is_last ? Flow::finish : pauses ? Flow::flush : Flow::more;
    const Step encoded = encode({between_ + between_taken_, between_size_ - between_taken_},
                                room.subspan(step.produced), encoder_flow);
    between_taken_ += encoded.consumed;
    step.produced += encoded.produced;
    step.state = encoded.state;
    if (encoded.state != StepState::needs_input) return step;
    if (is_dry) return step;
  }
  step.state = StepState::busy;
  return step;
}

Step BodyCoder::step(Input in, Room room, Flow flow) noexcept {
  CHECK(active());
  const bool decodes = between_ != nullptr;
  const bool encodes =
      gzip_encoder_ != nullptr || br_encoder_ != nullptr || zstd_encoder_ != nullptr;
  const Input piece = in.first(std::min(in.size(), decodes ? kDecoderInput : kEncoderInput));
  const Room part = room.first(std::min(room.size(), kStepRoom));
  if (piece.size() != in.size()) flow = Flow::more;
  Step step = decodes && encodes ? recode(piece, part, flow)
              : decodes          ? decode(piece, part, flow)
                                 : encode(piece, part, flow);
  const bool more_input = step.state == StepState::needs_input && piece.size() != in.size();
  const bool more_room = step.state == StepState::needs_room && part.size() != room.size();
  if (more_input || more_room) step.state = StepState::busy;
  return step;
}

}  // namespace brink::l7::compress
