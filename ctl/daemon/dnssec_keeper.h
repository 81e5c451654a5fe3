// DnssecKeeper: what DNSSEC needs done as time goes by: the steps of rollovers when they are due,
// looks at the parents for DS records, and new signatures for names whose old ones come to an end.
// Each is a transaction of its own, and a version if it changes what is served.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "ctl/api/service.h"
#include "ctl/api/work_queue.h"
#include "ctl/dnssec/sweep.h"
#include "ctl/dnssec/zone_keys.h"
#include "ctl/resolve/delegation.h"
#include "dataplane/secret/sealed_box.h"
#include "ctl/store/store.h"

namespace brink::ctl::daemon {

class DnssecKeeper {
 public:
  struct Options {
    dnssec::Policy policy;
    dnssec::Sweep::Options sweep;              // with the policy's signatures
    std::size_t steps_max = 16;                // zones whose steps are done, an interval
    std::size_t in_flight_max = 16;            // looks that nobody asked for
    std::chrono::milliseconds interval{1000};  // of looking for what is due
  };
  // Calls its second argument once, on another thread, or drops it.
  using Look =
      std::function<void(const model::DomainName&, std::function<void(resolve::ParentDs)>)>;
  // What is served was changed by this version; calls its second argument once, or drops it.
  using Publish = std::function<void(std::uint64_t version, std::function<void()> done)>;

  // Everything given outlives the keeper, and the queue's last job too, which may be one of its.
  DnssecKeeper(const Options& options, store::Store& store, const secret::SealedBox& box,
               api::WorkQueue& queue, Look look, Publish publish, model::WallClock clock);
  ~DnssecKeeper() { stop(); }
  DnssecKeeper(const DnssecKeeper&) = delete;
  DnssecKeeper& operator=(const DnssecKeeper&) = delete;

  // Looks at the zone's parent now. `done` is called once, when what follows is served, or dropped.
  // The store's thread.
  void check(const model::Zone& zone, api::CheckedDnssec done);
  // Starts nothing more of its own accord. The object stays until the queue has stopped.
  void stop();

 private:
  void run();
  void work();
  void do_steps();
  void start_looks();
  void resign();
  void conclude(const model::Id& id, const resolve::ParentDs& found,
                const api::CheckedDnssec& done);
  // One step of a zone, with what a look has found. `done` may be empty.
  void advance(const model::Id& id, const std::optional<dnssec::ParentFound>& found,
               const api::CheckedDnssec& done);

  const Options options_;
  store::Store& store_;
  api::WorkQueue& queue_;
  const Look look_;
  const Publish publish_;
  const model::WallClock clock_;
  const model::Entropy entropy_;
  dnssec::ZoneKeys keys_;          // store's thread
  dnssec::Sweep sweep_;            // store's thread
  std::set<model::Id> in_flight_;  // store's thread: zones that nobody asked about

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: starts when all else is there
};

}  // namespace brink::ctl::daemon
