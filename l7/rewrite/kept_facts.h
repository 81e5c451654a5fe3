// KeptFacts: the facts of a request for as long as its response takes, when the head that they came
// from is gone. The texts lie one behind the other in memory of the caller.
#pragma once

#include <cstdint>
#include <span>

#include "l7/rewrite/facts.h"

namespace brink::l7::rewrite {

struct KeptFacts {
  std::uint32_t method_size = 0;
  std::uint32_t host_size = 0;
  std::uint32_t target_size = 0;
  std::uint32_t user_agent_size = 0;
  http::Version version = http::Version::http_1_1;
  bool is_tls = false;
  base::IpAddress client;
  country::Code country;

  // Copies the texts to the front of `room`; false: they do not fit. The certificate is not kept:
  // it belongs to the connection, which outlives the exchange.
  bool keep(const Facts& facts, std::span<char> room) noexcept;
  // Octets of the texts.
  [[nodiscard]] std::size_t size() const noexcept {
    return std::size_t{method_size} + host_size + target_size + user_agent_size;
  }
  // `room` as keep() left it.
  [[nodiscard]] Facts facts(std::span<const char> room) const noexcept;
};

}  // namespace brink::l7::rewrite
