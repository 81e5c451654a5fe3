#include "dataplane/steer/mesh.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

namespace brink::steer {
namespace {

rte_ring* make_ring(const std::string& name, std::uint32_t size) {
  return rte_ring_create(name.c_str(), size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

void drain_ring(rte_ring* ring) noexcept {
  void* packet = nullptr;
  while (ring != nullptr && rte_ring_sc_dequeue(ring, &packet) == 0) {
    rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  }
}

}  // namespace

base::Result<std::unique_ptr<Mesh>> Mesh::create(std::uint32_t workers) {
  std::unique_ptr<Mesh> mesh(new Mesh);
  mesh->workers_ = workers;
  bool complete = true;
  const auto add = [&complete](std::vector<rte_ring*>& rings, const std::string& name,
                               std::uint32_t size) {
    rings.push_back(make_ring(name, size));
    complete = complete && rings.back() != nullptr;
  };
  for (std::uint32_t from = 0; from <= workers; ++from) {
    for (std::uint32_t to = 0; to < workers; ++to) {
      const std::string pair = std::to_string(from) + "_" + std::to_string(to);
      if (from < workers && from != to) {
        add(mesh->packets_, "steer_" + pair, kSteerRingSize);
      } else if (from < workers) {
        mesh->packets_.push_back(nullptr);
      }
      if (from != to) {
        add(mesh->transmit_, "transmit_" + pair, kTransmitRingSize);
      } else {
        mesh->transmit_.push_back(nullptr);
      }
    }
    if (from < workers) add(mesh->kernel_, "kernel_" + std::to_string(from), kKernelRingSize);
  }
  if (complete) return mesh;
  return base::Error{
      std::string("no memory for the rings between workers: ") + rte_strerror(rte_errno), "",
      "raise eal.memory-mb"};
}

Mesh::~Mesh() {
  for (const auto* rings : {&packets_, &transmit_, &kernel_}) {
    for (rte_ring* ring : *rings) rte_ring_free(ring);
  }
}

void Mesh::drain() noexcept {
  for (const auto* rings : {&packets_, &transmit_, &kernel_}) {
    for (rte_ring* ring : *rings) drain_ring(ring);
  }
}

}  // namespace brink::steer
