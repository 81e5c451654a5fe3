#include "dataplane/snapshot/journal.h"

#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>

#include "dataplane/snapshot/file_io.h"
#include "dataplane/snapshot/writer.h"

namespace brink::snapshot {
namespace {

constexpr std::uint32_t kOperationsAtOnce = 1U << 16;
constexpr std::uint32_t kBucketsAtOnce = 1U << 20;

struct RotatedLog {
  std::uint64_t version;
  std::string path;
};

std::string log_path(const std::string& path) {
  return path + ".log";
}

std::string rotated_path(const std::string& path, std::uint64_t version) {
  return log_path(path) + "." + std::to_string(version);
}

// In the order in which they were written.
std::vector<RotatedLog> rotated_logs(const std::string& path) {
  const std::filesystem::path log(log_path(path));
  const std::string prefix = log.filename().string() + ".";
  std::vector<RotatedLog> found;
  std::error_code ignored;
  const auto directory = log.has_parent_path() ? log.parent_path() : std::filesystem::path(".");
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(prefix, 0) != 0) continue;
    std::uint64_t version = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, version);
    if (parsed.ec == std::errc() && parsed.ptr == end) {
      found.push_back({version, entry.path().string()});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const RotatedLog& a, const RotatedLog& b) { return a.version < b.version; });
  return found;
}

void free_all(Writer& writer, Garbage garbage) {
  while (!garbage.empty()) garbage = writer.release(std::move(garbage));
}

// A secret for the table of an image that nobody has published yet.
base::Result<base::HashKey> random_key() {
  base::HashKey key;
  if (::getrandom(key.bytes, sizeof key.bytes, 0) != static_cast<ssize_t>(sizeof key.bytes)) {
    return system_error("no random bytes", "getrandom");
  }
  return key;
}

base::Result<Image> load_image(const std::string& path, const ImageOptions& options,
                               bool& has_image) {
  has_image = ::access(path.c_str(), F_OK) == 0;
  if (has_image) return Image::load(path, options);
  const auto key = random_key();
  if (!key) return key.error();
  return Image::create(key.value(), options);
}

// False: the log could not be read to its end, and what follows must not be applied.
bool replay(const std::string& path, DiskState& state,
            std::uint64_t bytes_max = ~std::uint64_t{0}) {
  state.logs.push_back({path, 0});
  std::uint64_t& good_bytes = state.logs.back().good_bytes;
  const auto scan = scan_log(
      path,
      [&](const TransactionHeader& header,
          std::span<const std::uint8_t> bytes) -> base::Result<void> {
        const std::uint64_t version = state.image.state().version;
        if (header.version <= version) {
          good_bytes += bytes.size();
          return {};
        }
        if (header.from_version != version) {
          return base::Error{"the next transaction changes version " +
                                 std::to_string(header.from_version) + ", the image is at " +
                                 std::to_string(version),
                             "", ""};
        }
        auto applied = apply_unread(state.image, bytes);
        if (!applied) return applied;
        ++state.replayed;
        good_bytes += bytes.size();
        return {};
      },
      bytes_max);
  if (!scan) {
    state.faults.push_back(scan.error().message() +
                           "; what follows is lost until brink-control publishes again");
    return false;
  }
  if (scan.value().fault.empty()) return true;
  const std::string where = path + " at byte " + std::to_string(good_bytes) + " of " +
                            std::to_string(scan.value().size_bytes);
  state.faults.push_back(scan.value().torn
                             ? where + ": an unfinished transaction is cut off"
                             : where + ": damaged: " + scan.value().fault +
                                   "; what follows is lost until brink-control publishes again");
  return scan.value().torn;
}

// Leaves of a rotated log what was replayed of it.
base::Result<void> cut_rotated(const RotatedLog& rotated, const std::vector<ReplayedLog>& logs) {
  const auto replayed = std::find_if(logs.begin(), logs.end(), [&](const ReplayedLog& log) {
    return log.path == rotated.path;
  });
  std::error_code fault;
  if (replayed == logs.end()) {
    std::filesystem::remove(rotated.path, fault);
  } else if (std::filesystem::file_size(rotated.path, fault) > replayed->good_bytes) {
    std::filesystem::resize_file(rotated.path, replayed->good_bytes, fault);
  }
  if (fault) return base::Error{"cannot cut it: " + fault.message(), rotated.path, ""};
  return {};
}

}  // namespace

base::Result<void> apply_unread(Image& image, std::span<const std::uint8_t> transaction) {
  const auto header = read_transaction(transaction);
  if (!header) return header.error();
  Writer writer(image);
  TransactionDecoder decoder(transaction);
  writer.begin(image.generation());
  for (;;) {
    const auto more = decoder.apply(writer, kOperationsAtOnce);
    base::Result<void> sound = more ? base::Result<void>{} : base::Result<void>(more.error());
    if (sound && !more.value()) sound = writer.check();
    if (!sound) {
      free_all(writer, writer.abort());
      return sound;
    }
    if (!more.value()) break;
  }
  free_all(writer, writer.commit(header.value().version, header.value().created_unix_ns,
                                 header.value().token));
  while (writer.maintain(kBucketsAtOnce)) {
  }
  free_all(writer, writer.flush());
  return {};
}

