#include "dns/zone/parse_ahead.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace brink::dns::zone {
namespace {

constexpr std::size_t kSmallSize = 1 << 20;  // octets
constexpr std::size_t kPartSize = 512;       // records
constexpr std::size_t kPartsMax = 16;

// The comment lies in what the parser may have written itself, which ends with it.
struct Parsed {
  ZoneFileRecord record;
  std::string comment;
};
// Its records are the first of those that it has room for, whose memory is used again.
struct Part {
  std::vector<Parsed> room;
  std::size_t size = 0;

  Parsed& add() {
    if (size == room.size()) room.emplace_back();
    return room[size++];
  }
};

// From the parser's thread to the caller's, and back when they are empty.
class Parts {
 public:
  // Waits for room. False: nobody takes them any more.
  bool put(Part part) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_stopped_ || parts_.size() < kPartsMax; });
    if (is_stopped_) return false;
    parts_.push_back(std::move(part));
    changed_.notify_all();
    return true;
  }
  // One without records.
  Part take_empty() {
    const std::lock_guard lock(mutex_);
    if (empty_.empty()) return {};
    Part part = std::move(empty_.back());
    empty_.pop_back();
    return part;
  }
  void give_back(Part part) {
    part.size = 0;
    const std::lock_guard lock(mutex_);
    empty_.push_back(std::move(part));
  }
  // No more will be put.
  void end() {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
    changed_.notify_all();
  }
  // Waits for one; empty: that was all.
  std::optional<Part> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return has_ended_ || !parts_.empty(); });
    if (parts_.empty()) return std::nullopt;
    Part part = std::move(parts_.front());
    parts_.pop_front();
    changed_.notify_all();
    return part;
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Part> parts_;  // guarded by mutex_, like the next three
  std::vector<Part> empty_;
  bool has_ended_ = false;   // by the parser
  bool is_stopped_ = false;  // by the taker
};

class Parser {
 public:
  Parser(std::string_view text, const Wire& origin, std::uint32_t default_ttl)
      : thread_([this, text, &origin, default_ttl] { run(text, origin, default_ttl); }) {}
  ~Parser() {
    parts_.stop();
    thread_.join();
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  std::optional<Part> take() { return parts_.take(); }
  void give_back(Part part) { parts_.give_back(std::move(part)); }
  // Once all was taken.
  [[nodiscard]] const base::Result<void>& result() const { return result_; }

 private:
  void run(std::string_view text, const Wire& origin, std::uint32_t default_ttl) {
    Part part;
    result_ = parse_zone_file(text, origin, default_ttl,
                              [&](const ZoneFileRecord& record) -> base::Result<void> {
                                Parsed& parsed = part.add();
                                parsed.record = record;
                                parsed.comment = record.comment;
                                if (part.size < kPartSize) return {};
                                if (!parts_.put(std::move(part)))
                                  return base::Error{"stopped", "", ""};
                                part = parts_.take_empty();
                                return {};
                              });
    parts_.put(std::move(part));
    parts_.end();
  }

  Parts parts_;
  base::Result<void> result_;  // parser's thread, until the end
  std::thread thread_;
};

}  // namespace

base::Result<void> parse_ahead(
    std::string_view text, const Wire& origin, std::uint32_t default_ttl,
    const std::function<base::Result<void>(const ZoneFileRecord&)>& take) {
  if (text.size() < kSmallSize) return parse_zone_file(text, origin, default_ttl, take);
  Parser parser(text, origin, default_ttl);
  while (auto part = parser.take()) {
    for (Parsed& parsed : std::span(part->room).first(part->size)) {
      parsed.record.comment = parsed.comment;
      if (auto taken = take(parsed.record); !taken) return at_record(parsed.record, taken.error());
    }
    parser.give_back(*std::move(part));
  }
  return parser.result();
}

}  // namespace brink::dns::zone
