// ChunkDecoder: the chunked coding (RFC 9112 7.1), incrementally over arbitrary slices. It walks
// the framing only; body bytes stay where they are and are reported as a count, so that they can be
// moved between connections without a copy through the codec.
//
// Strict: chunk-size is 1 to 16 hexadecimal digits and nothing else; extensions are token[=token or
// quoted-string] without whitespace and are discarded; every line ends in CRLF; trailer fields are
// checked like header fields and discarded. All of it is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace brink::l7::http1 {

inline constexpr std::uint32_t kChunkExtensionsMax = 4096;  // bytes over one whole body
inline constexpr std::uint32_t kTrailersMax = 8192;         // bytes of the trailer section

class ChunkDecoder {
 public:
  // Consumes framing bytes at the start of `in` until body bytes are due, the body has ended, an
  // error stands, or `in` is used up. Returns the number of bytes consumed.
  std::size_t take_framing(std::string_view in) noexcept;

  // Body bytes due before more framing; the caller moves up to that many and reports them.
  [[nodiscard]] std::uint64_t body_due() const noexcept {
    return state_ == State::data ? left_ : 0;
  }
  // Precondition: count <= body_due().
  void take_body(std::uint64_t count) noexcept;

  [[nodiscard]] bool done() const noexcept { return state_ == State::done; }
  [[nodiscard]] bool failed() const noexcept { return state_ == State::failed; }

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension_name_first,
    extension_name,
    extension_value_first,
    extension_value,
    extension_quoted,
    extension_escape,
    extension_quoted_end,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done,
    failed,
  };

  State step(State state, char c) noexcept;
  State step_size(State state, char c) noexcept;
  State step_extension(State state, char c) noexcept;
  State step_trailer(State state, char c) noexcept;

  State state_ = State::size_first;
  std::uint8_t digits_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  std::uint64_t left_ = 0;
};

// The longest chunk-size line of ours: 16 digits and CRLF.
inline constexpr std::size_t kChunkHeadMax = 18;
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunkHead = "0\r\n";  // trailers and an empty line follow
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// Writes the size line of a chunk of `size` bytes; returns its length. Precondition: size > 0.
std::size_t write_chunk_head(std::span<char, kChunkHeadMax> out, std::uint64_t size) noexcept;

}  // namespace brink::l7::http1
