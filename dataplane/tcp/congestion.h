// NewReno: the congestion window (RFC 5681, RFC 6582, RFC 6928), in bytes. It decides how much may
// be in flight; what is lost and what is in flight are the connection's business (recovery.cc).
#pragma once

#include <algorithm>
#include <cstdint>

namespace brink::tcp {

class NewReno {
 public:
  void reset(std::uint32_t smss, std::uint32_t initial_segments) noexcept {
    smss_ = smss;
    // RFC 6928 2: min(IW * MSS, max(2 * MSS, IW * 1460)).
    initial_ = std::min(initial_segments * smss, std::max(2 * smss, initial_segments * 1460));
    cwnd_ = initial_;
    ssthresh_ = kUnlimited;
    acked_ = 0;
  }

  // New data was acknowledged outside of recovery while the window was the limit (RFC 7661's rule:
  // a window that was not used is not grown).
  void on_ack(std::uint32_t bytes) noexcept {
    if (cwnd_ < ssthresh_) {  // slow start; what exceeds ssthresh counts for avoidance
      const std::uint32_t step = std::min(bytes, ssthresh_ - cwnd_);
      grow(step);
      bytes -= step;
    }
    if (bytes == 0) return;
    acked_ += bytes;  // congestion avoidance by bytes acknowledged: RFC 3465 2.1
    while (acked_ >= cwnd_) {
      acked_ -= cwnd_;
      grow(smss_);
    }
  }

  // Fast retransmit: RFC 5681 equation 4.
  void on_loss(std::uint32_t flight) noexcept {
    ssthresh_ = std::max(flight / 2, 2 * smss_);
    cwnd_ = ssthresh_;
    acked_ = 0;
  }
  // Retransmission timeout; ssthresh is kept when the same data times out again (RFC 5681 3.1).
  void on_timeout(std::uint32_t flight, bool first) noexcept {
    if (first) ssthresh_ = std::max(flight / 2, 2 * smss_);
    cwnd_ = smss_;
    acked_ = 0;
  }
  // Nothing was sent for longer than the RTO: RFC 5681 4.1.
  void on_idle() noexcept { cwnd_ = std::min(cwnd_, initial_); }

  void set_smss(std::uint32_t smss) noexcept {
    smss_ = smss;
    cwnd_ = std::max(cwnd_, smss);
  }

  [[nodiscard]] std::uint32_t cwnd() const noexcept { return cwnd_; }
  [[nodiscard]] std::uint32_t ssthresh() const noexcept { return ssthresh_; }
  [[nodiscard]] bool in_slow_start() const noexcept { return cwnd_ < ssthresh_; }

 private:
  static constexpr std::uint32_t kUnlimited = 0x7fffffff;
  static constexpr std::uint32_t kMaxWindow = 1U << 30;

  void grow(std::uint32_t bytes) noexcept { cwnd_ = std::min(cwnd_ + bytes, kMaxWindow); }

  std::uint32_t smss_ = 0;
  std::uint32_t initial_ = 0;
  std::uint32_t cwnd_ = 0;
  std::uint32_t ssthresh_ = kUnlimited;
  std::uint32_t acked_ = 0;
};

}  // namespace brink::tcp
