// tcp_tun_peer DEVICE: the stack behind a TUN device, with a few well-known services, for tests
// against the kernel's TCP. It answers on every address that is routed into the device. Prints
// "ready".
//
//   port 7   echo: what comes goes back (transfer() from a connection to itself), FIN after FIN
//   port 9   checksum: reads up to FIN, answers with "crc32 bytes\n", closes
//   port 19  generator: reads "count\n", sends that many bytes of the pattern, closes
//   port 21  as port 9, but does not read for the first three seconds
//   port 22  aborts when the first byte comes
//   port 23  sends "hello\n" and FIN at once; then as port 9, without an answer
//   port 30  relay: reads "address port\n", connects there and passes bytes both ways; "refused\n",
//            "timeout\n" or "unreachable\n" when that fails
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/tcp/simulator.h"
#include "dataplane/tcp/stack.h"

namespace brink::tcp {
namespace {

constexpr std::size_t kPatternSize = 65536;

base::Time clock_now() {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC, &ts);
  return base::Time(std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec));
}

const std::vector<std::uint8_t>& pattern() {
  static const std::vector<std::uint8_t> bytes = [] {
    std::vector<std::uint8_t> v(kPatternSize);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
    return v;
  }();
  return bytes;
}

std::uint32_t crc32(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t v = i;
      for (int k = 0; k < 8; ++k) v = (v & 1) != 0 ? 0xedb88320U ^ (v >> 1) : v >> 1;
      t[i] = v;
    }
    return t;
  }();
  crc = ~crc;
  for (const std::uint8_t b : bytes) crc = table[(crc ^ b) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t sum16(std::span<const std::uint8_t> bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += base::load_be16(bytes.data() + i);
  if (bytes.size() % 2 != 0) sum += std::uint32_t{bytes.back()} << 8;
  return sum;
}
std::uint16_t fold(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}
std::uint32_t pseudo(const base::IpAddress& a, const base::IpAddress& b, std::size_t length) {
  const std::size_t skip = a.is_v4() ? 12 : 0;
  std::uint32_t sum = sum16(std::span(a.bytes()).subspan(skip), 6);
  sum = sum16(std::span(b.bytes()).subspan(skip), sum);
  return sum + static_cast<std::uint32_t>(length);
}

struct Session {
  std::uint16_t service = 0;
  std::uint32_t crc = 0;
  std::uint64_t received = 0;
  std::uint64_t to_generate = 0;
  std::uint64_t generated = 0;
  std::string line;
  bool line_done = false;
  bool peer_closed = false;
  base::Time read_from{};
  ConnectionId other;  // of a relay
  bool outgoing = false;
  bool connected = false;
};

std::uint64_t name_of(ConnectionId id) {
  return std::uint64_t{id.generation} << 32 | id.index;
}

class Peer {
 public:
  explicit Peer(int fd, const StackConfig& config)
      : fd_(fd), owned_(config), stack_(owned_.stack) {}
  [[noreturn]] void serve();

 private:
  void take(std::span<const std::uint8_t> packet, base::Time now);
  void put(const SegmentOut& segment);
  void on_event(const Event& event, base::Time now);
  void work(ConnectionId id, base::Time now);
  void read_line(ConnectionId id, Session& s, base::Time now);
  void checksum(ConnectionId id, Session& s, base::Time now);
  void generate(ConnectionId id, Session& s, base::Time now);
  void pass(ConnectionId id, Session& s, base::Time now);
  void dial(ConnectionId id, Session& s, base::Time now);
  void say(ConnectionId id, const std::string& text, base::Time now) {
    stack_.write(id, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, now);
  }

  int fd_;
  sim::OwnedStack owned_;
  Stack& stack_;
  std::unordered_map<std::uint64_t, Session> sessions_;
  std::uint16_t next_port_ = 20000;
};

void Peer::take(std::span<const std::uint8_t> packet, base::Time now) {
  Segment segment;
  if (packet.size() >= 40 && packet[0] >> 4 == 4) {
    const std::size_t header = (packet[0] & 15U) * 4;
    const std::size_t total = base::load_be16(packet.data() + 2);
    if (packet[9] != 6 || total > packet.size() || header + 20 > total) return;
    segment.source = base::IpAddress::v4_from_wire(packet.data() + 12);
    segment.destination = base::IpAddress::v4_from_wire(packet.data() + 16);
    segment.bytes = packet.subspan(header, total - header);
  } else if (packet.size() >= 60 && packet[0] >> 4 == 6) {
    const std::size_t length = base::load_be16(packet.data() + 4);
    if (packet[6] != 6 || length + 40 > packet.size()) return;
    segment.source = base::IpAddress::v6_from_wire(packet.data() + 8);
    segment.destination = base::IpAddress::v6_from_wire(packet.data() + 24);
    segment.bytes = packet.subspan(40, length);
  } else {
    return;
  }
  const std::uint32_t sum = pseudo(segment.source, segment.destination, segment.bytes.size());
  if (fold(sum16(segment.bytes, sum)) != 0) {
    std::fprintf(stderr, "bad checksum from the kernel\n");
    return;
  }
  stack_.receive(segment, now);
}

void Peer::put(const SegmentOut& segment) {
  std::uint8_t packet[20000] = {};
  const std::size_t tcp_size = std::size_t{segment.header_size} + segment.payload_size;
  const bool v4 = segment.source.is_v4();
  std::uint8_t* const tcp = packet + (v4 ? 20 : 40);
  if (v4) {
    packet[0] = 0x45;
    base::store_be16(packet + 2, static_cast<std::uint16_t>(20 + tcp_size));
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = 6;
    std::memcpy(packet + 12, segment.source.v4_wire(), 4);
    std::memcpy(packet + 16, segment.destination.v4_wire(), 4);
    base::store_be16(packet + 10, fold(sum16({packet, 20}, 0)));
  } else {
    packet[0] = 0x60;
    base::store_be16(packet + 4, static_cast<std::uint16_t>(tcp_size));
    packet[6] = 6;
    packet[7] = 64;
    std::memcpy(packet + 8, segment.source.bytes().data(), 16);
    std::memcpy(packet + 24, segment.destination.bytes().data(), 16);
  }
  std::memcpy(tcp, segment.header.data(), segment.header_size);
  std::size_t at = segment.header_size;
  for (unsigned i = 0; i < segment.span_count; ++i) {
    std::memcpy(tcp + at, segment.spans[i].data(), segment.spans[i].size());
    at += segment.spans[i].size();
  }
  const std::uint32_t sum = pseudo(segment.source, segment.destination, tcp_size);
  base::store_be16(tcp + 16, fold(sum16({tcp, tcp_size}, sum)));
  [[maybe_unused]] const ssize_t written = ::write(fd_, packet, (v4 ? 20 : 40) + tcp_size);
}

void Peer::on_event(const Event& event, base::Time now) {
  if (event.kind == EventKind::kAccepted) {
    Session& s = sessions_[name_of(event.id)];
    s.service = stack_.info(event.id).local.port;
    if (s.service == 21) s.read_from = now + std::chrono::seconds(3);
    if (s.service == 23) {
      say(event.id, "hello\n", now);
      stack_.close(event.id, now);
    }
  }
  const auto found = sessions_.find(name_of(event.id));
  if (found == sessions_.end()) return;
  Session& s = found->second;
  if (event.kind == EventKind::kConnected) {
    s.connected = true;
    work(s.other, now);
  }
  if (event.kind == EventKind::kPeerClosed) s.peer_closed = true;
  if (event.kind == EventKind::kClosed) {
    if (s.outgoing) {
      if (event.reason == CloseReason::kRefused) say(s.other, "refused\n", now);
      if (event.reason == CloseReason::kConnectTimeout) say(s.other, "timeout\n", now);
      if (event.reason == CloseReason::kUnreachable) say(s.other, "unreachable\n", now);
    }
    if (s.service == 30) {
      if (event.reason == CloseReason::kResetByPeer) {
        stack_.abort(s.other, now);
      } else {
        stack_.close(s.other, now);
      }
    }
    sessions_.erase(found);
    return;
  }
  work(event.id, now);
}

void Peer::work(ConnectionId id, base::Time now) {
  const auto found = sessions_.find(name_of(id));
  if (found == sessions_.end()) return;
  Session& s = found->second;
  switch (s.service) {
    case 7:
      stack_.transfer(id, id, SIZE_MAX, now);
      if (s.peer_closed && stack_.readable(id).empty()) stack_.close(id, now);
      return;
    case 19:
      generate(id, s, now);
      return;
    case 22:
      if (!stack_.readable(id).empty()) stack_.abort(id, now);
      return;
    case 30:
      pass(id, s, now);
      return;
    default:
      checksum(id, s, now);
      return;
  }
}

void Peer::read_line(ConnectionId id, Session& s, base::Time now) {
  while (!s.line_done) {
    const auto bytes = stack_.readable(id);
    if (bytes.empty()) return;
    if (bytes[0] == '\n') {
      s.line_done = true;
    } else {
      s.line.push_back(static_cast<char>(bytes[0]));
    }
    stack_.consume(id, 1, now);
  }
}

void Peer::checksum(ConnectionId id, Session& s, base::Time now) {
  if (now < s.read_from) return;
  for (auto bytes = stack_.readable(id); !bytes.empty(); bytes = stack_.readable(id)) {
    s.crc = crc32(s.crc, bytes);
    s.received += bytes.size();
    stack_.consume(id, bytes.size(), now);
  }
  if (!s.peer_closed || s.line_done) return;
  s.line_done = true;
  if (s.service != 23)
    say(id, std::to_string(s.crc) + " " + std::to_string(s.received) + "\n", now);
  stack_.close(id, now);
}

void Peer::generate(ConnectionId id, Session& s, base::Time now) {
  if (!s.line_done) {
    read_line(id, s, now);
    if (!s.line_done) return;
    s.to_generate = std::strtoull(s.line.c_str(), nullptr, 10);
  }
  while (s.generated < s.to_generate) {
    const std::size_t offset = s.generated % kPatternSize;
    const std::size_t size =
        std::min<std::uint64_t>(kPatternSize - offset, s.to_generate - s.generated);
    const std::size_t taken = stack_.write(id, std::span(pattern()).subspan(offset, size), now);
    s.generated += taken;
    if (taken < size) return;
  }
  stack_.close(id, now);
}

void Peer::dial(ConnectionId id, Session& s, base::Time now) {
  const std::size_t space = s.line.find(' ');
  const auto address = base::IpAddress::parse(s.line.substr(0, space));
  if (space == std::string::npos || !address) {
    stack_.abort(id, now);
    return;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(s.line.c_str() + space + 1));
  const base::IpAddress local = stack_.info(id).local.address;
  const auto result = stack_.connect({local, next_port_++}, {*address, port}, 0, now);
  if (!result.ok()) {
    stack_.abort(id, now);
    return;
  }
  s.other = result.id;
  Session& out = sessions_[name_of(result.id)];
  out.service = 30;
  out.outgoing = true;
  out.line_done = true;
  out.other = id;
}

void Peer::pass(ConnectionId id, Session& s, base::Time now) {
  if (!s.line_done) {
    read_line(id, s, now);
    if (s.line_done) dial(id, s, now);
    return;
  }
  // Both directions: an event of one end may unblock the other.
  for (const auto& [from, to] : {std::pair{id, s.other}, std::pair{s.other, id}}) {
    stack_.transfer(from, to, SIZE_MAX, now);
    const auto source = sessions_.find(name_of(from));
    if (source != sessions_.end() && source->second.peer_closed && stack_.readable(from).empty()) {
      stack_.close(to, now);
    }
  }
}

void Peer::serve() {
  std::vector<std::uint8_t> packet(65536);
  for (;;) {
    base::Time now = clock_now();
    base::Time deadline = stack_.next_deadline();
    for (const auto& [name, s] : sessions_) {
      if (s.read_from > now) deadline = std::min(deadline, s.read_from);
    }
    timespec wait{3600, 0};
    if (deadline != base::Time::max()) {
      const auto ns = std::max<std::int64_t>(0, (deadline - now).count());
      wait = {ns / 1'000'000'000, ns % 1'000'000'000};
    }
    pollfd p{fd_, POLLIN, 0};
    ::ppoll(&p, 1, &wait, nullptr);
    now = clock_now();
    for (unsigned i = 0; i < 64; ++i) {
      const ssize_t size = ::read(fd_, packet.data(), packet.size());
      if (size <= 0) break;
      take({packet.data(), static_cast<std::size_t>(size)}, now);
    }
    stack_.advance(now);
    Event event;
    while (stack_.next_event(event)) on_event(event, now);
    std::vector<ConnectionId> rested;
    for (auto& [name, s] : sessions_) {
      if (s.read_from == base::Time{} || s.read_from > now) continue;
      s.read_from = {};
      rested.push_back({static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(name >> 32)});
    }
    for (const ConnectionId id : rested) work(id, now);
    SegmentOut out;
    for (unsigned i = 0; i < 256 && stack_.next_segment(out, now); ++i) put(out);
  }
}

int open_tun(const char* name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ::ioctl(fd, TUNSETIFF, &request) < 0) {
    std::perror("tun");
    std::exit(1);
  }
  return fd;
}

}  // namespace
}  // namespace brink::tcp

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tcp_tun_peer DEVICE\n");
    return 2;
  }
  const int fd = brink::tcp::open_tun(argv[1]);
  brink::tcp::StackConfig config;
  config.max_connections = 4096;
  config.syn_backlog = 1024;
  config.max_time_wait = 4096;
  config.chunk_count = 16384;
  config.receive_limit = config.send_limit = 1024 * 1024;
  const int random = ::open("/dev/urandom", O_RDONLY);
  if (::read(random, config.flow_secret.bytes, 32) != 32 ||
      ::read(random, config.sequence_secret.bytes, 32) != 32) {
    return 1;
  }
  auto* peer = new brink::tcp::Peer(fd, config);
  std::puts("ready");
  std::fflush(stdout);
  peer->serve();
}
