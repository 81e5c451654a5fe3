#include "dataplane/worker/transmitter.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>

namespace brink::worker {

using ipc::Counter;

void Transmitter::push(rte_mbuf* frame) noexcept {
  if (count_ == kTransmitBuffer) flush();
  if (count_ == kTransmitBuffer) {
    counters_.add(Counter::kDropTxFull);
    rte_pktmbuf_free(frame);
    return;
  }
  frames_[count_++] = frame;
  if (count_ == port::kBurst) flush();
}

std::uint16_t Transmitter::send(std::uint16_t count) noexcept {
  if (!queue_.can_transmit()) {
    return static_cast<std::uint16_t>(rte_ring_sp_enqueue_burst(
        ring_, reinterpret_cast<void* const*>(frames_.data()), count, nullptr));
  }
  std::uint64_t bytes = 0;
  for (std::uint16_t i = 0; i < count; ++i) bytes += frames_[i]->pkt_len;
  const std::uint16_t sent = queue_.transmit(frames_.data(), count);
  for (std::uint16_t i = sent; i < count; ++i) bytes -= frames_[i]->pkt_len;
  counters_.add(Counter::kTxPackets, sent);
  counters_.add(Counter::kTxBytes, bytes);
  return sent;
}

void Transmitter::flush() noexcept {
  if (count_ == 0) return;
  const std::uint16_t sent = send(count_);
  std::copy(frames_.begin() + sent, frames_.begin() + count_, frames_.begin());
  count_ = static_cast<std::uint16_t>(count_ - sent);
}

void Transmitter::drop_all() noexcept {
  for (std::uint16_t i = 0; i < count_; ++i) rte_pktmbuf_free(frames_[i]);
  counters_.add(Counter::kDropTxFull, count_);
  count_ = 0;
}

}  // namespace brink::worker
