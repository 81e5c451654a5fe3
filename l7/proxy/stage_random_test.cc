// Random traffic over a lossy wire with small buffers. A seed is printed with every failure; run
// one again with BRINK_SEED=<n>.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

// What one side has still to parse of the other's byte stream: messages one after the other.
struct Message {
  std::string head;
  std::string body;
};

class RandomTraffic : public StageFixture {
 protected:
  std::uint32_t pick(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  std::string random_body() {
    std::string body(pick(4) == 0 ? pick(30'000) : pick(300), '\0');
    for (char& c : body) c = static_cast<char>(random_());
    return body;
  }
  // `body` under a framing that the random source chooses, with the field that says so.
  std::string framed(const std::string& start, const std::string& body) {
    if (pick(2) == 0) {
      return start + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    std::string out = start + "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t n = std::min<std::size_t>(1 + pick(5000), body.size() - at);
      char size[32];
      std::snprintf(size, sizeof size, "%zx%s\r\n", n, pick(8) == 0 ? ";x=y" : "");
      out += size + body.substr(at, n) + "\r\n";
      at += n;
    }
    return out + (pick(8) == 0 ? "0\r\nX-Trailer: z\r\n\r\n" : "0\r\n\r\n");
  }

  // Takes one whole message off the front of `wire`; false when it is not whole yet.
  static bool take_message(std::string& wire, Message& out) {
    const std::size_t end = wire.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    out.head = wire.substr(0, end + 4);
    out.body.clear();
    std::string_view rest = std::string_view(wire).substr(end + 4);
    const std::size_t length_at = out.head.find("Content-Length: ");
    if (length_at != std::string::npos) {
      const std::size_t length = std::strtoull(out.head.c_str() + length_at + 16, nullptr, 10);
      if (rest.size() < length) return false;
      out.body = rest.substr(0, length);
      rest.remove_prefix(length);
    } else if (out.head.find("Transfer-Encoding: chunked") != std::string::npos) {
      http1::ChunkDecoder decoder;
      while (!decoder.done()) {
        rest.remove_prefix(decoder.take_framing(rest));
        EXPECT_FALSE(decoder.failed());
        if (decoder.failed()) return false;
        const std::size_t n = std::min<std::uint64_t>(decoder.body_due(), rest.size());
        out.body.append(rest.substr(0, n));
        decoder.take_body(n);
        rest.remove_prefix(n);
        if (rest.empty() && !decoder.done()) return false;
      }
    }
    wire.erase(0, wire.size() - rest.size());
    return true;
  }

  static std::string field(const std::string& head, const std::string& name) {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }

  void seed(std::uint32_t value) {
    seed_ = value;
    random_.seed(value);
    tcp::StackConfig edge = stack_config(2048 + pick(30'000));
    tcp::StackConfig peers = stack_config(2048 + pick(30'000));
    config_.random_seed = value;
    rebuild(config_, edge, peers);
    loss_percent_ = pick(3) * 2;
  }

  std::mt19937 random_;
  std::uint32_t seed_ = 0;
  StageConfig config_;
};

std::vector<std::uint32_t> seeds(std::uint32_t count) {
  if (const char* one = std::getenv("BRINK_SEED")) {
    return {static_cast<std::uint32_t>(std::strtoul(one, nullptr, 10))};
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 1; i <= count; ++i) out.push_back(i);
  return out;
}

// Origins echo the request's body and number; every client must get exactly its own back, in order.
TEST_F(RandomTraffic, EveryBodyArrivesWholeAndWithItsOwnClient) {
  for (const std::uint32_t s : seeds(12)) {
    SCOPED_TRACE("seed " + std::to_string(s));
    seed(s);
    on_turn_ = [&] {
      for (auto& peer : origin_->peers) {
        Message request;
        while (take_message(peer->received, request)) {
          send(*peer,
               framed("HTTP/1.1 200 OK\r\nX-Number: " + field(request.head, "X-Number") + "\r\n",
                      request.body));
        }
      }
    };
    struct Script {
      Peer* peer;
      std::vector<std::string> bodies;
      std::size_t answered = 0;
    };
    std::vector<Script> scripts;
    for (int c = 0; c < 4; ++c) {
      Script script{&connect(), {}, 0};
      for (int r = 0; r < 5; ++r) {
        script.bodies.push_back(random_body());
        send(*script.peer, framed("POST /" + std::to_string(r) +
                                      " HTTP/1.1\r\nHost: one.example.com\r\nX-Number: " +
                                      std::to_string(c * 100 + r) + "\r\n",
                                  script.bodies.back()));
      }
      scripts.push_back(std::move(script));
    }
    const bool done = settle_until(
        [&] {
          bool all = true;
          for (std::size_t c = 0; c < scripts.size(); ++c) {
            Script& script = scripts[c];
            Message response;
            while (script.answered < script.bodies.size() &&
                   take_message(script.peer->received, response)) {
              EXPECT_EQ(field(response.head, "X-Number"),
                        std::to_string(c * 100 + script.answered));
              EXPECT_TRUE(response.body == script.bodies[script.answered]);
              ++script.answered;
            }
            all &= script.answered == script.bodies.size();
          }
          return all;
        },
        200'000);
    ASSERT_TRUE(done);
    settle(50);
    EXPECT_EQ(stage_->exchange_count(), 0U);
    on_turn_ = nullptr;
  }
}

// Peers that misbehave at random: whatever they do, every slot comes back and a well-behaved client
// is served afterwards, within limits that a count that is not taken back would exceed.
TEST_F(RandomTraffic, NoMisbehaviourLeaksASlotOrStopsTheService) {
  config_.source_v6 = ip("2001:db8:e::2");
  config_.race_delay = milliseconds(20);
  config_.origin_limits = {.connections = 24, .requests = 16, .pending = 12};
  const std::string fragments[] = {
      get("/a"),
      get("/b", "Connection: close\r\n"),
      "POST /c HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 50\r\n\r\nonly a part",
      "POST /d HTTP/1.1\r\nHost: www.example.com\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nhello\r\n",
      "0\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: www.example.com\r\n\r\n",
      "HEAD /e HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
      get("/both", "", "both.example.com"),
      "GARBAGE\r\n\r\n",
      "GET /f HTTP/1.1\r\nHost: unknown.example.com\r\n\r\n",
      "GET /cdn-cgi/trace HTTP/1.1\r\nHost: one.example.com\r\n\r\n",
      "\r\n",
      std::string(3000, 'z'),
  };
  const std::string answers[] = {
      ok("fine"),
      ok(std::string(20'000, 'y')),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "0\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\nuntil close",
      "HTTP/1.1 103 Early Hints\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "nonsense",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
  };
  for (const std::uint32_t s : seeds(40)) {
    SCOPED_TRACE("seed " + std::to_string(s));
    seed(s);
    const auto misbehave = [&](Host& host, std::span<const std::string> words) {
      for (auto& peer : host.peers) {
        if (peer->closed || !peer->connected || pick(20) != 0) continue;
        switch (pick(12)) {
          case 0:
            host.stack.abort(peer->id, now_);
            break;
          case 1:
            peer->close_when_sent = true;
            break;
          case 2:
            peer->reading = !peer->reading;
            break;
          default:
            if (!peer->close_when_sent)
              peer->to_send += words[pick(static_cast<std::uint32_t>(words.size()))];
        }
      }
    };
    on_turn_ = [&] {
      misbehave(*client_, fragments);
      misbehave(*origin_, answers);
      if (pick(40) == 0) {
        const auto toggle = [&](std::set<base::IpAddress>& set) {
          if (!set.erase(ip("203.0.113.1"))) set.insert(ip("203.0.113.1"));
        };
        toggle(pick(2) == 0 ? refusing_ : unreachable_);
        if (pick(2) == 0) toggle(swallowed_);
      }
    };
    for (int i = 0; i < 300; ++i) {
      if (i % 10 == 0) {
        client_->open({ip("198.51.100.7"), static_cast<std::uint16_t>(40000 + next_port_++)},
                      {ip("192.0.2.1"), 80}, now_);
      }
      settle(3);
      if (pick(50) == 0) pass(seconds(1 + pick(40)));
    }
    on_turn_ = nullptr;
    loss_percent_ = 0;
    refusing_.clear();
    unreachable_.clear();
    swallowed_.clear();
    for (Host* host : {client_.get(), origin_.get()}) {
      for (auto& peer : host->peers) {
        if (peer->closed) continue;
        host->stack.abort(peer->id, now_);
      }
    }
    pass(seconds(450));
    EXPECT_EQ(stage_->client_count(), 0U);
    EXPECT_EQ(stage_->exchange_count(), 0U);
    EXPECT_EQ(stage_->origin_count(), 0U);
    EXPECT_EQ(edge_->connection_count(), 0U);
    Peer& client = connect();
    const std::size_t n = origin_->peers.size();
    send(client, get("/after"));
    ASSERT_TRUE(receives(origin(n), "GET /after "));
    send(origin(n), ok("recovered"));
    EXPECT_TRUE(receives(client, "\r\n\r\nrecovered"));
    if (HasFailure()) return;
  }
  if (std::getenv("BRINK_SEED") != nullptr) return;
  // The chaos must really have met the paths it is for.
  using ipc::Counter;
  for (const Counter counter :
       {Counter::kHttpRequests, Counter::kHttpResponses, Counter::kHttpBadRequests,
        Counter::kHttpUnknownHost, Counter::kHttpOriginRetries, Counter::kHttpOriginReused,
        Counter::kHttpClientAborts, Counter::kHttpOriginMalformed, Counter::kHttpOriginRefused,
        Counter::kHttpOriginUnreachable, Counter::kHttpTruncated, Counter::kHttpOriginRaces,
        Counter::kHttpOriginRacesWon, Counter::kHttpOriginEjections,
        Counter::kHttpOriginEjected}) {
    EXPECT_GE(count(counter), 5U) << ipc::kCounterInfo[static_cast<std::size_t>(counter)].name;
  }
}

}  // namespace
}  // namespace brink::l7::proxy::testing
