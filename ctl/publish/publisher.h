// Publisher: keeps the edge serving the newest state. Compiles what changed since the version that
// the edge serves into a transaction, or everything into an image where that will not do, hands it
// over, and tells everybody who waits whether their change is being served.
//
// One thread of its own compiles and talks to the edge; the public methods may be called from any
// thread. Changes that arrive while others are on their way are taken together by the next
// transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "ctl/publish/edge_link.h"
#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"

namespace brink::ctl::publish {

// A sealed image or transaction, and the version of the store that it leads to.
struct Sealed {
  base::UniqueFd memfd;
  EdgeState leads_to;
  std::uint64_t size_bytes = 0;
};

// What became of a change, from the point of view of whoever asks the edge.
struct Publication {
  enum class State : std::uint8_t { kServed, kPending, kFailed };
  State state = State::kPending;
  std::string reason;  // why not served
};

struct PublisherStatus {
  bool connected = false;
  std::uint64_t wanted_version = 0;    // newest change
  std::uint64_t compiled_version = 0;  // newest that was compiled
  std::uint64_t served_version = 0;    // as the edge last said; 0 = not known
  std::uint64_t image_size_bytes = 0;  // of the last image
  std::uint64_t compile_us = 0;        // duration of the last compilation
  std::uint64_t publish_us = 0;        // hand-over to acknowledgement
  std::int64_t published_unix_ms = 0;  // last acknowledgement; 0 = none yet
  std::uint64_t images = 0;            // acknowledged since the start
  std::uint64_t transactions = 0;      // likewise
  std::string problem;                 // empty = none
};

// Where the publisher gets what it publishes. Called on its thread alone.
struct Compiler {
  // Everything.
  std::function<base::Result<Sealed>()> image;
  // What differs from what the edge serves; nothing when only an image will do, because the store
  // does not know how it came from there.
  std::function<base::Result<std::optional<Sealed>>(const EdgeState& served)> changes;
  // The store's own version of that number is the one that the edge serves.
  std::function<bool(const EdgeState& served)> recognises;
  // The edge serves a version that is newer than everything here, or that only has the number of
  // one (the store was restored from a backup, or is another one): the store has to overtake it.
  std::function<void(std::uint64_t edge_version)> overtake;
};

class Publisher {
 public:
  struct Options {
    std::string edge_socket;
    std::uint64_t version = 0;  // of the store at the start
    // Also between attempts on an edge that is busy; longer and longer where it has no room.
    std::chrono::milliseconds reconnect_interval{500};
    std::chrono::milliseconds acknowledge_timeout{30'000};
  };
  // Called once, on the publisher's thread.
  using Done = std::function<void(const Publication&)>;

  Publisher(Options options, Compiler compiler);
  // Stops the thread; those who still wait are told kPending.
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // The store has reached `version`.
  void changed(std::uint64_t version);
  // A transaction that leads from the version `from` to one that the store has not committed yet:
  // the edge applies it, and lets nobody see it. When the compiler comes with the same one, a word
  // makes the edge publish it. It is no use where the edge serves another version than `from`.
  void stage(std::uint64_t from, Sealed sealed);
  // The store will not come to what was staged.
  void unstage();
  // Like changed, and calls `done` when it is known whether `version` is served.
  void await(std::uint64_t version, Done done);
  PublisherStatus status() const;

 private:
  // What came of an attempt.
  enum class Attempt : std::uint8_t { kServed, kAgain, kGivenUp };

  void run();
  void wait_for_work();
  bool connect();
  void answer_without_edge();
  void catch_up();
  Attempt publish_changes();
  Attempt publish_image();
  void look_after_staging();
  void send_staged(const Sealed& sealed);
  void take_back_staged();
  Attempt hand_over(const Sealed& sealed, ipc::MessageType type);
  base::Result<EdgeReply> send(const Sealed& sealed, ipc::MessageType type);
  Attempt take_refusal(const EdgeReply& reply, const Sealed& sealed, ipc::MessageType type);
  Attempt give_up(const std::string& reason);
  Attempt put_off(const std::string& reason);
  void note_compiled(const Sealed& sealed, std::chrono::steady_clock::time_point since);
  void note_served(ipc::MessageType type, std::chrono::steady_clock::time_point since);
  void settle(std::uint64_t up_to, const Publication& publication);
  void note_problem(const std::string& problem);
  [[nodiscard]] std::uint64_t wanted() const;
  [[nodiscard]] bool stopping() const;

  const Options options_;
  const Compiler compiler_;
  base::UniqueFd wake_;  // eventfd: work arrived
  base::UniqueFd stop_;  // eventfd: the destructor runs

  // Publisher thread only.
  EdgeLink edge_;
  EdgeState served_;
  std::optional<EdgeState> staged_;  // what the edge holds back
  bool stranger_ = false;        // the edge serves another store's version
  bool image_only_ = false;      // a transaction was refused: it takes an image to go on
  bool retry_ = false;           // the edge was busy, or may have room later
  std::chrono::milliseconds pause_;  // before the next attempt without a reason for one
  std::uint64_t given_up_ = 0;   // not attempted again,
  std::string failure_;          // for this reason

  struct Coming {
    std::uint64_t from = 0;
    Sealed sealed;
  };

  mutable std::mutex mutex_;
  std::optional<Coming> to_stage_;              // guarded by mutex_
  bool to_unstage_ = false;                     // guarded by mutex_
  PublisherStatus status_;                      // guarded by mutex_
  std::multimap<std::uint64_t, Done> waiting_;  // guarded by mutex_; by version
  std::thread thread_;
};

}  // namespace brink::ctl::publish
