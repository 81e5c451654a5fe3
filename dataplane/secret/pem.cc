#include "dataplane/secret/pem.h"

namespace brink::secret {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// Appends what base64 with line ends stands for (RFC 4648 4).
bool decode(std::string_view text, std::vector<std::uint8_t>& out) {
  std::uint32_t bits = 0;
  std::size_t digits = 0, padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = value_of(c);
    if (value < 0 || padding > 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (++digits % 4 == 0) {
      for (int shift = 16; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(bits >> shift));
      }
      bits = 0;
    }
  }
  const std::size_t rest = digits % 4;
  if (rest == 1 || padding != (rest == 0 ? 0 : 4 - rest)) return false;
  if (rest == 2) out.push_back(static_cast<std::uint8_t>(bits >> 4));
  if (rest == 3) {
    out.push_back(static_cast<std::uint8_t>(bits >> 10));
    out.push_back(static_cast<std::uint8_t>(bits >> 2));
  }
  return digits > 0;
}

}  // namespace

std::optional<PemBlocks> decode_pem(std::string_view text) {
  PemBlocks blocks;
  // No reallocation leaves a part of a secret behind.
  blocks.octets.reserve(text.size());
  for (;;) {
    const std::size_t begin = text.find(kBegin);
    if (begin == std::string_view::npos) break;
    const std::size_t label_end = text.find(kDashes, begin + kBegin.size());
    if (label_end == std::string_view::npos) return std::nullopt;
    const std::size_t body = label_end + kDashes.size();
    const std::size_t end = text.find(kEnd, body);
    if (end == std::string_view::npos) return std::nullopt;
    if (!decode(text.substr(body, end - body), blocks.octets)) return std::nullopt;
    ++blocks.count;
    text.remove_prefix(end + kEnd.size());
  }
  if (blocks.count == 0) return std::nullopt;
  return blocks;
}

}  // namespace brink::secret
