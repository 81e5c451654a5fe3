// http_wire: HTTP/1.1 on a DPDK port (a memif) by Brink's own TCP and TLS: clients that ask one
// request after another and check every answer, and the origin that a proxy between them asks; or,
// with --serve, a server that does nothing but answer, the most that a proxy on this stack could
// reach. Prints one line of JSON.
//
// DPDK's own arguments follow "--": http_wire --host www.example.com -- --no-pci --vdev=...
#include <algorithm>
#include <atomic>
#include <boost/program_options.hpp>
#include <charconv>
#include <csignal>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/tls/certificates_fixture.h"
#include "perf/support/dpdk_port.h"
#include "perf/support/wire_host.h"

namespace {

using namespace brink;
using transport::ConnectionId;
using transport::EventKind;

constexpr std::size_t kHeadMax = 2048;
constexpr std::uint16_t kFirstPort = 1024;
constexpr std::uint16_t kLastPort = 65000;

// SIGINT and SIGTERM end it early.
std::atomic<bool> g_stop{false};
void on_signal(int) {
  g_stop = true;
}

struct Options {
  bool serve = false;
  std::string address = "192.0.2.140", host, path = "/";
  std::uint16_t port = 80;
  std::uint32_t connections = 64;
  std::uint32_t addresses = 8;  // of clients
  double seconds = 5;
  double settle = 1;        // seconds before they count
  std::uint64_t rate = 0;   // requests a second; 0: each connection asks as soon as it was answered
  bool tls = false;         // serve: by its port, 443
  bool fresh = false;       // a connection for each request
  std::size_t size = 1024;  // of what the origin, or --serve, answers
};

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The head's size with its empty line, once it is whole; `head` keeps it.
std::size_t read_head(transport::Transport& transport, ConnectionId id, base::Time now,
                      std::string& head) {
  head.resize(kHeadMax);
  if (transport.readable(id, now).empty()) return 0;
  head.resize(transport.peek(id, 0, {reinterpret_cast<std::uint8_t*>(head.data()), head.size()}));
  const std::size_t end = head.find("\r\n\r\n");
  return end == std::string::npos ? 0 : end + 4;
}

// Answers whoever connects: the origin, or the bare server.
class Responder final : tls::CertificateSource {
 public:
  Responder(const Options& options, transport::Transport& transport, std::uint32_t connections)
      : transport_(transport), left_(connections) {
    response_ = "HTTP/1.1 200 OK\r\nServer: wire\r\nContent-Type: text/plain\r\nContent-Length: " +
                std::to_string(options.size) + "\r\n\r\n" + std::string(options.size, 'x');
    if (!options.serve) return;
    authority_.emplace(tls::test::authority());
    leaf_.emplace(tls::test::leaf(*authority_, {options.host}));
    bytes_ = leaf_->bytes();
    host_.key = {1, 1};
    host_.certificates = {&bytes_, 1};
  }

  void on_event(const transport::Event& event, base::Time now) {
    const ConnectionId id = event.id;
    switch (event.kind) {
      case EventKind::kAccepted:
        left_[id.index] = 0;
        if (transport_.info(id).local.port == 443) transport_.secure_accept(id, *this, 0, now);
        return;
      case EventKind::kReadable:
        while (const std::size_t size = read_head(transport_, id, now, head_)) {
          transport_.consume(id, size, now);
          left_[id.index] += response_.size();
        }
        return push(id, now);
      case EventKind::kWritable:
        return push(id, now);
      case EventKind::kPeerClosed:
        return transport_.close(id, now);
      case EventKind::kFailed:
        return transport_.release(id, now);
      default:
        return;
    }
  }

 private:
  const tls::HostSettings* find(std::string_view, std::uint64_t) noexcept override {
    return &host_;
  }

  void push(ConnectionId id, base::Time now) {
    std::size_t& left = left_[id.index];
    while (left > 0) {
      const std::size_t part = (left - 1) % response_.size() + 1;  // of the first response
      const std::size_t written =
          transport_.write(id, octets(response_).subspan(response_.size() - part), now);
      left -= written;
      if (written < part) return;
    }
  }

  transport::Transport& transport_;
  std::string response_, head_;
  std::vector<std::size_t> left_;  // octets to write, by connection
  std::optional<tls::test::Certificate> authority_, leaf_;
  tls::CertificateBytes bytes_;
  tls::HostSettings host_;
};

struct Client {
  ConnectionId id;
  bool ready = false;  // may ask
  bool asked = false;
  std::size_t body = 0;  // octets of it to come
  bool headless = true;  // its head has not come
  base::Time since{};
};

class Clients {
 public:
  Clients(const Options& options, transport::Transport& transport)
      : options_(options), transport_(transport), clients_(options.connections) {
    request_ = "GET " + options.path + " HTTP/1.1\r\nHost: " + options.host +
               "\r\nUser-Agent: wire\r\nAccept: */*\r\n\r\n";
    remote_ = {base::IpAddress::parse(options.address).value(), options.port};
  }

