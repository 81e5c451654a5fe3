// Stages: one worker's DNS and L7 stages behind the worker's table of functions. This folder is the
// only one that sees both. Made at start, then used by one worker's thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "dataplane/edge/image_store.h"
#include "dataplane/edge/l7_stage.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/worker/stage_table.h"
#include "dns/answer/engine.h"

namespace brink::edge {

class Stages {
 public:
  // Everything given outlives it. `l7` is null on a worker without that role.
  // `copy`: of the image, for this worker's node.
  Stages(const ImageStore& images, std::size_t copy, ipc::WorkerCounters& counters,
         std::uint16_t udp_size, L7Stage* l7)
      : images_(images),
        copy_(copy),
        counters_(counters),
        engine_(udp_size),
        l7_(l7) {}

  // The table for worker::WorkerConfig; `this` must stay where it is.
  [[nodiscard]] worker::StageTable table() noexcept;

 private:
  static Stages& of(void* self) noexcept { return *static_cast<Stages*>(self); }
  [[nodiscard]] snapshot::View view() const noexcept { return images_.view(copy_); }
  void answer(std::span<worker::Datagram> datagrams) noexcept;
  static void set_l7(worker::StageTable& table) noexcept;
  static void set_no_l7(worker::StageTable& table) noexcept;

  const ImageStore& images_;
  const std::size_t copy_;
  ipc::WorkerCounters& counters_;
  dns::answer::Engine engine_;
  L7Stage* l7_;
};

}  // namespace brink::edge
