#include "ctl/publish/publisher.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dataplane/base/check.h"

namespace brink::ctl::publish {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Reconnect intervals.
constexpr int kPauseMax = 16;

base::UniqueFd make_eventfd() {
  base::UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  CHECK(fd.valid());
  return fd;
}

void signal(const base::UniqueFd& fd) {
  const std::uint64_t one = 1;
  CHECK(::write(fd.get(), &one, sizeof one) == sizeof one);
}

std::uint64_t elapsed_us(steady_clock::time_point since) {
  return static_cast<std::uint64_t>(
      duration_cast<std::chrono::microseconds>(steady_clock::now() - since).count());
}

std::int64_t unix_ms() {
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Publisher::Publisher(Options options, Compiler compiler)
    : options_(std::move(options)),
      compiler_(std::move(compiler)),
      wake_(make_eventfd()),
      stop_(make_eventfd()),
      edge_(options_.edge_socket, stop_.get()),
      pause_(options_.reconnect_interval) {
  status_.wanted_version = options_.version;
  signal(wake_);  // look for the edge at once
  thread_ = std::thread([this] { run(); });
}

Publisher::~Publisher() {
  signal(stop_);
  signal(wake_);
  thread_.join();
  settle(~std::uint64_t{0}, {Publication::State::kPending, "brink-control is stopping"});
}

void Publisher::changed(std::uint64_t version) {
  {
    const std::lock_guard lock(mutex_);
    status_.wanted_version = std::max(status_.wanted_version, version);
  }
  signal(wake_);
}

void Publisher::stage(std::uint64_t from, Sealed sealed) {
  {
    const std::lock_guard lock(mutex_);
    to_stage_.emplace(Coming{from, std::move(sealed)});
  }
  signal(wake_);
}

void Publisher::unstage() {
  {
    const std::lock_guard lock(mutex_);
    to_stage_.reset();
    to_unstage_ = true;
  }
  signal(wake_);
}

void Publisher::await(std::uint64_t version, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(version, std::move(done));
  }
  changed(version);
}

PublisherStatus Publisher::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::uint64_t Publisher::wanted() const {
  const std::lock_guard lock(mutex_);
  return status_.wanted_version;
}

void Publisher::run() {
  while (!stopping()) {
    wait_for_work();
    if (stopping()) return;
    if (edge_.connected() || connect()) {
      look_after_staging();
      catch_up();
    } else {
      answer_without_edge();
    }
  }
}

// What was wanted is handed over whole if it is not staged by then.
void Publisher::look_after_staging() {
  std::optional<Coming> coming;
  bool takes_back = false;
  bool is_in_step = false;
  {
    const std::lock_guard lock(mutex_);
    coming = std::exchange(to_stage_, std::nullopt);
    takes_back = std::exchange(to_unstage_, false);
    is_in_step = coming && coming->from == served_.version &&
                 coming->from == status_.wanted_version && !stranger_;
  }
  if (takes_back && staged_) take_back_staged();
  if (is_in_step && edge_.connected()) send_staged(coming->sealed);
}

// An edge that does not take it is none to be told about: it is handed over when its time comes.
void Publisher::send_staged(const Sealed& sealed) {
  const auto reply =
      edge_.publish(ipc::MessageType::kStageTransaction, sealed.memfd.get(), sealed.leads_to,
                    sealed.size_bytes, options_.acknowledge_timeout);
  staged_.reset();
  if (reply && reply.value().status == ipc::ReplyStatus::kDone) staged_ = sealed.leads_to;
}

void Publisher::take_back_staged() {
  staged_.reset();
  static_cast<void>(
      edge_.publish(ipc::MessageType::kStageTransaction, -1, {}, 0, options_.acknowledge_timeout));
}

// What it serves is known only when it is back: nothing is compiled until then.
void Publisher::answer_without_edge() {
  settle(wanted(),
         {Publication::State::kPending, "brink-edge cannot be reached at " + options_.edge_socket});
}

bool Publisher::stopping() const {
  pollfd watched{stop_.get(), POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

// Sleeps until something changed, the edge went away, or it is time to look for it again.
void Publisher::wait_for_work() {
  pollfd watched[] = {{wake_.get(), POLLIN, 0}, {edge_.descriptor(), POLLIN, 0}};
  auto pause = milliseconds(-1);
  if (!edge_.connected()) {
    pause = options_.reconnect_interval;
  } else if (retry_) {
    pause = pause_;
  }
  const int timeout = static_cast<int>(pause.count());
  ::poll(watched, 2, timeout);  // a negative descriptor is ignored
  std::uint64_t count;
  if (watched[0].revents != 0) {
    CHECK(::read(wake_.get(), &count, sizeof count) == sizeof count);
  }
  if (edge_.connected() && watched[1].revents != 0) {
    // Between requests the edge says nothing: this is its end.
    edge_.disconnect();
    note_problem("brink-edge closed its control socket");
  }
}

bool Publisher::connect() {
  const auto served = edge_.connect(options_.acknowledge_timeout);
  if (!served) {
    note_problem(served.error().message());
    return false;
  }
  served_ = served.value();
  staged_.reset();
  image_only_ = false;
  given_up_ = 0;
  pause_ = options_.reconnect_interval;
  spdlog::info("connected to brink-edge, which serves version {}", served_.version);
  std::uint64_t newest;
  {
    const std::lock_guard lock(mutex_);
    status_.connected = true;
    status_.served_version = served_.version;
    status_.problem.clear();
    newest = status_.wanted_version;
  }
  stranger_ = served_.version > newest || !compiler_.recognises(served_);
  if (stranger_ && served_.version >= newest && served_.version != 0) {
    spdlog::warn("brink-edge serves version {}, the store has {}: overtaking it", served_.version,
                 newest);
    compiler_.overtake(served_.version);
  }
  return true;
}

// Until the edge serves the newest version, or will not for now.
void Publisher::catch_up() {
  retry_ = false;
  while (!stopping() && edge_.connected()) {
    const std::uint64_t newest = wanted();
    if (!stranger_) settle(served_.version, {Publication::State::kServed, {}});
    if (served_.version >= newest) return;
    if (given_up_ >= newest) return settle(newest, {Publication::State::kFailed, failure_});
    const Attempt attempt = image_only_ ? publish_image() : publish_changes();
    if (attempt == Attempt::kGivenUp) return;
  }
}

Publisher::Attempt Publisher::publish_changes() {
  const auto start = steady_clock::now();
  const auto compiled = compiler_.changes(served_);
  if (!compiled) return give_up("compilation failed: " + compiled.error().message());
  if (!compiled.value()) {
    image_only_ = true;
    return Attempt::kAgain;
  }
  note_compiled(*compiled.value(), start);
  return hand_over(*compiled.value(), ipc::MessageType::kPublishTransaction);
}

Publisher::Attempt Publisher::publish_image() {
  const auto start = steady_clock::now();
  const auto compiled = compiler_.image();
  if (!compiled) return give_up("compilation failed: " + compiled.error().message());
  note_compiled(compiled.value(), start);
  {
    const std::lock_guard lock(mutex_);
    status_.image_size_bytes = compiled.value().size_bytes;
  }
  return hand_over(compiled.value(), ipc::MessageType::kPublishImage);
}

Publisher::Attempt Publisher::hand_over(const Sealed& sealed, ipc::MessageType type) {
  const auto start = steady_clock::now();
  const auto reply = send(sealed, type);
  if (!reply) return put_off(reply.error().message());
  if (reply.value().status != ipc::ReplyStatus::kDone) {
    return take_refusal(reply.value(), sealed, type);
  }
  served_ = sealed.leads_to;
  stranger_ = image_only_ = false;
  pause_ = options_.reconnect_interval;
  note_served(type, start);
  return Attempt::kServed;
}

base::Result<EdgeReply> Publisher::send(const Sealed& sealed, ipc::MessageType type) {
  const auto staged = std::exchange(staged_, std::nullopt);  // whatever is published ends it
  const auto timeout = options_.acknowledge_timeout;
  if (type == ipc::MessageType::kPublishTransaction && staged == sealed.leads_to) {
    auto reply = edge_.publish(type, -1, sealed.leads_to, 0, timeout);
    if (!reply || reply.value().status == ipc::ReplyStatus::kDone) return reply;
  }
  return edge_.publish(type, sealed.memfd.get(), sealed.leads_to, sealed.size_bytes, timeout);
}

// A busy edge is asked again, and one that has no room; a transaction that it does not take gives
// way to an image; any other refusal stands until there is another version or edge.
Publisher::Attempt Publisher::take_refusal(const EdgeReply& reply, const Sealed& sealed,
                                           ipc::MessageType type) {
  const std::string reason = "brink-edge refused version " +
                             std::to_string(sealed.leads_to.version) + ": " + reply.reason;
  switch (reply.status) {
    case ipc::ReplyStatus::kBusy:
      retry_ = true;
      return put_off(reason);
    case ipc::ReplyStatus::kNoRoom:
      // To compile all again and again would take the time of those who make room.
      retry_ = true;
      pause_ = std::min(2 * pause_, kPauseMax * options_.reconnect_interval);
      note_problem(reason);
      settle(sealed.leads_to.version, {Publication::State::kFailed, reason});
      return Attempt::kGivenUp;
    case ipc::ReplyStatus::kOutOfStep:
      // Somebody else published.
      edge_.disconnect();
      return put_off(reason);
    default:
      break;
  }
  if (type == ipc::MessageType::kPublishImage) return give_up(reason);
  note_problem(reason);
  image_only_ = true;
  return Attempt::kAgain;
}

// Not attempted again before something changes.
Publisher::Attempt Publisher::give_up(const std::string& reason) {
  given_up_ = wanted();
  failure_ = reason;
  note_problem(reason);
  settle(given_up_, {Publication::State::kFailed, reason});
  return Attempt::kGivenUp;
}

Publisher::Attempt Publisher::put_off(const std::string& reason) {
  note_problem(reason);
  settle(wanted(), {Publication::State::kPending, reason});
  return Attempt::kGivenUp;
}

void Publisher::note_compiled(const Sealed& sealed, steady_clock::time_point since) {
  const std::lock_guard lock(mutex_);
  status_.compiled_version = sealed.leads_to.version;
  status_.compile_us = elapsed_us(since);
}

void Publisher::note_served(ipc::MessageType type, steady_clock::time_point since) {
  const std::lock_guard lock(mutex_);
  status_.served_version = served_.version;
  status_.publish_us = elapsed_us(since);
  status_.published_unix_ms = unix_ms();
  status_.problem.clear();
  if (type == ipc::MessageType::kPublishImage) {
    ++status_.images;
  } else {
    ++status_.transactions;
  }
}

void Publisher::settle(std::uint64_t up_to, const Publication& publication) {
  std::vector<Done> due;
  {
    const std::lock_guard lock(mutex_);
    const auto end = waiting_.upper_bound(up_to);
    for (auto it = waiting_.begin(); it != end; ++it) due.push_back(std::move(it->second));
    waiting_.erase(waiting_.begin(), end);
  }
  for (const Done& done : due) done(publication);
}

void Publisher::note_problem(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  status_.connected = edge_.connected();
  if (!status_.connected) status_.served_version = 0;
  if (status_.problem == problem) return;
  status_.problem = problem;
  spdlog::warn("{}", problem);
}

}  // namespace brink::ctl::publish
