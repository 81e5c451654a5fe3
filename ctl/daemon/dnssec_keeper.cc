#include "ctl/daemon/dnssec_keeper.h"

#include <spdlog/spdlog.h>

namespace brink::ctl::daemon {

DnssecKeeper::DnssecKeeper(const Options& options, store::Store& store,
                           const secret::SealedBox& box, api::WorkQueue& queue, Look look,
                           Publish publish, model::WallClock clock)
    : options_(options),
      store_(store),
      queue_(queue),
      look_(std::move(look)),
      publish_(std::move(publish)),
      clock_(std::move(clock)),
      entropy_(model::system_entropy()),
      keys_(store, box, options_.policy, entropy_),
      sweep_(store, options_.sweep),
      thread_([this] { run(); }) {}

void DnssecKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DnssecKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.interval, [this] { return stopping_; })) {
    queue_.post([this] { work(); });
  }
}

void DnssecKeeper::work() {
  try {
    do_steps();
    start_looks();
    resign();
  } catch (const store::Failure& failure) {
    spdlog::error("DNSSEC cannot be kept up: {}", failure.what());
  }
}

void DnssecKeeper::do_steps() {
  for (const model::Id& id : store::DnssecKeys(store_).steps_due(clock_(), options_.steps_max)) {
    advance(id, std::nullopt, nullptr);
  }
}

// Those under way are still due.
void DnssecKeeper::start_looks() {
  const auto due = store::DnssecKeys(store_).looks_due(clock_(), options_.in_flight_max * 2);
  for (const model::Id& id : due) {
    if (in_flight_.size() >= options_.in_flight_max) return;
    if (in_flight_.contains(id)) continue;
    const auto zone = store_.zone_by_id(id);
    if (!zone) continue;
    in_flight_.insert(id);
    check(*zone, nullptr);
  }
}

void DnssecKeeper::resign() {
  if (const auto version = sweep_.advance(clock_())) publish_(*version, [] {});
}

void DnssecKeeper::check(const model::Zone& zone, api::CheckedDnssec done) {
  look_(zone.name, [this, id = zone.id, done = std::move(done)](resolve::ParentDs found) {
    queue_.post([this, id, found = std::move(found), done] { conclude(id, found, done); });
  });
}

void DnssecKeeper::conclude(const model::Id& id, const resolve::ParentDs& found,
                            const api::CheckedDnssec& done) {
  in_flight_.erase(id);
  dnssec::ParentFound finding{std::nullopt, found.reason};
  if (found.known) finding.ds = found.rdata;
  try {
    advance(id, finding, done);
  } catch (const store::Failure& failure) {
    spdlog::error("what the parent of a zone has cannot be kept: {}", failure.what());
    if (done) done(std::nullopt);
  }
}

void DnssecKeeper::advance(const model::Id& id, const std::optional<dnssec::ParentFound>& found,
                           const api::CheckedDnssec& done) {
  store::Transaction transaction(store_, store::Transaction::Kind::kWrite);
  auto zone = store_.zone_by_id(id);
  if (!zone) return done ? done(std::nullopt) : void();
  const auto before = zone->dnssec.status;
  const auto changed = keys_.advance(*zone, clock_(), found);
  if (!changed) {
    spdlog::error("DNSSEC of {}: {}", zone->name.text(), changed.error().message());
    return done ? done(std::nullopt) : void();
  }
  std::uint64_t version = 0;
  if (changed.value()) {
    zone->modified_on = clock_();
    zone->serial = model::next_serial(*zone, zone->modified_on);
    zone->dnssec.resigned = 0;
    store_.update_zone(*zone);
    version = store_.take_version();
  }
  api::DnssecState state = api::dnssec_state(store_, *zone);
  transaction.commit();
  const auto answer = [done, state = std::move(state)] {
    if (done) done(state);
  };
  if (version == 0) return answer();
  if (before != zone->dnssec.status) {
    spdlog::info("DNSSEC of zone {} is {} now", zone->name.text(),
                 model::to_text(zone->dnssec.status));
  } else {
    spdlog::info("DNSSEC of zone {}: its keys have changed", zone->name.text());
  }
  publish_(version, answer);
}

}  // namespace brink::ctl::daemon
