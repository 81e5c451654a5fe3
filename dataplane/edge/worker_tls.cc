#include "dataplane/edge/worker_tls.h"

#include "dataplane/edge/ticket_keys.h"

namespace brink::edge {

base::Result<std::unique_ptr<WorkerTls>> WorkerTls::create(const WorkerTlsConfig& config) {
  std::unique_ptr<WorkerTls> made(new WorkerTls(config));
  made->config_.origin_trust = {};
  tls::EngineConfig engine;
  engine.session_seconds = kTicketSlotSeconds;
  engine.origin_trust = config.origin_trust;
  auto created = tls::Engine::create(engine);
  if (!created) return created.error();
  made->engine_ = std::move(created).value();
  return made;
}

void WorkerTls::begin_turn(base::Time now) noexcept {
  handshakes_.begin_turn();
  const std::int64_t slot = ticket_slot(unix_s(now));
  if (slot == ticket_slot_) return;  // once an hour it is another
  ticket_slot_ = slot;
  engine_->set_ticket_keys(ticket_keys(config_.ticket_secret, slot));
}

}  // namespace brink::edge