base::Result<DiskState> load_disk(const std::string& path, const ImageOptions& options,
                                  std::uint64_t log_bytes_max) {
  DiskState state;
  auto image = load_image(path, options, state.has_image);
  if (!image) return image.error();
  state.image = std::move(image).value();
  for (const RotatedLog& log : rotated_logs(path)) {
    if (!replay(log.path, state)) return state;
  }
  replay(log_path(path), state, log_bytes_max);
  return state;
}

base::Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options,
                                                     const std::vector<ReplayedLog>& logs) {
  // From the newest on, so that a crash in between leaves no gap before a log that stays.
  std::uint64_t log_bytes = 0;
  if (!logs.empty() && logs.back().path == log_path(options.path)) {
    log_bytes = logs.back().good_bytes;
  }
  auto log = Log::open(log_path(options.path), log_bytes);
  if (!log) return log.error();
  const auto rotated = rotated_logs(options.path);
  for (auto at = rotated.rbegin(); at != rotated.rend(); ++at) {
    if (auto cut = cut_rotated(*at, logs); !cut) return cut.error();
  }
  return std::unique_ptr<Journal>(new Journal(options, std::move(log).value()));
}

Journal::Journal(JournalOptions options, Log log)
    : options_(std::move(options)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      log_(std::make_shared<Log>(std::move(log))) {
  CHECK(event_.valid());
  std::error_code ignored;
  for (const RotatedLog& rotated : rotated_logs(options_.path)) {
    rotated_bytes_ += std::filesystem::file_size(rotated.path, ignored);
  }
  if (options_.policy != SyncPolicy::kNever) thread_ = std::thread([this] { flush_loop(); });
}

Journal::~Journal() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

base::Result<std::uint64_t> Journal::append(std::span<const std::uint8_t> transaction) {
  if (auto appended = log_->append(transaction); !appended) return appended.error();
  ++appended_;
  if (options_.policy != SyncPolicy::kNever) {
    {
      const std::lock_guard lock(mutex_);
      to_flush_ = log_;
      wanted_ = appended_;
    }
    wake_.notify_one();
  }
  return appended_;
}

bool Journal::is_kept(std::uint64_t number) const {
  return options_.policy != SyncPolicy::kAlways ||
         flushed_.load(std::memory_order_acquire) >= number;
}

void Journal::clear_event() {
  std::uint64_t count;
  static_cast<void>(::read(event_.get(), &count, sizeof count));
}

// One flush serves all that were appended while the one before it ran.
void Journal::flush_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || to_flush_ != nullptr; });
    if (to_flush_ == nullptr) return;
    if (options_.policy == SyncPolicy::kInterval && !stop_) {
      wake_.wait_for(lock, options_.interval, [this] { return stop_; });
    }
    const std::shared_ptr<Log> log = std::exchange(to_flush_, nullptr);
    const std::uint64_t number = wanted_;
    lock.unlock();
    const auto flushed = log->flush();
    lock.lock();
    fault_ = flushed ? "" : flushed.error().message();
    if (!flushed) {
      // Nothing is acknowledged as kept; tried again with the next transaction, or now and then.
      if (to_flush_ == nullptr && !stop_) to_flush_ = log;
      wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stop_; });
      if (stop_) return;
      continue;
    }
    flushed_.store(number, std::memory_order_release);
    if (options_.policy != SyncPolicy::kAlways) continue;  // nobody waits
    const std::uint64_t one = 1;
    static_cast<void>(::write(event_.get(), &one, sizeof one));
  }
}

std::string Journal::flush_fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

base::Result<void> Journal::rotate(std::uint64_t version) {
  const std::string to = rotated_path(options_.path, version);
  if (log_->size_bytes() == 0) return {};
  // What is unflushed goes to the disk first: the flushing thread will look at the new log.
  if (auto flushed = log_->flush(); !flushed) return flushed;
  if (::rename(log_->path().c_str(), to.c_str()) != 0) {
    return system_error("cannot rename", log_->path());
  }
  const std::uint64_t rotated = log_->size_bytes();
  auto fresh = Log::open(log_path(options_.path), 0);
  if (!fresh) {
    // Go on with the old one under its old name.
    ::rename(to.c_str(), log_->path().c_str());
    return fresh.error();
  }
  rotated_bytes_ += rotated;
  log_ = std::make_shared<Log>(std::move(fresh).value());
  return {};
}

void Journal::forget(std::uint64_t version) {
  rotated_bytes_ = 0;
  std::error_code ignored;
  for (const RotatedLog& rotated : rotated_logs(options_.path)) {
    if (rotated.version <= version) {
      std::filesystem::remove(rotated.path, ignored);
    } else {
      rotated_bytes_ += std::filesystem::file_size(rotated.path, ignored);
    }
  }
}

base::Result<void> Journal::restart(std::uint64_t version) {
  if (auto rotated = rotate(version); !rotated) return rotated;
  forget(version);
  return {};
}

}  // namespace brink::snapshot