  void start(base::Time now) {
    for (std::uint32_t i = 0; i < clients_.size(); ++i) connect(i, now);
  }

  // Asks what is due of `rate`.
  void feed(base::Time now) {
    if (options_.rate == 0) return;
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const auto due = static_cast<std::uint64_t>(seconds * static_cast<double>(options_.rate));
    for (std::size_t tries = 0; paced_ < due && tries < clients_.size(); ++tries) {
      const auto i = static_cast<std::uint32_t>(next_++ % clients_.size());
      if (!clients_[i].ready) continue;
      ask(i, now);
      ++paced_;
    }
    if (paced_ < due) paced_ = due;  // all are asking: what it cannot carry is not asked later
  }

  void on_event(const transport::Event& event, base::Time now) {
    const auto i = static_cast<std::uint32_t>(event.user - 1);
    Client& client = clients_[i];
    if (client.id != event.id) return;
    switch (event.kind) {
      case EventKind::kConnected:
        if (!options_.tls) return be_ready(i, now);
        settings_.origin = ++handshakes_;
        settings_.server_name = options_.host;
        settings_.verify = false;
        if (transport_.secure_connect(event.id, settings_, now) != tls::Failure::kNone) lose(i);
        return;
      case EventKind::kSecured:
        return be_ready(i, now);
      case EventKind::kReadable:
        return read(i, now);
      case EventKind::kPeerClosed:
        transport_.close(event.id, now);
        return;
      case EventKind::kFailed:
        transport_.release(event.id, now);
        return lose(i);
      case EventKind::kClosed:
        return lose(i);
      default:
        return;
    }
  }

  // What came until now does not count.
  void begin(base::Time now) {
    begun_ = now;
    answered_ = wrong_ = lost_ = paced_ = octets_ = 0;
    latencies_us_.clear();
  }

  [[nodiscard]] nlohmann::ordered_json result(base::Time now) {
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const auto at = [this](double share) {
      if (latencies_us_.empty()) return 0.0;
      const auto last = static_cast<double>(latencies_us_.size() - 1);
      return latencies_us_[static_cast<std::size_t>(share * last)];
    };
    return {{"requests", answered_},
            {"seconds", seconds},
            {"rate", static_cast<double>(answered_) / seconds},
            {"wrong", wrong_},
            {"lost", lost_},
            {"gbit_s", static_cast<double>(octets_) * 8e-9 / seconds},
            {"p50_us", at(0.5)},
            {"p99_us", at(0.99)},
            {"connections", std::count_if(clients_.begin(), clients_.end(),
                                          [](const Client& c) { return c.ready || c.asked; })}};
  }

 private:
  static constexpr std::size_t kLatenciesMax = 1'000'000;

  void connect(std::uint32_t i, base::Time now) {
    Client& client = clients_[i];
    client = {};
    for (int tries = 0; tries < 100; ++tries) {
      const std::uint32_t n = connected_++;
      const std::uint32_t ports = kLastPort - kFirstPort;
      const base::Endpoint local{
          base::IpAddress::v4(0xc6336402 + n / ports % options_.addresses),  // 198.51.100.2
          static_cast<std::uint16_t>(kFirstPort + n % ports)};
      const auto result = transport_.connect(local, remote_, std::uint64_t{i} + 1, now);
      if (!result.ok()) continue;
      client.id = result.id;
      return;
    }
    ++lost_;
  }

  void be_ready(std::uint32_t i, base::Time now) {
    clients_[i].ready = true;
    if (options_.rate == 0) ask(i, now);
  }

  void ask(std::uint32_t i, base::Time now) {
    Client& client = clients_[i];
    client.ready = false;
    client.asked = client.headless = true;
    client.since = now;
    if (transport_.write(client.id, octets(request_), now) != request_.size()) ++wrong_;
  }

  void read(std::uint32_t i, base::Time now) {
    Client& client = clients_[i];
    if (client.asked && client.headless) {
      const std::size_t size = read_head(transport_, client.id, now, head_);
      if (size == 0) return;
      transport_.consume(client.id, size, now);
      client.headless = false;
      client.body = length_of({head_.data(), size});
    }
    while (client.body > 0) {
      const std::size_t size = std::min(client.body, transport_.readable(client.id, now).size());
      if (size == 0) return;
      transport_.consume(client.id, size, now);
      client.body -= size;
      octets_ += size;
    }
    if (client.asked && !client.headless) done(i, now);
  }

