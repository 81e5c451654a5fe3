#include "dataplane/port/fake_port.h"

#include <rte_mbuf.h>

#include <cstring>

namespace brink::port {

Queue FakePort::queue() noexcept {
  return {this, 0, receive, transmit};
}

std::uint16_t FakePort::receive(void* self, std::uint16_t, rte_mbuf** out,
                                std::uint16_t count) noexcept {
  auto& port = *static_cast<FakePort*>(self);
  std::uint16_t taken = 0;
  while (taken < count && !port.waiting_.empty()) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(port.pool_);
    if (mbuf == nullptr) break;
    const Frame& frame = port.waiting_.front();
    char* at = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size()));
    std::memcpy(at, frame.data(), frame.size());
    mbuf->ol_flags |= port.receive_flags_;
    port.waiting_.pop_front();
    out[taken++] = mbuf;
  }
  return taken;
}

std::uint16_t FakePort::transmit(void* self, std::uint16_t, rte_mbuf** packets,
                                 std::uint16_t count) noexcept {
  auto& port = *static_cast<FakePort*>(self);
  std::uint16_t taken = 0;
  while (taken < count && port.room_ > 0) {
    rte_mbuf* mbuf = packets[taken++];
    const auto* at = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
    port.sent_.emplace_back(at, at + mbuf->data_len);
    port.sent_flags_.push_back(mbuf->ol_flags);
    rte_pktmbuf_free(mbuf);
    if (port.room_ != SIZE_MAX) --port.room_;
  }
  return taken;
}

}  // namespace brink::port
