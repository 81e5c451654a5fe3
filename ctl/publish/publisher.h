// Publisher: keeps the edge serving the newest state. Compiles when something changed, hands the
// image over, tells everybody who waits whether their change is being served.
//
// One thread of its own compiles and talks to the edge; the public methods may be called from any
// thread. Changes that arrive while an image is compiled or on its way are taken together by the
// next one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "ctl/publish/edge_link.h"
#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"

namespace brink::ctl::publish {

// A sealed image and the version of the store that it was compiled from.
struct SealedImage {
  base::UniqueFd memfd;
  std::uint64_t version = 0;
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
  std::uint64_t compiled_version = 0;  // newest image
  std::uint64_t served_version = 0;    // as the edge last said; 0 = not known
  std::uint64_t image_size_bytes = 0;
  std::uint64_t compile_ms = 0;        // duration of the last compilation
  std::uint64_t publish_ms = 0;        // hand-over to acknowledgement
  std::int64_t published_unix_ms = 0;  // last acknowledgement; 0 = none yet
  std::uint64_t images = 0;            // acknowledged since the start
  std::string problem;                 // empty = none
};

class Publisher {
 public:
  struct Options {
    std::string edge_socket;
    std::uint64_t version = 0;  // of the store at the start
    std::chrono::milliseconds reconnect_interval{500};
    std::chrono::milliseconds acknowledge_timeout{30'000};
  };
  // Compiles the whole store; called on the publisher's thread.
  using Compile = std::function<base::Result<SealedImage>()>;
  // Told when the edge serves a version that is newer than everything here (the store was restored
  // from a backup): the store has to overtake it. Called on the publisher's thread.
  using Overtake = std::function<void(std::uint64_t edge_version)>;
  // Called once, on the publisher's thread.
  using Done = std::function<void(const Publication&)>;

  Publisher(Options options, Compile compile, Overtake overtake);
  // Stops the thread; those who still wait are told kPending.
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // The store has reached `version`.
  void changed(std::uint64_t version);
  // Like changed, and calls `done` when it is known whether `version` is served.
  void await(std::uint64_t version, Done done);
  PublisherStatus status() const;

 private:
  void run();
  void wait_for_work();
  bool connect();
  bool compile();
  void answer_without_edge();
  void hand_over();
  void take_refusal(const EdgeReply& reply);
  void settle(std::uint64_t up_to, const Publication& publication);
  void note_problem(const std::string& problem);
  [[nodiscard]] bool stopping() const;

  const Options options_;
  const Compile compile_;
  const Overtake overtake_;
  base::UniqueFd wake_;                  // eventfd: work arrived
  base::UniqueFd stop_;                  // eventfd: the destructor runs
  EdgeLink edge_;                        // publisher thread only
  std::optional<SealedImage> image_;     // publisher thread only
  std::uint64_t edge_version_ = 0;       // publisher thread only
  std::uint64_t attempted_version_ = 0;  // publisher thread only: not compiled again
  std::uint64_t refused_version_ = 0;    // publisher thread only: not sent again while
  std::string refusal_;                  // publisher thread only: this is not empty
  bool retry_ = false;                   // publisher thread only: the edge was busy
  std::string compile_problem_;          // publisher thread only

  mutable std::mutex mutex_;
  PublisherStatus status_;                      // guarded by mutex_
  std::multimap<std::uint64_t, Done> waiting_;  // guarded by mutex_; by version
  std::thread thread_;
};

}  // namespace brink::ctl::publish
