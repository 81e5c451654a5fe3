// ActivationKeeper: checks the delegation of zones at their parents, when it is time to and when it
// is asked to, and gives them the status that follows (model::judge).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "ctl/api/service.h"
#include "ctl/api/work_queue.h"
#include "ctl/model/activation.h"
#include "ctl/model/authority.h"
#include "ctl/resolve/delegation.h"
#include "ctl/store/store.h"

namespace brink::ctl::daemon {

class ActivationKeeper {
 public:
  struct Options {
    model::ActivationRules rules;  // but for the name servers, which are the zone's
    model::Authority authority;
    std::size_t rate_max = 300;                // checks a minute that nobody asked for
    std::size_t in_flight_max = 16;            // of these
    std::chrono::milliseconds interval{1000};  // of looking
  };
  // Calls its second argument once, on another thread, or drops it.
  using Check =
      std::function<void(const model::DomainName&, std::function<void(resolve::Delegation)>)>;
  // A status was changed by this version; calls its second argument once, or drops it.
  using Publish = std::function<void(std::uint64_t version, std::function<void()> done)>;

  // Everything given outlives the keeper, and the queue's last job too, which may be one of its.
  ActivationKeeper(Options options, store::Store& store, api::WorkQueue& queue, Check check,
                   Publish publish, model::WallClock clock);
  ~ActivationKeeper() { stop(); }
  ActivationKeeper(const ActivationKeeper&) = delete;
  ActivationKeeper& operator=(const ActivationKeeper&) = delete;

  // Checks a zone now. `done` is called once, when the status that follows is served, or dropped.
  // The store's thread.
  void check(const model::Zone& zone, api::CheckedActivation done);
  // Starts no more checks of its own accord. The object stays until the queue has stopped.
  void stop();

 private:
  void run();
  void look();
  void conclude(const model::Id& id, const resolve::Delegation& found,
                const api::CheckedActivation& done);

  const Options options_;
  store::Store& store_;
  api::WorkQueue& queue_;
  const Check check_;
  const Publish publish_;
  const model::WallClock clock_;

  std::set<model::Id> in_flight_;  // store's thread: zones that nobody asked about
  double credit_ = 0;              // store's thread: checks that may be started
  bool swept_ = false;             // store's thread

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: starts when all else is there
};

}  // namespace brink::ctl::daemon