  std::size_t length_of(std::string_view head) {
    constexpr std::string_view kField = "\r\nContent-Length: ";
    std::size_t length = 0;
    const std::size_t at = head.find(kField);
    if (!head.starts_with("HTTP/1.1 200 ") || at == std::string_view::npos) {
      if (wrong_++ == 0) std::cerr << "http_wire: the first wrong answer:\n" << head;
      return 0;
    }
    std::from_chars(head.data() + at + kField.size(), head.data() + head.size(), length);
    return length;
  }

  void done(std::uint32_t i, base::Time now) {
    Client& client = clients_[i];
    client.asked = false;
    ++answered_;
    if (latencies_us_.size() < kLatenciesMax) {
      latencies_us_.push_back(
          std::chrono::duration<double, std::micro>(WireHost::now() - client.since).count());
    }
    if (!options_.fresh) return be_ready(i, now);
    transport_.release(client.id, now);
    connect(i, now);
  }

  // A connection that ended by itself.
  void lose(std::uint32_t i) {
    clients_[i] = {};
    ++lost_;
  }

  using WireHost = perf::WireHost;

  const Options& options_;
  transport::Transport& transport_;
  std::vector<Client> clients_;
  base::Endpoint remote_;
  tls::OriginSettings settings_;
  std::string request_, head_;
  base::Time begun_{};
  std::uint32_t connected_ = 0;
  std::uint64_t next_ = 0, paced_ = 0, handshakes_ = 0;
  std::uint64_t answered_ = 0, wrong_ = 0, lost_ = 0, octets_ = 0;
  std::vector<double> latencies_us_;
};

net::MacAddress station(bool server) {
  return net::MacAddress::parse(server ? "02:00:00:00:00:01" : "02:00:00:00:00:02").value();
}

nlohmann::ordered_json run(const Options& options, rte_mempool* pool) {
  const std::uint32_t connections = 4 * options.connections + 1024;
  perf::WireHost wire(connections, station(options.serve), station(!options.serve), pool);
  transport::Transport& transport = wire.transport();
  Responder responder(options, transport, connections);
  Clients clients(options, transport);
  base::Time now = perf::WireHost::now();
  const auto seconds = [](double count) {
    return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(count));
  };
  base::Time settled = now + seconds(options.settle);
  const base::Time end = settled + seconds(options.seconds);
  bool counting = false;
  if (!options.serve) clients.start(now);
  clients.begin(now);
  transport::Event event;
  while (now < end && !g_stop) {
    wire.receive(now);
    while (transport.next_event(event, now)) {
      event.user == 0 ? responder.on_event(event, now) : clients.on_event(event, now);
    }
    clients.feed(now);
    wire.send(now);
    now = perf::WireHost::now();
    if (!counting && now >= settled) {
      clients.begin(now);
      counting = true;
    }
  }
  return clients.result(now);
}

Options read_options(int count, char** words) {
  namespace po = boost::program_options;
  Options options;
  po::options_description all("http_wire [options] -- [DPDK arguments]");
  auto add = all.add_options();
  add("serve", po::bool_switch(&options.serve), "answer everything; HTTPS on port 443");
  add("address", po::value(&options.address)->default_value(options.address), "of the server");
  add("port", po::value(&options.port)->default_value(80), "");
  add("host", po::value(&options.host)->required(), "Host field, and name asked for by TLS");
  add("path", po::value(&options.path)->default_value("/"), "");
  add("connections", po::value(&options.connections)->default_value(64), "");
  add("seconds", po::value(&options.seconds)->default_value(5), "that count");
  add("settle", po::value(&options.settle)->default_value(1), "seconds before them");
  add("rate", po::value(&options.rate)->default_value(0), "requests a second, 0: a closed loop");
  add("tls", po::bool_switch(&options.tls), "TLS 1.3, the certificate unseen");
  add("fresh", po::bool_switch(&options.fresh), "a connection and handshake for each request");
  add("size", po::value(&options.size)->default_value(1024), "octets of the origin's answers");
  po::variables_map given;
  po::store(po::parse_command_line(count, words, all), given);
  po::notify(given);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  char** const dashes =
      std::find_if(argv, argv + argc, [](const char* a) { return std::strcmp(a, "--") == 0; });
  try {
    const Options options = read_options(static_cast<int>(dashes - argv), argv);
    rte_mempool* const pool =
        perf::start_port(argv[0], static_cast<int>(argv + argc - dashes), dashes);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    std::cout << run(options, pool).dump() << "\n";
    perf::stop_port();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "http_wire: " << error.what() << "\n";
    return 2;
  }
}
