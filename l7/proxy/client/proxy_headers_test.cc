// PROXY headers: of relays in front of the edge, and of the edge's own connections to origins.
#include "l7/proxy/stage_test_world.h"
#include "l7/proxy_protocol/header.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;
using proxy_protocol::Addresses;
using proxy_protocol::Version;

std::string header_of(Version version, const Addresses& addresses) {
  std::array<std::uint8_t, proxy_protocol::kWrittenMax> out;
  const std::size_t size = proxy_protocol::write_header(version, addresses, out);
  return {reinterpret_cast<const char*>(out.data()), size};
}

const Addresses kVisitor{{ip("203.0.113.99"), 5555}, {ip("192.0.2.77"), 80}};

// ---- relays ----

class Relay : public StageFixture {
 protected:
  Relay() {
    StageConfig config;
    config.proxy_protocol_from = prefixes_;
    rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  }
  void expect_refused(const std::string& text) {
    Peer& relay = connect();
    send(relay, text);
    EXPECT_TRUE(settle_until([&] { return relay.closed; }, 200)) << text;
    EXPECT_EQ(relay.received, "");
    EXPECT_EQ(count(Counter::kDropProxyHeader), 1U);
    EXPECT_EQ(count(Counter::kHttpRequests), 0U);
    EXPECT_EQ(stage_->client_count(), 0U);
  }
  std::vector<base::IpPrefix> prefixes_ = {*base::IpPrefix::parse("198.51.100.0/24")};
};

TEST_F(Relay, ItsHeaderNamesTheVisitor) {
  for (const Version version : {Version::kV1, Version::kV2}) {
    Peer& relay = connect();
    const std::size_t n = origin_->peers.size();
    send(relay, header_of(version, kVisitor) + get("/", "Connection: close\r\n"));
    ASSERT_TRUE(receives(origin(n), "\r\n\r\n"));
    EXPECT_NE(origin(n).received.find("\r\nCF-Connecting-IP: 203.0.113.99\r\n"), std::string::npos)
        << origin(n).received;
    EXPECT_NE(origin(n).received.find("\r\nX-Forwarded-For: 203.0.113.99\r\n"), std::string::npos);
    send(origin(n), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    EXPECT_TRUE(receives(relay, "hello"));
  }
  EXPECT_EQ(count(Counter::kProxyHeaders), 2U);
}

// The first octets of the request come with the header's last; later requests have no header.
TEST_F(Relay, ItsHeaderMayComeInPieces) {
  for (const Version version : {Version::kV1, Version::kV2}) {
    Peer& relay = connect();
    const std::string text = header_of(version, kVisitor) + get("/cdn-cgi/trace");
    for (const char c : text) {
      send(relay, {c});
      turn();
    }
    EXPECT_TRUE(receives(relay, "ip=203.0.113.99\n"));
    relay.received.clear();
    send(relay, get("/cdn-cgi/trace"));
    EXPECT_TRUE(receives(relay, "ip=203.0.113.99\n"));
  }
}

TEST_F(Relay, WhatIsAppendedToItsHeaderIsSkipped) {
  std::string header = header_of(Version::kV2, kVisitor);
  const std::size_t appended = proxy_protocol::kV2SizeMax - header.size();
  header[14] = static_cast<char>((appended + 12) >> 8);
  header[15] = static_cast<char>(appended + 12);
  Peer& relay = connect();
  send(relay, header + std::string(appended / 2, 'G'));
  settle(20);
  EXPECT_EQ(count(Counter::kProxyHeaders), 0U);
  send(relay, std::string(appended - appended / 2, 'G') + get("/cdn-cgi/trace"));
  EXPECT_TRUE(receives(relay, "ip=203.0.113.99\n"));
}

TEST_F(Relay, WithoutAVisitorItSpeaksForItself) {
  for (const std::string& header :
       {std::string("PROXY UNKNOWN\r\n"), std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16),
        std::string("\r\n\r\n\0\r\nQUIT\n\x21\0\0\0", 16)}) {
    Peer& relay = connect();
    send(relay, header + get("/cdn-cgi/trace"));
    EXPECT_TRUE(receives(relay, "ip=198.51.100.7\n"));
  }
}

TEST_F(Relay, WithoutAHeaderItIsRefused) {
  expect_refused(get());
}
TEST_F(Relay, WithABrokenHeaderItIsRefused) {
  expect_refused("PROXY TCP4 203.0.113.99 192.0.2.77 5555 99999\r\n" + get());
}
TEST_F(Relay, ThatEndsWithinItsHeaderIsGivenUp) {
  Peer& relay = connect();
  send(relay, "PROXY TCP4 203.0.113.99");
  relay.close_when_sent = true;
  pass(StageConfig{}.handshake_timeout + seconds(1));
  EXPECT_TRUE(relay.closed);
  EXPECT_EQ(count(Counter::kDropProxyHeader), 1U);
  EXPECT_EQ(stage_->client_count(), 0U);
}

