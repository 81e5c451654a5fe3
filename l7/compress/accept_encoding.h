// Accept-Encoding (RFC 9110 12.5.3): which codings a client takes, and how gladly.
#pragma once

#include <array>
#include <cstdint>

#include "l7/compress/coding.h"
#include "l7/http/head.h"

namespace brink::l7::compress {

// Weights in thousandths, 0 for what is not accepted. What is listed twice has its least weight, a
// weight that is none counts as 0. '*' stands for gzip and identity alone: who writes it does not
// know the other codings by name.
struct Accepted {
  std::array<std::uint16_t, kCodingCount> weight{};
  bool identity_listed = false;  // else identity is what is left when no coding suits

  [[nodiscard]] bool takes(Coding coding) const noexcept {
    return coding == Coding::identity || weight[static_cast<std::size_t>(coding)] != 0;
  }
};

// All Accept-Encoding fields together; without one only identity suits.
Accepted read_accept_encoding(const http::Fields& fields) noexcept;

// The coding of greatest weight among those with their bit in `offered` (1 << Coding); of equals
// zstd, then br, then gzip. Identity when none is accepted, or when the client lists it with a
// greater weight. A client that refuses identity and all of ours gets identity (RFC 9110 12.5.3
// allows it, and a body that may be readable is better than none).
Coding choose(const Accepted& accepted, unsigned offered) noexcept;

constexpr unsigned bit_of(Coding coding) noexcept {
  return 1U << static_cast<unsigned>(coding);
}

}  // namespace brink::l7::compress
