// HeadReader: turns decoded fields into a version-neutral head in one contiguous buffer, with the
// same rules as HTTP/1 (README, table) and those of RFC 9113 8.1-8.3. One a worker: at most one
// head is being read at any moment, and what is unfinished when its bytes run out is put aside by
// the session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http/verdict.h"
#include "l7/http2/settings.h"

namespace brink::l7::http2 {

enum class HeadKind : std::uint8_t { request, response, trailers };

class HeadReader {
 public:
  // Bytes of text that heads up to `head_max` need: once, and once more for cookies that are
  // joined.
  static constexpr std::size_t text_size(std::uint32_t head_max) noexcept {
    return 2 * std::size_t{head_max};
  }
  // `text` outlives the reader and its heads.
  explicit HeadReader(std::span<char> text) noexcept;

  void begin(HeadKind kind, const Settings& settings) noexcept;
  // One field as it was decoded. The first refusal stays; what follows is only counted.
  void field(std::string_view name, std::string_view value) noexcept;
  // The decoded size has passed several times the limit: the peer means harm.
  [[nodiscard]] bool is_bomb() const noexcept;

  // After the last field, one of these; on ok the head is whole until the next begin().
  // `end_stream`: no body follows.
  http::Verdict finish_request(bool end_stream) noexcept;
  http::Verdict finish_response(http::Method request_method, bool end_stream) noexcept;
  http::Verdict finish_trailers() noexcept;

  [[nodiscard]] const http::RequestHead& request() const noexcept { return request_; }
  [[nodiscard]] const http::ResponseHead& response() const noexcept { return response_; }
  [[nodiscard]] const http::Fields& trailers() const noexcept { return trailers_; }

  // An unfinished head as bytes, to go on with in another call of the session.
  [[nodiscard]] std::size_t saved_size() const noexcept;
  void save(std::byte* out) const noexcept;
  void restore(const std::byte* saved) noexcept;

 private:
  // What save() keeps beside fields and text. Plain data.
  struct State {
    HeadKind kind = HeadKind::request;
    http::Verdict verdict = http::Verdict::ok;
    bool connect_protocol = false;
    bool seen_regular = false;
    std::uint8_t pseudo = 0;  // bit a pseudo-field that came
    http::Scheme scheme = http::Scheme::unsaid;
    std::uint16_t status = 0;
    std::uint32_t field_count = 0;
    std::uint32_t text_size = 0;
    std::uint32_t list_size = 0;  // RFC 9113 6.5.2
    std::uint32_t head_max = 0;
    std::uint32_t target_max = 0;
    std::uint32_t field_max = 0;
    http::Slice method;
    http::Slice path;
    http::Slice authority;
    http::Slice protocol;
  };

  http::Fields& fields() noexcept;
  [[nodiscard]] const http::Fields& fields() const noexcept;
  http::Slice keep(std::string_view text) noexcept;
  http::Verdict take_pseudo(std::string_view name, std::string_view value) noexcept;
  http::Verdict take_request_pseudo(std::string_view name, std::string_view value) noexcept;
  http::Verdict take_regular(std::string_view name, std::string_view value) noexcept;
  bool mark_pseudo(unsigned bit) noexcept;
  http::Verdict check_request_line() noexcept;
  http::Verdict read_length(bool& has_length, std::uint64_t& length) noexcept;
  void join_cookies() noexcept;

  State state_;
  std::span<char> text_;
  http::RequestHead request_;
  http::ResponseHead response_;
  http::Fields trailers_;
};

}  // namespace brink::l7::http2
