// Journal: what an edge keeps on its disk, so that it starts without anybody's help: the last image
// and the transactions since. Cold; one thread, besides the one it flushes with.
//
//   PATH               the image
//   PATH.log           transactions since, or since the last rotation
//   PATH.log.VERSION   rotated: transactions up to VERSION, until an image has them
//
// A crash at any point leaves an image and logs of which a prefix is what was served: a transaction
// is appended before it is published, an image is complete before it takes the old one's name, and a
// log goes only when an image has all of it. What a log holds that the image has already is skipped.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/base/unique_fd.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/log.h"

namespace brink::snapshot {

// When appended transactions reach the disk. The death of the process loses nothing under any of
// them; a power failure loses what was not flushed yet.
enum class SyncPolicy : std::uint8_t {
  kAlways,    // before a change is acknowledged
  kInterval,  // within the interval
  kNever      // when the kernel likes
};

struct JournalOptions {
  std::string path;  // of the image
  SyncPolicy policy = SyncPolicy::kAlways;
  std::chrono::milliseconds interval{1000};
};

// How much of a log could be replayed: nothing behind it may stay.
struct ReplayedLog {
  std::string path;
  std::uint64_t good_bytes = 0;
};

// What was found on the disk.
struct DiskState {
  Image image;
  bool has_image = false;           // a file; if not, the logs start from an empty image
  std::uint64_t replayed = 0;       // transactions
  std::vector<ReplayedLog> logs;    // in the order in which they were written, PATH.log last
  std::vector<std::string> faults;  // what an operator should know: one sentence each
};

// Loads the image and replays the logs. A fault of a log ends the replay and is told; an Error:
// there is an image that cannot be trusted, or no memory. Changes nothing on the disk. Of PATH.log
// `log_bytes_max` are read: to whoever is appending, that is how much is whole.
base::Result<DiskState> load_disk(const std::string& path, const ImageOptions& options,
                                  std::uint64_t log_bytes_max = ~std::uint64_t{0});

// Applies a transaction to an image that no reader has. On an Error the image is as before.
base::Result<void> apply_unread(Image& image, std::span<const std::uint8_t> transaction);

class Journal {
 public:
  // `logs` as load_disk found them; what could not be replayed is cut. None: there is no image, and
  // what logs there are is useless.
  static base::Result<std::unique_ptr<Journal>> open(const JournalOptions& options,
                                                     const std::vector<ReplayedLog>& logs);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Appends one transaction; returns its number. On an Error it is not kept.
  base::Result<std::uint64_t> append(std::span<const std::uint8_t> transaction);
  // Transaction `number` is as safe as the policy promises when it is acknowledged.
  [[nodiscard]] bool is_kept(std::uint64_t number) const;
  // Readable when is_kept() may have more to say; cleared by clear_event().
  [[nodiscard]] int descriptor() const { return event_.get(); }
  void clear_event();

  // Before an image of `version` is made: what comes now goes into a fresh log.
  base::Result<void> rotate(std::uint64_t version);
  // The image on the disk is of `version` now: removes the rotated logs that it covers.
  void forget(std::uint64_t version);
  // The image on the disk has everything: empties the log as well.
  base::Result<void> restart(std::uint64_t version);

  // Of PATH.log.
  [[nodiscard]] std::uint64_t newest_log_bytes() const { return log_->size_bytes(); }
  // Of all logs.
  [[nodiscard]] std::uint64_t log_bytes() const { return rotated_bytes_ + log_->size_bytes(); }
  // Why flushing fails; empty: it does not.
  [[nodiscard]] std::string flush_fault() const;

 private:
  Journal(JournalOptions options, Log log);
  void flush_loop();

  const JournalOptions options_;
  base::UniqueFd event_;
  std::shared_ptr<Log> log_;
  std::uint64_t rotated_bytes_ = 0;
  std::uint64_t appended_ = 0;
  std::atomic<std::uint64_t> flushed_{0};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<Log> to_flush_;   // guarded by mutex_
  std::uint64_t wanted_ = 0;        // guarded by mutex_: flush up to here
  std::string fault_;               // guarded by mutex_
  bool stop_ = false;               // guarded by mutex_
  std::thread thread_;
};

}  // namespace brink::snapshot
