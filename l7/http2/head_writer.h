// HeadWriter: collects a head for a session to send, in the words of http1::HeadWriter, so that
// what writes heads can be written once for both. Names may be of any case; they go out in lower
// case.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "l7/http/head.h"

namespace brink::l7::http2 {

class HeadWriter {
 public:
  // Fields of a parsed head, pseudo-fields and what the edge adds.
  static constexpr std::size_t kFieldsMax = http::kMaxFields + 32;

  struct Field {
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t value_size;
    std::uint16_t name_size;
  };

  // `out` takes the text and outlives the call that submits the head.
  explicit HeadWriter(std::span<char> out) noexcept : out_(out) {}

  // False after the buffer or the number of fields was too small; a session then refuses the head.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const Field> fields() const noexcept { return {fields_.data(), count_}; }
  [[nodiscard]] std::string_view text(std::uint32_t at, std::uint32_t size) const noexcept {
    return {out_.data() + at, size};
  }

  // First of all, one of these. `protocol` makes an extended CONNECT (RFC 8441 4).
  void request_line(std::string_view method, std::string_view target, std::string_view scheme,
                    std::string_view authority, std::string_view protocol = {}) noexcept;
  // There is no reason phrase in HTTP/2.
  void status_line(std::uint16_t status, std::string_view reason = {}) noexcept;
  // Or neither, for trailers.

  void field(std::string_view name, std::string_view value) noexcept {
    begin_field(name);
    raw(value);
    end_field();
  }
  void field(std::string_view name, std::uint64_t value) noexcept {
    begin_field(name);
    number(value);
    end_field();
  }
  // A value in parts: begin_field, any number of raw or number, end_field. The parts must be free
  // of control characters; values that come from a parsed head are.
  void begin_field(std::string_view name) noexcept;
  void end_field() noexcept;
  void end_head() noexcept {}
  void raw(std::string_view text) noexcept;
  void number(std::uint64_t value) noexcept;

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
  std::uint32_t count_ = 0;  // whole fields
  bool ok_ = true;
  std::array<Field, kFieldsMax> fields_;  // only the first `count_` are initialised
};

}  // namespace brink::l7::http2
