// StaplingKeeper: keeps an OCSP response for every certificate that clients are shown and that
// names a responder: asks when it is due, checks what comes, and stores it as a version, which
// brings it to the edge. Nothing is asked because of a handshake. A response stays until its time
// is over, whatever becomes of the responder.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ctl/api/work_queue.h"
#include "ctl/model/certificate.h"
#include "ctl/model/stapling.h"
#include "ctl/store/store.h"

namespace brink::ctl::daemon {

class StaplingKeeper {
 public:
  struct Options {
    std::size_t in_flight_max = 16;
    std::chrono::milliseconds interval{1000};  // of looking for what is due
  };
  struct Response {
    std::vector<std::uint8_t> der;
    std::string problem;  // of none
  };
  // Asks the responder at a URL; calls its last argument once, on another thread, or drops it.
  using Ask = std::function<void(const std::string& url, std::vector<std::uint8_t> question,
                                 std::function<void(Response)>)>;
  // The edge is to have this version.
  using Publish = std::function<void(std::uint64_t version)>;

  // Everything given outlives the keeper, and the queue's last job too, which may be one of its.
  StaplingKeeper(const Options& options, store::Store& store, api::WorkQueue& queue, Ask ask,
                 Publish publish, model::WallClock clock);
  ~StaplingKeeper() { stop(); }
  StaplingKeeper(const StaplingKeeper&) = delete;
  StaplingKeeper& operator=(const StaplingKeeper&) = delete;

  // Starts nothing more. The object stays until the queue has stopped.
  void stop();

 private:
  void run();
  void work();
  void look(const model::Stapling& stapling);
  void conclude(model::Stapling stapling, const std::string& chain_pem, const Response& response);
  void give_up(model::Stapling stapling, std::string fault);
  void keep(const model::Stapling& stapling);
  [[nodiscard]] std::int64_t now_s() const;
  std::uint32_t random();

  const Options options_;
  store::Store& store_;
  api::WorkQueue& queue_;
  const Ask ask_;
  const Publish publish_;
  const model::WallClock clock_;
  const model::Entropy entropy_;
  std::set<model::Id> in_flight_;  // store's thread

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: starts when all else is there
};

}  // namespace brink::ctl::daemon
