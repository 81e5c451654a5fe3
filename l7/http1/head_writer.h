// HeadWriter: serialises a head into a borrowed buffer with a sticky overflow. Heads are always
// written anew from their parsed parts, never forwarded as they came.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "l7/http/head.h"

namespace brink::l7::http1 {

class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> out) noexcept : out_(out) {}

  // False after the buffer was too small; the content is then useless.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view text() const noexcept { return {out_.data(), size_}; }

  void request_line(std::string_view method, std::string_view target) noexcept {
    raw(method);
    raw(" ");
    raw(target);
    raw(" HTTP/1.1\r\n");
  }
  // `status` is 100..999. We always speak 1.1, whatever the peer's version (RFC 9112 2.3).
  void status_line(std::uint16_t status, std::string_view reason) noexcept {
    raw("HTTP/1.1 ");
    number(status);
    raw(" ");
    raw(reason);
    raw("\r\n");
  }
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
  // of CR, LF and other control characters; values that come from a parsed head are.
  void begin_field(std::string_view name) noexcept {
    raw(name);
    raw(": ");
  }
  void end_field() noexcept { raw("\r\n"); }
  void end_head() noexcept { raw("\r\n"); }

  void raw(std::string_view text) noexcept {
    if (!ok_ || text.size() > out_.size() - size_) {
      ok_ = false;
      return;
    }
    if (!text.empty()) std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void number(std::uint64_t value) noexcept;

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

// Every field that is not hop-by-hop, Host or framing, as it came: what a plain relay forwards.
void write_forwardable(HeadWriter& writer, const http::Fields& fields) noexcept;

}  // namespace brink::l7::http1
