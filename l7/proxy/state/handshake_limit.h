// HandshakeLimit: how many TLS handshakes the clients of one network may begin with one worker, so
// that a flood from one place leaves the worker's time to the others. A handshake is charged whole
// when its connection is there, so one that is never finished costs as much; of one that resumes a
// session, which needs no signature, most is given back.
//
// One thread; memory of a fixed size, taken when it is made. Hot.
#pragma once

#include "dataplane/base/prefix_rates.h"

namespace brink::l7::proxy {

class HandshakeLimit {
 public:
  // Parts of a handshake: what is counted is whole numbers.
  static constexpr std::uint16_t kWhole = 4;
  static constexpr std::uint16_t kResumed = 1;
  static constexpr std::uint16_t kMost = 65535 / kWhole;  // of per_second and burst

  // Whole handshakes, each at most kMost; `burst` at least `per_second`.
  HandshakeLimit(base::Rate rate, const base::PrefixRatesOptions& networks)
      : rate_{static_cast<std::uint16_t>(rate.per_second * kWhole),
              static_cast<std::uint16_t>(rate.burst * kWhole)},
        rates_(networks) {
    CHECK(rate.per_second <= kMost && rate.burst <= kMost && rate.burst >= rate.per_second);
  }

  // False: the network has had its share.
  [[nodiscard]] bool begin(const base::IpAddress& client, std::uint32_t second) noexcept {
    return rates_.take(client, {}, rate_, second, kWhole);
  }
  void resumed(const base::IpAddress& client) noexcept {
    rates_.give_back(client, {}, kWhole - kResumed);
  }

 private:
  base::Rate rate_;  // in parts
  base::PrefixRates rates_;
};

}  // namespace brink::l7::proxy
