#include "ctl/daemon/activation_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "ctl/store/activation.h"

namespace brink::ctl::daemon {

ActivationKeeper::ActivationKeeper(Options options, store::Store& store, api::WorkQueue& queue,
                                   Check check, Publish publish, model::WallClock clock)
    : options_(std::move(options)),
      store_(store),
      queue_(queue),
      check_(std::move(check)),
      publish_(std::move(publish)),
      clock_(std::move(clock)),
      thread_([this] { run(); }) {}

void ActivationKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ActivationKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.interval, [this] { return stopping_; })) {
    queue_.post([this] { look(); });
  }
}

// Zones that the store has due, as many as rate and bound allow; the others stay due.
void ActivationKeeper::look() {
  const double rate_s = static_cast<double>(options_.rate_max) / 60;
  const double elapsed_s = std::chrono::duration<double>(options_.interval).count();
  credit_ = std::min(credit_ + rate_s * elapsed_s, std::max(rate_s * elapsed_s, 1.0));
  try {
    store::Activations activations(store_);
    if (!swept_) activations.sweep();
    swept_ = true;
    // Those under way are still due.
    const auto due = activations.due(clock_(), options_.rules.first, options_.in_flight_max * 2);
    for (const model::Activation& each : due) {
      if (credit_ < 1 || in_flight_.size() >= options_.in_flight_max) return;
      if (in_flight_.contains(each.zone)) continue;
      const auto zone = store_.zone_by_id(each.zone);
      if (!zone) continue;
      credit_ -= 1;
      in_flight_.insert(zone->id);
      check(*zone, nullptr);
    }
  } catch (const store::Failure& failure) {
    spdlog::error("delegations cannot be checked: {}", failure.what());
  }
}

void ActivationKeeper::check(const model::Zone& zone, api::CheckedActivation done) {
  check_(zone.name, [this, id = zone.id, done = std::move(done)](resolve::Delegation found) {
    queue_.post([this, id, found = std::move(found), done] { conclude(id, found, done); });
  });
}

void ActivationKeeper::conclude(const model::Id& id, const resolve::Delegation& found,
                                const api::CheckedActivation& done) {
  in_flight_.erase(id);
  model::DelegationFound finding{std::nullopt, found.reason};
  if (found.kind != resolve::Delegation::Kind::kUnknown) finding.servers = found.servers;
  try {
    store::Transaction transaction(store_, store::Transaction::Kind::kWrite);
    store::Activations activations(store_);
    auto zone = store_.zone_by_id(id);
    auto activation = activations.find(id);
    if (!zone || !activation) return done ? done(std::nullopt) : void();
    const auto before = zone->status;
    model::ActivationRules rules = options_.rules;
    rules.name_servers = options_.authority.servers_of(*zone);
    rules.others_too = zone->dns.multi_provider;
    zone->status = model::judge(rules, before, finding, clock_(), *activation);
    activations.update(*activation);
    std::uint64_t version = 0;
    if (zone->status != before) {
      zone->modified_on = clock_();
      zone->serial = model::next_serial(*zone, zone->modified_on);
      zone->dnssec.resigned = 0;
      if (zone->status == model::ZoneStatus::kActive && !zone->activated_on) {
        zone->activated_on = zone->modified_on;
      }
      store_.update_zone(*zone);
      version = store_.take_version();
    }
    transaction.commit();
    const auto answer = [done, zone = *zone, activation = *activation] {
      if (done) done(api::ActivationState{zone, activation});
    };
    if (version == 0) return answer();
    spdlog::info("zone {} is {} now: {}", zone->name.text(), model::to_text(zone->status),
                 activation->result);
    publish_(version, answer);
  } catch (const store::Failure& failure) {
    spdlog::error("the check of a delegation cannot be kept: {}", failure.what());
    if (done) done(std::nullopt);
  }
}

}  // namespace brink::ctl::daemon
