// OutsideKeeper: keeps what names outside the served zones lead to. It tells the resolver which
// names the store's present state depends on, and brings changed addresses into the store as
// versions of their own, so that they reach the edge like any other change.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "ctl/api/work_queue.h"
#include "ctl/compile/outside_names.h"
#include "ctl/resolve/resolver.h"
#include "ctl/store/store.h"

namespace brink::ctl::daemon {

class OutsideKeeper {
 public:
  struct Options {
    resolve::ResolverOptions resolver;
    std::chrono::milliseconds wait{2000};  // for the first answer of a name that a change brings
    std::uint32_t flatten_ttl_max = 300;   // of answers that carry resolved addresses, seconds
  };
  // Hears of a version that other addresses made. On the store's thread.
  using Changed = std::function<void(std::uint64_t version)>;

  // Everything given outlives the keeper. `store` belongs to the queue's thread, `reader` to the
  // keeper's.
  OutsideKeeper(Options options, store::Store& store, store::Store& reader,
                const compile::Options& compile, api::WorkQueue& queue, Changed changed);
  // The queue has stopped before.
  ~OutsideKeeper() { stop(); }
  OutsideKeeper(const OutsideKeeper&) = delete;
  OutsideKeeper& operator=(const OutsideKeeper&) = delete;

  // The store has a new version. Calls `done` once, on any thread: when the names outside that it
  // depends on have addresses in the store, or have failed, or after `wait`; at once, as far as
  // that goes, when it depends on none. Any thread.
  void settle(std::function<void()> done);
  void stop();

  resolve::Resolver& resolver() { return resolver_; }

 private:
  class Ticket;

  void run();
  bool wait_for_work(std::vector<std::shared_ptr<Ticket>>& tickets);
  std::vector<model::DomainName> follow_store();
  void store_changes(const std::vector<resolve::Resolved>& changes);
  void forget(std::vector<model::DomainName> names);

  const Options options_;
  store::Store& store_;
  store::Store& reader_;
  api::WorkQueue& queue_;
  const Changed changed_;
  resolve::Resolver resolver_;

  compile::OutsideNames outside_;          // keeper's thread
  std::vector<model::DomainName> in_use_;  // keeper's thread: as the resolver was told
  bool started_ = false;                   // keeper's thread

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;                         // guarded by mutex_
  std::vector<std::shared_ptr<Ticket>> waiting_;  // guarded by mutex_
  std::thread thread_;                            // last: starts when all else is there
};

}  // namespace brink::ctl::daemon
