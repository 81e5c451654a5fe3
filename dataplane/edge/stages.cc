#include "dataplane/edge/stages.h"

#include <algorithm>

#include "dataplane/port/queue.h"

namespace brink::edge {

static_assert(dns::answer::kBurstMax >= port::kBurst);

void Stages::answer(std::span<worker::Datagram> datagrams) noexcept {
  std::array<dns::answer::Message, dns::answer::kBurstMax> messages;
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    const worker::Datagram& datagram = datagrams[i];
    // The engine keeps its responses kSlack below what it may overwrite.
    const auto capacity = static_cast<std::uint16_t>(
        std::min<std::size_t>(datagram.room, datagram.capacity + dns::answer::kSlack));
    messages[i] = {datagram.data, datagram.size, capacity};
  }
  engine_.answer_burst(view(), {messages.data(), datagrams.size()}, counters_);
  for (std::size_t i = 0; i < datagrams.size(); ++i) datagrams[i].size = messages[i].size;
}

void Stages::set_l7(worker::StageTable& table) noexcept {
  table.receive = [](void* self, const base::IpAddress& source, const base::IpAddress& destination,
                     std::span<const std::uint8_t> segment, base::Time now) noexcept {
    of(self).l7_->receive(source, destination, segment, now);
  };
  table.unreachable = [](void* self, const net::IcmpError& error, base::Time now) noexcept {
    of(self).l7_->unreachable(error, now);
  };
  table.run = [](void* self, base::Time now) noexcept {
    of(self).l7_->run(of(self).view(), now);
    return false;  // packets in and segments out say whether there was work
  };
  table.next_segment = [](void* self, worker::SegmentOut& out, base::Time now) noexcept {
    return of(self).l7_->next_segment(out, now);
  };
  table.next_deadline = [](void* self) noexcept { return of(self).l7_->next_deadline(); };
}

// Steering sends a worker without the role no segment.
void Stages::set_no_l7(worker::StageTable& table) noexcept {
  table.receive = [](void*, const base::IpAddress&, const base::IpAddress&,
                     std::span<const std::uint8_t>, base::Time) noexcept {};
  table.unreachable = [](void*, const net::IcmpError&, base::Time) noexcept {};
  table.run = [](void*, base::Time) noexcept { return false; };
  table.next_segment = [](void*, worker::SegmentOut&, base::Time) noexcept { return false; };
  table.next_deadline = [](void*) noexcept { return base::Time::max(); };
}

worker::StageTable Stages::table() noexcept {
  worker::StageTable table;
  table.self = this;
  table.answer = [](void* self, std::span<worker::Datagram> datagrams) noexcept {
    of(self).answer(datagrams);
  };
  if (l7_ != nullptr) {
    set_l7(table);
  } else {
    set_no_l7(table);
  }
  return table;
}

}  // namespace brink::edge
