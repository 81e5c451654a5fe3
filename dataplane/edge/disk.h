// Disk: the edge's journal and the threads that read and write images for it. Whatever takes long,
// verifying an image that came in, compacting, checking, is a job on a thread of its own, so that
// the main thread goes on moving the kernel's packets; one at a time. Main thread.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/unique_fd.h"
#include "dataplane/edge/image_store.h"
#include "dataplane/snapshot/journal.h"

namespace brink::edge {

// What came of a job: why it failed, or what it found; for an operator.
struct JobOutcome {
  bool done = false;
  std::string text;
  bool no_room = false;  // not done because the disk would not take it: later, perhaps
};

class Disk {
 public:
  using Finished = std::function<void(const JobOutcome&)>;

  // Loads what the disk holds into `images`; an empty image where there is none or none that can
  // be trusted, which `faults` then tells.
  static base::Result<std::unique_ptr<Disk>> open(const snapshot::JournalOptions& options,
                                                  std::uint64_t log_size_max_bytes,
                                                  ImageStore& images, base::Time now,
                                                  std::vector<std::string>& faults);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Jobs; `finished` is called by poll(). None is running.
  void receive(base::UniqueFd memfd, std::uint64_t size_bytes, Finished finished);
  void compact(Finished finished);
  void verify(Finished finished);
  [[nodiscard]] bool busy() const { return job_ != nullptr; }
  // An image is being received: nothing else may change what is served.
  [[nodiscard]] bool replacing() const;

  // A transaction that is about to be committed: keeps it in the log. Returns its number for
  // is_kept(). On an Error it must be aborted.
  base::Result<std::uint64_t> append(std::span<const std::uint8_t> transaction);
  [[nodiscard]] const snapshot::Journal& journal() const { return *journal_; }
  // Readable when is_kept() may have more to say, until journal_event_seen().
  [[nodiscard]] int descriptor() const { return journal_->descriptor(); }
  void journal_event_seen() { journal_->clear_event(); }

  // Finishes a job that is ready, between transactions; starts a compaction that is due.
  void poll(base::Time now);

  [[nodiscard]] std::uint64_t compactions() const { return compactions_; }

 private:
  enum class Kind : std::uint8_t { kReceive, kCompact, kVerify };
  struct Made {
    std::vector<snapshot::Image> copies;  // none: only the text counts
    std::string text;
    bool unsaved = false;  // the text says why
  };
  struct Job {
    Kind kind{};
    std::future<base::Result<Made>> made;
    Finished finished;
    std::uint64_t version = 0;                     // pinned
    std::vector<std::vector<std::uint8_t>> since;  // transactions since then
  };

  Disk(const snapshot::JournalOptions& options, std::uint64_t log_size_max_bytes,
       ImageStore& images)
      : path_(options.path), log_size_max_bytes_(log_size_max_bytes), images_(images) {}
  static Made saved(std::vector<snapshot::Image> copies, const std::string& path);
  template <typename Work>
  void start(Kind kind, Finished finished, Work work);
  JobOutcome finish(Job& job, base::Time now);
  base::Result<void> catch_up(const Job& job, std::vector<snapshot::Image>& copies) const;
  [[nodiscard]] const char* compaction_reason() const;

  const std::string path_;
  const std::uint64_t log_size_max_bytes_;
  ImageStore& images_;
  std::unique_ptr<snapshot::Journal> journal_;
  std::unique_ptr<Job> job_;
  std::uint64_t compactions_ = 0;
  base::Time next_attempt_{};  // after a compaction that failed
};

}  // namespace brink::edge
