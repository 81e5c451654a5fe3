// Entry: what the access log keeps of one request, as it lies in the ring: numbers here, texts
// behind it. Written by a worker when the request is over, read by the log's writer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "dataplane/base/ip.h"
#include "l7/http/head.h"

namespace brink::l7::log {

// The texts of an entry, in the order in which they follow it.
enum class Text : std::uint8_t { method, host, target, referer, user_agent, zone };
inline constexpr std::size_t kTextCount = 6;

// At most this many octets of each are kept, in the order of Text; a longer one is cut.
inline constexpr std::array<std::uint16_t, kTextCount> kTextMax = {24, 256, 768, 256, 256, 256};

enum EntryFlags : std::uint8_t {
  kOriginReused = 1,  // over a pooled connection
  kAborted = 2,       // the client went before the response ended
  kTruncated = 4,     // the origin failed after the response had begun
  kTextCut = 8,       // a text was longer than its bound
};

// Status of a request to which nothing was sent: the client went. The number that nginx made common.
inline constexpr std::uint16_t kClientGone = 499;

struct Entry {
  std::int64_t unix_ns = 0;          // when the head was complete
  std::uint64_t request_bytes = 0;   // of the body, taken from the client
  std::uint64_t response_bytes = 0;  // of the body, given to the client
  std::uint32_t duration_us = 0;     // from head to the last octet queued for the client
  std::uint32_t connect_us = 0;      // of the origin connection; 0: none was made
  std::uint32_t first_byte_us = 0;   // from head to the origin's first octet; 0: none came
  std::uint16_t status = 0;          // what the client got; 499: nothing, it went before
  std::uint16_t origin_status = 0;   // 0: the edge answered itself
  std::uint16_t error_type = 0;      // cf-error-type; 0: none
  std::uint16_t client_port = 0;
  std::uint16_t edge_port = 0;
  std::uint16_t origin_port = 0;  // 0: no origin was chosen
  http::Version version = http::Version::http_1_1;
  std::uint8_t flags = 0;  // EntryFlags
  std::uint8_t retries = 0;
  base::IpAddress client;
  base::IpAddress origin;
  std::array<char, 20> ray{};
  std::array<std::uint16_t, kTextCount> text_size{};
};

// The texts of a request that is under way: its head is gone long before its entry is written.
// About 1.8 KiB; belongs to the exchange.
class Notes {
 public:
  // Keeps the first octets of `text`.
  void put(Text which, std::string_view text) noexcept;
  [[nodiscard]] std::string_view get(Text which) const noexcept {
    return {texts_.data() + place(which), size_[static_cast<std::size_t>(which)]};
  }
  [[nodiscard]] bool cut() const noexcept { return cut_; }
  void clear() noexcept {
    size_ = {};
    cut_ = false;
  }

 private:
  static constexpr std::size_t place(Text which) noexcept {
    std::size_t at = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(which); ++i) at += kTextMax[i];
    return at;
  }

  std::array<std::uint16_t, kTextCount> size_{};
  bool cut_ = false;
  // Not initialised: only what size_ covers is ever read.
  std::array<char,
             kTextMax[0] + kTextMax[1] + kTextMax[2] + kTextMax[3] + kTextMax[4] + kTextMax[5]>
      texts_;
};

inline constexpr std::size_t kEntrySizeMax = sizeof(Entry) + sizeof(Notes);

// Octets of `entry` and its texts in a ring.
[[nodiscard]] std::size_t packed_size(const Notes& notes) noexcept;
// Writes both into `out` (packed_size octets); text_size and kTextCut are filled in here.
void pack(const Entry& entry, const Notes& notes, std::span<std::byte> out) noexcept;

// An entry taken out of a ring; the texts point into it.
struct EntryView {
  Entry entry;
  std::array<std::string_view, kTextCount> texts;

  [[nodiscard]] std::string_view text(Text which) const noexcept {
    return texts[static_cast<std::size_t>(which)];
  }
};
EntryView unpack(std::span<const std::byte> packed) noexcept;

}  // namespace brink::l7::log
