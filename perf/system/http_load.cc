// http_load: keep-alive HTTP/1.1 clients from one epoll loop. Opens all connections, then sends
// requests over them, one at a time on each, and checks every response. Prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string address, host, path;
  std::uint16_t port = 80;
  std::uint32_t connections = 0, requests = 0, opening = 0, in_flight = 0;
  double deadline_s = 0;
};

struct Connection {
  int fd = -1;
  bool open = false;
  bool busy = false;
  std::string in;
  Clock::time_point asked;
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        request_("GET " + options.path + " HTTP/1.1\r\nHost: " + options.host + "\r\n\r\n"),
        connections_(options.connections),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    latencies_.reserve(options.requests);
    for (std::uint32_t i = options.connections; i > 0; --i) waiting_.push_back(i - 1);
  }
  ~Load() {
    for (const Connection& c : connections_) {
      if (c.fd >= 0) ::close(c.fd);
    }
    ::close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  nlohmann::ordered_json run() {
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(options_.deadline_s));
    const auto begun = Clock::now();
    loop([this] { return opened_ + failed_ >= options_.connections; }, [this] { open_more(); });
    const auto opened_at = Clock::now();
    const std::uint32_t opened = opened_;
    loop([this] { return done_ + lost_ >= options_.requests || open_now_ == 0; },
         [this] { ask_more(); });
    const double seconds = seconds_between(opened_at, Clock::now());
    std::sort(latencies_.begin(), latencies_.end());
    return {{"connections", opened},
            {"open_at_end", open_now_},
            {"connect_s", seconds_between(begun, opened_at)},
            {"requests", done_},
            {"seconds", seconds},
            {"rate", seconds > 0 ? done_ / seconds : 0.0},
            {"errors", failed_ + lost_ + wrong_ +
                           (options_.requests - std::min(options_.requests, done_ + lost_))},
            {"failed_connections", failed_},
            {"lost_requests", lost_},
            {"other_status", wrong_},
            {"p50_ms", percentile(0.50)},
            {"p99_ms", percentile(0.99)}};
  }

 private:
  static double seconds_between(Clock::time_point a, Clock::time_point b) {
    return std::chrono::duration<double>(b - a).count();
  }
  [[nodiscard]] double percentile(double share) const {
    if (latencies_.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1));
    return latencies_[at] * 1e3;
  }

  template <typename Done, typename Feed>
  void loop(Done done, Feed feed) {
    epoll_event events[512];
    feed();
    while (!done() && Clock::now() < deadline_) {
      const int count = ::epoll_wait(epoll_, events, 512, 100);
      for (int i = 0; i < count; ++i) on_event(events[i].data.u32, events[i].events);
      feed();
    }
  }

  void open_more() {
    while (opening_ < options_.opening && !waiting_.empty()) {
      const std::uint32_t i = waiting_.back();
      waiting_.pop_back();
      start(i);
    }
  }

  void start(std::uint32_t i) {
    sockaddr_storage to{};
    socklen_t size = 0;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&to);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&to);
    if (::inet_pton(AF_INET, options_.address.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(options_.port);
      size = sizeof *v4;
    } else {
      ::inet_pton(AF_INET6, options_.address.c_str(), &v6->sin6_addr);
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(options_.port);
      size = sizeof *v6;
    }
    Connection& c = connections_[i];
    c.fd = ::socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int one = 1;
    if (c.fd >= 0) ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c.fd < 0 ||
        (::connect(c.fd, reinterpret_cast<sockaddr*>(&to), size) != 0 && errno != EINPROGRESS)) {
      ++failed_;
      return;
    }
    ++opening_;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u32 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
  }

  void on_event(std::uint32_t i, std::uint32_t what) {
    Connection& c = connections_[i];
    if (c.fd < 0) return;
    if (!c.open) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0 && (what & EPOLLOUT) == 0) return;
      --opening_;
      if (error != 0) {
        ++failed_;
        return drop(c);
      }
      c.open = true;
      ++opened_;
      ++open_now_;
    }
    if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(i);
  }

  // Round robin, so that every connection carries its share.
  void ask_more() {
    const std::size_t size = connections_.size();
    for (std::size_t tries = 0;
         tries < size && asked_ < options_.requests && busy_ < options_.in_flight; ++tries) {
      Connection& c = connections_[next_];
      next_ = (next_ + 1) % size;
      if (!c.open || c.busy) continue;
      c.busy = true;
      c.asked = Clock::now();
      ++busy_;
      ++asked_;
      if (::send(c.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request_.size())) {
        lose(c);
      }
    }
  }

  void receive(std::uint32_t i) {
    Connection& c = connections_[i];
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(c.fd, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return lose(c);
      c.in.append(buffer, static_cast<std::size_t>(got));
      while (c.busy && complete(c)) {
        c.busy = false;
        --busy_;
        ++done_;
        latencies_.push_back(seconds_between(c.asked, Clock::now()));
      }
    }
  }

  // Takes one whole response off the front of c.in.
  bool complete(Connection& c) {
    const std::size_t head = c.in.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    std::size_t length = 0;
    const std::size_t field = c.in.find("Content-Length: ");
    if (field < head) std::from_chars(c.in.data() + field + 16, c.in.data() + head, length);
    if (c.in.size() < head + 4 + length) return false;
    if (c.in.compare(0, 12, "HTTP/1.1 200") != 0) ++wrong_;
    c.in.erase(0, head + 4 + length);
    return true;
  }

  void lose(Connection& c) {
    if (c.busy) {
      --busy_;
      ++lost_;
    }
    c.busy = false;
    if (c.open) --open_now_;
    drop(c);
  }
  static void drop(Connection& c) {
    ::close(c.fd);
    c.fd = -1;
    c.open = false;
  }

  Options options_;
  std::string request_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> waiting_;
  std::vector<double> latencies_;
  int epoll_;
  Clock::time_point deadline_;
  std::size_t next_ = 0;
  std::uint32_t opening_ = 0, opened_ = 0, open_now_ = 0, failed_ = 0;
  std::uint32_t asked_ = 0, busy_ = 0, done_ = 0, lost_ = 0, wrong_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  po::options_description all("http_load");
  auto add = all.add_options();
  add("address", po::value(&options.address)->required(), "of the server");
  add("port", po::value(&options.port)->default_value(80), "");
  add("host", po::value(&options.host)->required(), "Host field");
  add("path", po::value(&options.path)->default_value("/"), "");
  add("connections", po::value(&options.connections)->default_value(10'000), "");
  add("requests", po::value(&options.requests)->default_value(100'000), "in all");
  add("opening", po::value(&options.opening)->default_value(128), "connections at once");
  add("in-flight", po::value(&options.in_flight)->default_value(256), "requests at once");
  add("deadline", po::value(&options.deadline_s)->default_value(60), "seconds");
  try {
    po::variables_map values;
    po::store(po::parse_command_line(argc, argv, all), values);
    po::notify(values);
  } catch (const po::error& error) {
    std::cerr << error.what() << '\n' << all;
    return 2;
  }
  rlimit files{options.connections + 100, options.connections + 100};
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
    std::perror("http_load: RLIMIT_NOFILE");
    return 1;
  }
  Load load(options);
  std::cout << load.run().dump() << std::endl;
  return 0;
}
