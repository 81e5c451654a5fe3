// EdnsOptions: the options of a response's OPT record, gathered before the response is built so
// that their room is set aside. Fixed size; what does not fit is left out. Hot.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/bytes.h"

namespace brink::dns::answer {

class EdnsOptions {
 public:
  void put(std::uint16_t code, std::span<const std::uint8_t> data) noexcept {
    if (size_ + 4 + data.size() > bytes_.size()) return;
    base::store_be16(bytes_.data() + size_, code);
    base::store_be16(bytes_.data() + size_ + 2, static_cast<std::uint16_t>(data.size()));
    if (!data.empty()) std::memcpy(bytes_.data() + size_ + 4, data.data(), data.size());
    size_ += static_cast<std::uint16_t>(4 + data.size());
  }
  void put_u16(std::uint16_t code, std::uint16_t value) noexcept {
    std::uint8_t data[2];
    base::store_be16(data, value);
    put(code, data);
  }
  [[nodiscard]] std::uint16_t size() const noexcept { return size_; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return bytes_.data(); }

 private:
  std::uint16_t size_ = 0;
  std::array<std::uint8_t, 126> bytes_;
};

}  // namespace brink::dns::answer
