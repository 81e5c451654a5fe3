#include "ctl/publish/publisher.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "dataplane/base/check.h"

namespace brink::ctl::publish {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

base::UniqueFd make_eventfd() {
  base::UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  CHECK(fd.valid());
  return fd;
}

void signal(const base::UniqueFd& fd) {
  const std::uint64_t one = 1;
  CHECK(::write(fd.get(), &one, sizeof one) == sizeof one);
}

std::uint64_t elapsed_ms(steady_clock::time_point since) {
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(steady_clock::now() - since).count());
}

std::int64_t unix_ms() {
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Publisher::Publisher(Options options, Compile compile, Overtake overtake)
    : options_(std::move(options)),
      compile_(std::move(compile)),
      overtake_(std::move(overtake)),
      wake_(make_eventfd()),
      stop_(make_eventfd()),
      edge_(options_.edge_socket, stop_.get()) {
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

void Publisher::run() {
  while (!stopping()) {
    wait_for_work();
    if (stopping()) return;
    if (!edge_.connected() && !connect()) answer_without_edge();
    // Without an edge too: the image is ready when one comes.
    if (compile() && edge_.connected()) hand_over();
  }
}

// Nobody has to wait for a compilation to learn that there is no edge.
void Publisher::answer_without_edge() {
  std::uint64_t wanted;
  {
    const std::lock_guard lock(mutex_);
    wanted = status_.wanted_version;
  }
  settle(wanted,
         {Publication::State::kPending, "brink-edge cannot be reached at " + options_.edge_socket});
}

bool Publisher::stopping() const {
  pollfd watched{stop_.get(), POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

// Sleeps until something changed, the edge went away, or it is time to look for it again.
void Publisher::wait_for_work() {
  pollfd watched[] = {{wake_.get(), POLLIN, 0}, {edge_.descriptor(), POLLIN, 0}};
  const bool timed = !edge_.connected() || retry_;
  const int timeout = timed ? static_cast<int>(options_.reconnect_interval.count()) : -1;
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
  edge_version_ = served.value();
  refusal_.clear();
  spdlog::info("connected to brink-edge, which serves version {}", edge_version_);
  std::uint64_t newest;
  bool has_published;
  {
    const std::lock_guard lock(mutex_);
    has_published = status_.images != 0;
    status_.connected = true;
    status_.served_version = edge_version_;
    status_.problem = compile_problem_;
    newest = std::max(status_.wanted_version, status_.compiled_version);
  }
  // Every start takes a new version, so one that the edge already had came from another store.
  const bool foreign = edge_version_ == newest && newest != 0 && !has_published;
  if (edge_version_ > newest || foreign) {
    spdlog::warn("brink-edge serves version {}, the store has {}: overtaking it", edge_version_,
                 newest);
    overtake_(edge_version_);
  }
  return true;
}

// True when there is an image of the newest state, or of the newest that could be compiled.
bool Publisher::compile() {
  std::uint64_t wanted;
  {
    const std::lock_guard lock(mutex_);
    wanted = status_.wanted_version;
  }
  if (wanted <= attempted_version_) return image_.has_value();
  const auto start = steady_clock::now();
  auto compiled = compile_();
  attempted_version_ = wanted;
  if (!compiled) {
    compile_problem_ = "compilation failed: " + compiled.error().message();
    note_problem(compile_problem_);
    settle(wanted, {Publication::State::kFailed, compile_problem_});
    return image_.has_value();
  }
  compile_problem_.clear();
  image_ = std::move(compiled).value();
  // The compiler read the store after `wanted` was taken, and may have seen more.
  attempted_version_ = std::max(wanted, image_->version);
  const std::lock_guard lock(mutex_);
  status_.compiled_version = image_->version;
  status_.image_size_bytes = image_->size_bytes;
  status_.compile_ms = elapsed_ms(start);
  if (status_.connected) status_.problem.clear();
  return true;
}

void Publisher::hand_over() {
  if (image_->version == edge_version_) {
    settle(image_->version, {Publication::State::kServed, {}});
    return;
  }
  if (!refusal_.empty() && image_->version == refused_version_) {
    settle(image_->version, {Publication::State::kFailed, refusal_});
    return;
  }
  retry_ = false;
  const auto start = steady_clock::now();
  const auto reply = edge_.publish(image_->memfd.get(), image_->version, image_->size_bytes,
                                   options_.acknowledge_timeout);
  if (!reply) {
    note_problem(reply.error().message());
    settle(image_->version, {Publication::State::kPending, reply.error().message()});
    return;
  }
  if (reply.value().status != ipc::ReplyStatus::kDone) {
    take_refusal(reply.value());
    return;
  }
  edge_version_ = image_->version;
  {
    const std::lock_guard lock(mutex_);
    status_.served_version = edge_version_;
    status_.publish_ms = elapsed_ms(start);
    status_.published_unix_ms = unix_ms();
    ++status_.images;
    status_.problem = compile_problem_;
  }
  settle(edge_version_, {Publication::State::kServed, {}});
}

// A busy edge is asked again; any other refusal stands until there is another image or edge.
void Publisher::take_refusal(const EdgeReply& reply) {
  const std::string reason =
      "brink-edge refused version " + std::to_string(image_->version) + ": " + reply.reason;
  note_problem(reason);
  if (reply.status == ipc::ReplyStatus::kBusy) {
    retry_ = true;
    settle(image_->version, {Publication::State::kPending, reason});
    return;
  }
  refused_version_ = image_->version;
  refusal_ = reason;
  settle(image_->version, {Publication::State::kFailed, reason});
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
