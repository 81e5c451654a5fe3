// ByteReader and ByteWriter: the one place where wire bytes are walked with raw pointers.
// Both are bounds-checked with a sticky error: after the first overrun every read yields zero,
// every write does nothing, and ok() is false. Network byte order. Hot: no allocation, no
// exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace brink::base {

// load_be16 and friends read network order at any alignment; the caller owns the bounds.
inline std::uint16_t load_be16(const void* p) noexcept {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap16(v);
}
inline std::uint32_t load_be32(const void* p) noexcept {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap32(v);
}
inline std::uint64_t load_be64(const void* p) noexcept {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap64(v);
}
inline void store_be16(void* p, std::uint16_t v) noexcept {
  v = __builtin_bswap16(v);
  std::memcpy(p, &v, sizeof v);
}
inline void store_be32(void* p, std::uint32_t v) noexcept {
  v = __builtin_bswap32(v);
  std::memcpy(p, &v, sizeof v);
}
inline void store_be64(void* p, std::uint64_t v) noexcept {
  v = __builtin_bswap64(v);
  std::memcpy(p, &v, sizeof v);
}

// ByteReader walks a borrowed span, which must outlive it.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> data) noexcept : data_(data) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return data_.size() - position_; }

  std::uint8_t u8() noexcept { return take(1) ? data_[position_ - 1] : std::uint8_t{0}; }
  std::uint16_t u16() noexcept {
    return take(2) ? load_be16(data_.data() + position_ - 2) : std::uint16_t{0};
  }
  std::uint32_t u32() noexcept { return take(4) ? load_be32(data_.data() + position_ - 4) : 0U; }
  std::uint64_t u64() noexcept { return take(8) ? load_be64(data_.data() + position_ - 8) : 0U; }

  // The next `count` bytes, borrowed; empty after an overrun.
  std::span<const std::uint8_t> bytes(std::size_t count) noexcept {
    if (!take(count)) return {};
    return data_.subspan(position_ - count, count);
  }
  void skip(std::size_t count) noexcept { take(count); }

 private:
  bool take(std::size_t count) noexcept {
    if (!ok_ || count > remaining()) {
      ok_ = false;
      return false;
    }
    position_ += count;
    return true;
  }

  std::span<const std::uint8_t> data_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

// ByteWriter fills a borrowed span from its start.
class ByteWriter {
 public:
  explicit ByteWriter(std::span<std::uint8_t> data) noexcept : data_(data) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return data_.size() - position_; }
  [[nodiscard]] std::span<const std::uint8_t> written() const noexcept {
    return data_.first(position_);
  }

  void u8(std::uint8_t v) noexcept {
    if (take(1)) data_[position_ - 1] = v;
  }
  void u16(std::uint16_t v) noexcept {
    if (take(2)) store_be16(data_.data() + position_ - 2, v);
  }
  void u32(std::uint32_t v) noexcept {
    if (take(4)) store_be32(data_.data() + position_ - 4, v);
  }
  void u64(std::uint64_t v) noexcept {
    if (take(8)) store_be64(data_.data() + position_ - 8, v);
  }
  void bytes(std::span<const std::uint8_t> source) noexcept {
    if (take(source.size()) && !source.empty()) {
      std::memcpy(data_.data() + position_ - source.size(), source.data(), source.size());
    }
  }

 private:
  bool take(std::size_t count) noexcept {
    if (!ok_ || count > remaining()) {
      ok_ = false;
      return false;
    }
    position_ += count;
    return true;
  }

  std::span<std::uint8_t> data_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace brink::base