TEST_F(Relay, ThatIsSilentIsGivenUp) {
  Peer& relay = connect();
  send(relay, "PROXY ");
  pass(StageConfig{}.handshake_timeout + seconds(1));
  EXPECT_TRUE(relay.closed);
  EXPECT_EQ(count(Counter::kDropProxyHeader), 1U);
  EXPECT_EQ(stage_->client_count(), 0U);
}

TEST_F(Relay, OthersAreNotBelieved) {
  prefixes_[0] = *base::IpPrefix::parse("198.51.100.8");
  Peer& client = connect();
  send(client, header_of(Version::kV1, kVisitor) + get("/cdn-cgi/trace"));
  EXPECT_TRUE(receives(client, "HTTP/1.1 400 "));
  Peer& other = connect();
  send(other, get("/cdn-cgi/trace"));
  EXPECT_TRUE(receives(other, "ip=198.51.100.7\n"));
  EXPECT_EQ(count(Counter::kProxyHeaders) + count(Counter::kDropProxyHeader), 0U);
}

// ---- origins ----

class Announced : public StageFixture {
 protected:
  void announce(route::OriginProxy how) {
    route::SettingsLayout settings;
    settings.origin_proxy = how;
    image_ = make_image(settings);
  }
  static std::string header(Version version, const Peer& client) {
    return header_of(version, {client.local, {ip("192.0.2.1"), 80}});
  }
  // Asks, and has the n-th origin connection answer `body`.
  void ask(Peer& client, std::size_t n, const std::string& body) {
    send(client, get("/" + body));
    ASSERT_TRUE(receives(origin(n), "GET /" + body + " "));
    send(origin(n), ok(body));
    ASSERT_TRUE(receives(client, "\r\n\r\n" + body));
  }
};

TEST_F(Announced, AConnectionBeginsWithItsHeaderAndHasNoOther) {
  for (const auto& [how, version] : {std::pair{route::OriginProxy::kV1, Version::kV1},
                                     std::pair{route::OriginProxy::kV2, Version::kV2}}) {
    announce(how);
    Peer& client = connect();
    const std::size_t n = origin_->peers.size();
    ask(client, n, "one");
    EXPECT_EQ(origin(n).received.find(header(version, client) + "GET /one "), 0U);
    ask(client, n, "two");
    EXPECT_EQ(origin(n).received.rfind(header(version, client)), 0U);
    EXPECT_EQ(origin_->peers.size(), n + 1);
  }
}

TEST_F(Announced, ClientsShareNoConnection) {
  announce(route::OriginProxy::kV2);
  Peer& one = connect();
  Peer& two = connect();
  ask(one, 0, "one");
  ask(two, 1, "two");
  ask(one, 0, "three");
  EXPECT_EQ(origin(1).received.find(header(Version::kV2, two)), 0U);
  EXPECT_EQ(origin_->peers.size(), 2U);
}

TEST_F(Announced, ItsConnectionsEndWithTheClient) {
  announce(route::OriginProxy::kV1);
  Peer& one = connect();
  Peer& two = connect();
  ask(one, 0, "one");
  ask(two, 1, "two");
  EXPECT_EQ(stage_->idle_origin_count(), 2U);
  one.close_when_sent = true;
  settle(50);
  EXPECT_TRUE(origin(0).peer_closed);
  EXPECT_EQ(stage_->idle_origin_count(), 1U);
  ask(two, 1, "three");
}

TEST_F(Announced, ZonesWithoutTheSettingShareAsBefore) {
  announce(route::OriginProxy::kOff);
  ask(connect(), 0, "one");
  ask(connect(), 0, "two");
  EXPECT_EQ(origin(0).received.find("GET /one "), 0U);
}

TEST_F(Announced, TheVisitorThatARelayNamedIsPassedOn) {
  const base::IpPrefix everybody[] = {*base::IpPrefix::parse("198.51.100.0/24")};
  StageConfig config;
  config.proxy_protocol_from = everybody;
  rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  announce(route::OriginProxy::kV1);
  Peer& relay = connect();
  send(relay, header_of(Version::kV2, kVisitor) + get());
  ASSERT_TRUE(receives(origin(0), "GET / "));
  EXPECT_EQ(origin(0).received.find("PROXY TCP4 203.0.113.99 192.0.2.77 5555 80\r\nGET / "), 0U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
