#include "l7/http1/chunked.h"

#include "dataplane/base/check.h"
#include "l7/http/chars.h"

namespace brink::l7::http1 {
namespace {

constexpr std::uint8_t kSizeDigitsMax = 16;
constexpr std::uint64_t kSizeMax = (std::uint64_t{1} << 62) - 1;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

ChunkDecoder::State ChunkDecoder::step_size(State state, char c) noexcept {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (state == State::size_first) {
      digits_ = 0;
      left_ = 0;
    }
    if (++digits_ > kSizeDigitsMax || left_ > (kSizeMax >> 4)) return State::failed;
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return State::size;
  }
  if (state == State::size_first) return State::failed;
  if (c == ';') return State::extension_name_first;
  return c == '\r' ? State::size_lf : State::failed;
}

ChunkDecoder::State ChunkDecoder::step_extension(State state, char c) noexcept {
  if (++extension_bytes_ > kChunkExtensionsMax) return State::failed;
  const bool token = http::has_class(c, http::kCharToken);
  switch (state) {
    case State::extension_name_first:
      return token ? State::extension_name : State::failed;
    case State::extension_name:
      if (token) return state;
      if (c == '=') return State::extension_value_first;
      break;
    case State::extension_value_first:
      if (c == '"') return State::extension_quoted;
      return token ? State::extension_value : State::failed;
    case State::extension_value:
      if (token) return state;
      break;
    case State::extension_quoted:
      if (c == '"') return State::extension_quoted_end;
      if (c == '\\') return State::extension_escape;
      return http::has_class(c, http::kCharValue) ? state : State::failed;
    case State::extension_escape:
      return http::has_class(c, http::kCharValue) ? State::extension_quoted : State::failed;
    default:
      break;
  }
  if (c == ';') return State::extension_name_first;
  return c == '\r' ? State::size_lf : State::failed;
}

ChunkDecoder::State ChunkDecoder::step_trailer(State state, char c) noexcept {
  if (++trailer_bytes_ > kTrailersMax) return State::failed;
  switch (state) {
    case State::trailer_first:
      if (c == '\r') return State::end_lf;
      return http::has_class(c, http::kCharToken) ? State::trailer_name : State::failed;
    case State::trailer_name:
      if (c == ':') return State::trailer_value;
      return http::has_class(c, http::kCharToken) ? state : State::failed;
    case State::trailer_value:
      if (c == '\r') return State::trailer_lf;
      return http::has_class(c, http::kCharValue) ? state : State::failed;
    default:
      return c == '\n' ? State::trailer_first : State::failed;
  }
}

ChunkDecoder::State ChunkDecoder::step(State state, char c) noexcept {
  switch (state) {
    case State::size_first:
    case State::size:
      return step_size(state, c);
    case State::extension_name_first:
    case State::extension_name:
    case State::extension_value_first:
    case State::extension_value:
    case State::extension_quoted:
    case State::extension_escape:
    case State::extension_quoted_end:
      return step_extension(state, c);
    case State::size_lf:
      if (c != '\n') return State::failed;
      return left_ == 0 ? State::trailer_first : State::data;
    case State::data_cr:
      return c == '\r' ? State::data_lf : State::failed;
    case State::data_lf:
      return c == '\n' ? State::size_first : State::failed;
    case State::trailer_first:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
      return step_trailer(state, c);
    case State::end_lf:
      return c == '\n' ? State::done : State::failed;
    case State::data:
    case State::done:
    case State::failed:
      return state;
  }
  return State::failed;
}

std::size_t ChunkDecoder::take_framing(std::string_view in) noexcept {
  std::size_t used = 0;
  while (used < in.size() && state_ != State::data && state_ != State::done &&
         state_ != State::failed) {
    state_ = step(state_, in[used++]);
  }
  return used;
}

void ChunkDecoder::take_body(std::uint64_t count) noexcept {
  CHECK(count <= body_due());
  left_ -= count;
  if (left_ == 0 && state_ == State::data) state_ = State::data_cr;
}

std::size_t write_chunk_head(std::span<char, kChunkHeadMax> out, std::uint64_t size) noexcept {
  CHECK(size > 0);
  static constexpr char kDigits[] = "0123456789abcdef";
  const int digits = (64 - __builtin_clzll(size) + 3) / 4;
  for (int i = 0; i < digits; ++i) out[i] = kDigits[(size >> (4 * (digits - 1 - i))) & 0xf];
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return static_cast<std::size_t>(digits) + 2;
}

}  // namespace brink::l7::http1
