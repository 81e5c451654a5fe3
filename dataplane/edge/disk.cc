#include "dataplane/edge/disk.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "dataplane/snapshot/compact.h"

namespace brink::edge {
namespace {

using snapshot::Image;
using snapshot::ImageOptions;

constexpr base::Duration kRetryInterval = std::chrono::seconds(30);
// Waste is not worth a compaction below this.
constexpr std::uint64_t kWasteMinBytes = std::uint64_t{64} << 20;

base::Result<std::vector<Image>> empty_copies(const std::vector<ImageOptions>& options) {
  std::vector<Image> copies;
  for (const ImageOptions& one : options) {
    auto image = Image::create(base::HashKey{}, one);
    if (!image) return image.error();
    copies.push_back(std::move(image).value());
  }
  return copies;
}

// One copy per node, each read and verified by itself.
base::Result<std::vector<Image>> received_copies(int fd, std::uint64_t size_bytes,
                                                 const std::vector<ImageOptions>& options) {
  std::vector<Image> copies;
  for (const ImageOptions& one : options) {
    auto image = Image::receive(fd, size_bytes, one);
    if (!image) return image.error();
    copies.push_back(std::move(image).value());
  }
  return copies;
}

base::Result<std::vector<Image>> compacted_copies(const snapshot::Pinned& pinned,
                                                  const std::vector<ImageOptions>& options) {
  std::vector<Image> copies;
  for (const ImageOptions& one : options) {
    auto image = snapshot::compact(pinned, one);
    if (!image) return image.error();
    copies.push_back(std::move(image).value());
  }
  return copies;
}

std::string summary(const snapshot::ImageState& state) {
  return "version " + std::to_string(state.version) + ", " + std::to_string(state.zones) +
         " zones, " + std::to_string(state.names) + " names";
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string all;
  for (const std::string& sentence : sentences) all += (all.empty() ? "" : "; ") + sentence;
  return all;
}

void report(const std::string& path, const snapshot::DiskState& state,
            std::vector<std::string>& faults) {
  faults.insert(faults.end(), state.faults.begin(), state.faults.end());
  if (!state.has_image && state.replayed == 0) {
    spdlog::info("no image at {} yet: every question is refused until one is published", path);
    return;
  }
  spdlog::info("{} from {}, {} transaction(s) from its log", summary(state.image.state()), path,
               state.replayed);
}

}  // namespace

base::Result<std::unique_ptr<Disk>> Disk::open(const snapshot::JournalOptions& options,
                                               std::uint64_t log_size_max_bytes, ImageStore& images,
                                               base::Time now, std::vector<std::string>& faults) {
  std::unique_ptr<Disk> disk(new Disk(options, log_size_max_bytes, images));
  const auto wanted = images.image_options();
  std::vector<Image> copies;
  std::vector<snapshot::ReplayedLog> logs;
  for (const ImageOptions& one : wanted) {
    auto state = snapshot::load_disk(options.path, one);
    if (!state) {
      faults.push_back(state.error().message() + ": starting with the empty image");
      auto empty = empty_copies(wanted);
      if (!empty) return empty.error();
      copies = std::move(empty).value();
      logs.clear();
      break;
    }
    if (copies.empty()) report(options.path, state.value(), faults);
    logs = state.value().logs;
    copies.push_back(std::move(state.value().image));
  }
  images.publish(std::move(copies), now);
  auto journal = snapshot::Journal::open(options, logs);
  if (!journal) return journal.error();
  disk->journal_ = std::move(journal).value();
  return disk;
}

Disk::~Disk() {
  if (!job_) return;
  job_->made.wait();
  images_.unpin();
}

bool Disk::replacing() const {
  return job_ && job_->kind == Kind::kReceive;
}

Disk::Made Disk::saved(std::vector<Image> copies, const std::string& path) {
  const auto done = copies[0].save(path);
  if (!done) return {{}, done.error().message(), true};
  return {std::move(copies), ""};
}

template <typename Work>
void Disk::start(Kind kind, Finished finished, Work work) {
  CHECK(!job_);
  job_ = std::make_unique<Job>();
  job_->kind = kind;
  job_->finished = std::move(finished);
  job_->version = images_.state().version;
  job_->made = std::async(std::launch::async, std::move(work));
}

void Disk::receive(base::UniqueFd memfd, std::uint64_t size_bytes, Finished finished) {
  start(Kind::kReceive, std::move(finished),
        [fd = std::move(memfd), size_bytes, options = images_.image_options(),
         path = path_]() -> base::Result<Made> {
          auto copies = received_copies(fd.get(), size_bytes, options);
          if (!copies) return copies.error();
          // Saved before it is served: what was acknowledged survives a restart.
          return saved(std::move(copies).value(), path);
        });
}

// The log is rotated first: what it holds up to now will be in the image.
void Disk::compact(Finished finished) {
  if (auto rotated = journal_->rotate(images_.state().version); !rotated) {
    finished({false, rotated.error().message()});
    return;
  }
  start(Kind::kCompact, std::move(finished),
        [pinned = images_.pin(), options = images_.image_options(),
         path = path_]() -> base::Result<Made> {
          auto copies = compacted_copies(pinned, options);
          if (!copies) return copies.error();
          return saved(std::move(copies).value(), path);
        });
}

void Disk::verify(Finished finished) {
  start(Kind::kVerify, std::move(finished),
        [pinned = images_.pin(), path = path_,
         log_bytes = journal_->newest_log_bytes()]() -> base::Result<Made> {
          const auto served = snapshot::compact(pinned, {});
          if (!served) return served.error();
          if (auto sound = served.value().verify(); !sound) {
            base::Error error = sound.error();
            error.where = "what is served, " + error.where;
            return error;
          }
          // What is appended meanwhile may not be whole yet.
          const auto kept = snapshot::load_disk(path, {}, log_bytes);
          if (!kept) return kept.error();
          if (!kept.value().faults.empty()) return base::Error{joined(kept.value().faults), "", ""};
          const std::string text = "served: " + summary(served.value().state()) +
                                   "; on disk: " + summary(kept.value().image.state()) + " with " +
                                   std::to_string(kept.value().replayed) +
                                   " transaction(s) of the log";
          return Made{{}, text};
        });
}

base::Result<std::uint64_t> Disk::append(std::span<const std::uint8_t> transaction) {
  auto number = journal_->append(transaction);
  if (number && job_ && job_->kind == Kind::kCompact) {
    job_->since.emplace_back(transaction.begin(), transaction.end());
  }
  return number;
}

// Also names what wastes memory: fragments of the heap, and free records.
const char* Disk::compaction_reason() const {
  if (images_.is_aged()) return "generations are getting old";
  if (journal_->log_bytes() > log_size_max_bytes_)
    return "the log has outgrown snapshot.log-size-max-mb";
  const snapshot::ImageUsage usage = images_.usage();
  const std::uint64_t waste = usage.heap_free_bytes + usage.records_free * sizeof(snapshot::Record);
  const std::uint64_t all =
      usage.heap_bytes + (usage.records + usage.records_free) * sizeof(snapshot::Record);
  if (waste > kWasteMinBytes && waste > all / 2) return "more than half of the memory is free";
  return nullptr;
}

void Disk::poll(base::Time now) {
  if (job_) {
    if (job_->made.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    const std::unique_ptr<Job> job = std::move(job_);
    const JobOutcome outcome = finish(*job, now);
    job->finished(outcome);
    return;
  }
  if (now < next_attempt_) return;
  const char* reason = compaction_reason();
  if (reason == nullptr) return;
  spdlog::info("compacting: {}", reason);
  next_attempt_ = now + kRetryInterval;
  compact([](const JobOutcome& outcome) {
    if (!outcome.done) spdlog::error("compaction failed: {}", outcome.text);
  });
}

JobOutcome Disk::finish(Job& job, base::Time now) {
  auto made = job.made.get();
  if (job.kind != Kind::kReceive) images_.unpin();
  if (!made) return {false, made.error().message()};
  std::vector<Image>& copies = made.value().copies;
  if (copies.empty()) return {!made.value().unsaved, made.value().text, made.value().unsaved};
  const std::uint64_t saved_version = copies[0].state().version;
  if (auto caught_up = catch_up(job, copies); !caught_up) {
    return {false, caught_up.error().message()};
  }
  images_.publish(std::move(copies), now);
  if (job.kind == Kind::kReceive) {
    if (auto restarted = journal_->restart(saved_version); !restarted) {
      spdlog::error("the log cannot be started afresh: {}", restarted.error().message());
    }
  } else {
    journal_->forget(saved_version);
    ++compactions_;
  }
  return {true, summary(images_.state())};
}

base::Result<void> Disk::catch_up(const Job& job, std::vector<Image>& copies) const {
  for (Image& image : copies) {
    for (const auto& transaction : job.since) {
      if (auto applied = snapshot::apply_unread(image, transaction); !applied) return applied;
    }
  }
  return {};
}

}  // namespace brink::edge
