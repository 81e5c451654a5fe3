// The few things a worker does to a DPDK packet buffer. Hot.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <span>

namespace brink::worker {

inline std::span<std::uint8_t> frame_of(rte_mbuf* mbuf) noexcept {
  return {rte_pktmbuf_mtod(mbuf, std::uint8_t*), mbuf->data_len};
}

// Narrows or widens the frame to `size` bytes that begin `begin` bytes behind its present start.
// The caller knows that they lie inside the buffer.
inline void set_frame(rte_mbuf* mbuf, std::uint16_t begin, std::uint16_t size) noexcept {
  mbuf->data_off = static_cast<std::uint16_t>(mbuf->data_off + begin);
  mbuf->data_len = size;
  mbuf->pkt_len = size;
  mbuf->ol_flags = 0;
}

// Bytes behind the frame's present start, up to the buffer's end.
inline std::uint16_t room_of(const rte_mbuf* mbuf) noexcept {
  return static_cast<std::uint16_t>(mbuf->buf_len - mbuf->data_off);
}

inline bool ip_checksum_known_good(const rte_mbuf* mbuf) noexcept {
  return (mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

// NONE means: the sender is on this machine and has left the sum out, but the data is intact.
inline bool l4_checksum_known_good(const rte_mbuf* mbuf) noexcept {
  const std::uint64_t flags = mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
  return flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD || flags == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

}  // namespace brink::worker
