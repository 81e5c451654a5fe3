// wire_name: "www.example.com" in wire form, as it stands; no escapes, no checks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace brink::test {

inline std::vector<std::uint8_t> wire_name(const std::string& text) {
  std::vector<std::uint8_t> out;
  std::size_t start = 0;
  while (start < text.size()) {
    std::size_t dot = text.find('.', start);
    if (dot == std::string::npos) dot = text.size();
    out.push_back(static_cast<std::uint8_t>(dot - start));
    for (std::size_t i = start; i < dot; ++i) out.push_back(static_cast<std::uint8_t>(text[i]));
    start = dot + 1;
  }
  out.push_back(0);
  return out;
}

}  // namespace brink::test
