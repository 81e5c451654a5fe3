#include "ctl/model/id.h"

#include <sys/random.h>

#include "dataplane/base/check.h"

namespace brink::ctl::model {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Entropy system_entropy() {
  return [](std::span<std::uint8_t> out) {
    // Up to 256 bytes getrandom is never interrupted nor partial.
    CHECK(out.size() <= 256);
    CHECK(::getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
  };
}

Id Id::random(const Entropy& entropy) {
  Id id;
  entropy(id.bytes);
  return id;
}

Id IdSeries::next() {
  CHECK(count_ < std::uint32_t{1} << 31);
  for (int i = 0; i < 4; ++i) {
    next_.bytes[12 + static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(count_ >> (24 - 8 * i));
  }
  ++count_;
  return next_;
}

std::optional<Id> Id::parse(std::string_view hex) {
  Id id;
  if (hex.size() != 2 * id.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return id;
}

std::string Id::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace brink::ctl::model
