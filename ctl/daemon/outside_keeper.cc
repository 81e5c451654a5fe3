#include "ctl/daemon/outside_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "ctl/store/resolved.h"

namespace brink::ctl::daemon {

using model::DomainName;

// Calls once: when it is told to, or when nobody has it any more.
class OutsideKeeper::Ticket {
 public:
  explicit Ticket(std::function<void()> done) : done_(std::move(done)) {}
  ~Ticket() { use(); }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  void use() {
    if (!used_.exchange(true)) done_();
  }

 private:
  const std::function<void()> done_;
  std::atomic<bool> used_ = false;
};

OutsideKeeper::OutsideKeeper(Options options, store::Store& store, store::Store& reader,
                             const compile::Options& compile, api::WorkQueue& queue,
                             Changed changed)
    : options_(std::move(options)),
      store_(store),
      reader_(reader),
      queue_(queue),
      changed_(std::move(changed)),
      resolver_(options_.resolver,
                [this](const std::vector<resolve::Resolved>& changes) {
                  queue_.post([this, changes] { store_changes(changes); });
                }),
      outside_(compile),
      thread_([this] { run(); }) {}

void OutsideKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// The timer bounds the wait even while the store is being read.
void OutsideKeeper::settle(std::function<void()> done) {
  auto ticket = std::make_shared<Ticket>(std::move(done));
  resolver_.after(options_.wait, [weak = std::weak_ptr(ticket)] {
    if (const auto late = weak.lock()) late->use();
  });
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) waiting_.push_back(std::move(ticket));
  }
  wake_.notify_one();
}

void OutsideKeeper::run() {
  std::vector<std::shared_ptr<Ticket>> tickets;
  do {
    std::vector<DomainName> needed;
    try {
      needed = follow_store();
    } catch (const store::Failure& failure) {
      spdlog::error("names outside cannot be read from the store: {}", failure.what());
    }
    if (!needed.empty() && !tickets.empty()) {
      // What was resolved is on its way to the store's thread: the tickets go behind it.
      resolver_.settled(needed, options_.wait, [this, tickets] {
        queue_.post([tickets] {
          for (const auto& ticket : tickets) ticket->use();
        });
      });
    } else {
      for (const auto& ticket : tickets) ticket->use();
    }
    tickets.clear();
  } while (wait_for_work(tickets));
}

bool OutsideKeeper::wait_for_work(std::vector<std::shared_ptr<Ticket>>& tickets) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  tickets.swap(waiting_);
  return !stopping_;
}

// Returns the names outside that what is new depends on.
std::vector<DomainName> OutsideKeeper::follow_store() {
  store::Transaction view(reader_, store::Transaction::Kind::kRead);
  std::vector<DomainName> needed = outside_.update(reader_);
  std::vector<DomainName> names = outside_.names();
  store::ResolvedNames resolved(reader_);
  std::vector<resolve::Resolved> known;
  std::vector<DomainName> gone;
  if (!started_) {
    // Answers of an earlier run, among them those of names that went out of use meanwhile.
    for (store::ResolvedName& each : resolved.all()) {
      if (!std::binary_search(names.begin(), names.end(), each.name)) gone.push_back(each.name);
    }
  }
  std::set_difference(in_use_.begin(), in_use_.end(), names.begin(), names.end(),
                      std::back_inserter(gone));
  if (names == in_use_ && started_) return needed;
  std::vector<DomainName> fresh;
  std::set_difference(names.begin(), names.end(), in_use_.begin(), in_use_.end(),
                      std::back_inserter(fresh));
  for (const DomainName& name : fresh) {
    if (const auto row = resolved.find(name)) {
      known.push_back({row->name, row->addresses, row->ttl_s});
    }
  }
  started_ = true;
  in_use_ = names;
  if (names.size() > options_.resolver.limits.names_max) {
    spdlog::warn("{} names outside are in use, of which {} are resolved: raise resolve-names-max",
                 names.size(), options_.resolver.limits.names_max);
  }
  resolver_.use(std::move(names), std::move(known));
  if (!gone.empty()) forget(std::move(gone));
  return needed;
}

void OutsideKeeper::store_changes(const std::vector<resolve::Resolved>& changes) {
  std::vector<store::ResolvedName> names;
  for (const resolve::Resolved& each : changes) {
    names.push_back({each.name, each.addresses, std::min(each.ttl_s, options_.flatten_ttl_max)});
  }
  try {
    const std::size_t different = store::ResolvedNames(store_).put(names);
    if (different == 0) return;
    spdlog::debug("{} name(s) outside lead elsewhere: version {}", different, store_.version());
    changed_(store_.version());
  } catch (const store::Failure& failure) {
    spdlog::error("resolved addresses cannot be stored: {}", failure.what());
  }
}

void OutsideKeeper::forget(std::vector<DomainName> names) {
  queue_.post([this, names = std::move(names)] {
    try {
      store::ResolvedNames(store_).forget_unused(names);
    } catch (const store::Failure& failure) {
      spdlog::error("resolved addresses cannot be forgotten: {}", failure.what());
    }
  });
}

}  // namespace brink::ctl::daemon
