#include <gtest/gtest.h>

#include <cstring>

#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/image.h"
#include "l7/render/route_blob.h"
#include "l7/route/lookup.h"
#include "l7/route/route.h"

namespace brink::l7 {
namespace {

using render::render_route;
using render::RouteSpec;
using route::RouteError;
using route::RouteView;
using Bytes = std::vector<std::uint8_t>;

base::IpAddress ip(const char* text) {
  return *base::IpAddress::parse(text);
}

RouteSpec spec() {
  RouteSpec out;
  out.zone_name = "Example.COM.";
  out.origins = {ip("192.0.2.10"), ip("2001:db8::10")};
  return out;
}

TEST(RouteBlob, RoundTrips) {
  const Bytes blob = render_route(spec());
  EXPECT_EQ(blob.size() % 8, 0U);
  RouteView view;
  ASSERT_EQ(view.open(blob), RouteError::none);
  EXPECT_EQ(view.zone_name(), "example.com");
  ASSERT_EQ(view.origin_count(), 2U);
  EXPECT_EQ(view.origin(0), (base::Endpoint{ip("192.0.2.10"), 0}));
  EXPECT_EQ(view.origin(1), (base::Endpoint{ip("2001:db8::10"), 0}));
  EXPECT_EQ(view.connect_timeout(), std::chrono::seconds(19));
  EXPECT_EQ(view.ack_timeout(), std::chrono::seconds(90));
  EXPECT_EQ(view.read_timeout(), std::chrono::seconds(120));
  route::RouteCopy copy;
  view.copy_to(copy);
  EXPECT_EQ(copy.zone_name(), "example.com");
  EXPECT_EQ(copy.origin_count, 2);
  EXPECT_EQ(copy.origins[1].address, ip("2001:db8::10"));
}

TEST(RouteBlob, IsDeterministicAndCarriesThePortOverride) {
  RouteSpec s = spec();
  s.origin_port = 8081;
  EXPECT_EQ(render_route(s), render_route(s));
  const Bytes blob = render_route(s);
  RouteView view;
  ASSERT_EQ(view.open(blob), RouteError::none);
  EXPECT_EQ(view.origin(1).port, 8081);
}

TEST(RouteBlob, CarriesWhatTheCnameLeadsTo) {
  RouteSpec s = spec();
  RouteView view;
  const Bytes without = render_route(s);
  ASSERT_EQ(view.open(without), RouteError::none);
  EXPECT_EQ(view.target_name(), "");
  s.target_name = "Origin.Example.NET.";
  const Bytes with = render_route(s);
  ASSERT_EQ(view.open(with), RouteError::none);
  EXPECT_EQ(view.target_name(), "origin.example.net");
  EXPECT_EQ(view.zone_name(), "example.com");
  route::RouteCopy copy;
  view.copy_to(copy);
  EXPECT_EQ(copy.target_name(), "origin.example.net");
  s.target_name = "no host\\.example";
  EXPECT_EQ(render_route(s), without);
}

TEST(RouteBlob, OriginsBeyondTheLimitAreLeftOutAndNoneIsAllowed) {
  RouteSpec s = spec();
  s.origins.assign(40, ip("192.0.2.1"));
  RouteView view;
  const Bytes many = render_route(s);
  ASSERT_EQ(view.open(many), RouteError::none);
  EXPECT_EQ(view.origin_count(), route::kMaxOrigins);
  s.origins.clear();
  const Bytes none = render_route(s);
  ASSERT_EQ(view.open(none), RouteError::none);
  EXPECT_EQ(view.origin_count(), 0U);
}

TEST(RouteBlob, IsReadBackFromAnywhere) {
  RouteSpec s = spec();
  s.origin_port = 8081;
  Bytes blob = render_route(s);
  blob.insert(blob.begin(), 0);  // misaligned
  const auto read = render::read_route(std::span(blob).subspan(1));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read.value().zone_name, "example.com");
  ASSERT_EQ(read.value().origins.size(), 2U);
  EXPECT_EQ(read.value().origins[1], (base::Endpoint{ip("2001:db8::10"), 8081}));
  EXPECT_EQ(read.value().read_timeout_ms, 120'000U);
  const auto refused = render::read_route(blob);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("bad_magic"), std::string::npos);
}

template <typename T>
Bytes changed(Bytes blob, std::size_t at, T value) {
  std::memcpy(blob.data() + at, &value, sizeof value);
  return blob;
}

TEST(RouteBlob, RefusesEveryKindOfDamageWithItsReason) {
  const Bytes good = render_route(spec());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(route::verify_route(std::span(good).first(size)), RouteError::none) << size;
  }
  using enum RouteError;
  EXPECT_EQ(route::verify_route(changed<std::uint32_t>(good, 0, 1)), bad_magic);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 4, 1)), bad_version);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 6, 1)), unknown_flags);
  EXPECT_EQ(route::verify_route(changed<std::uint32_t>(good, 8, 1 << 20)), truncated);
  EXPECT_EQ(route::verify_route(changed<std::uint32_t>(good, 8, 32)), bad_size);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 12, 17)), too_many_origins);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 12, 3)), bad_size);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 14, 0)), bad_zone_name);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 14, 60000)), bad_zone_name);
  EXPECT_EQ(route::verify_route(changed<std::uint32_t>(good, 24, 0)), bad_timeout);
  EXPECT_EQ(route::verify_route(changed<std::uint32_t>(good, 16, 0xffffffff)), bad_timeout);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 30, 254)), bad_target_name);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 30, 200)), bad_size);
  EXPECT_EQ(route::verify_route(changed<std::uint16_t>(good, 32 + 18, 1)), reserved_not_zero);
  EXPECT_EQ(route::verify_route(changed<char>(good, 32 + 48, 'E')), bad_zone_name);
  EXPECT_EQ(route::verify_route(changed<char>(good, 32 + 48, '\r')), bad_zone_name);
  const Bytes shifted = [&] {
    Bytes b(1);
    b.insert(b.end(), good.begin(), good.end());
    return b;
  }();
  EXPECT_EQ(route::verify_route(std::span(shifted).subspan(1)), misaligned);
}

TEST(RouteBlob, NoSingleByteChangeReadsOutOfBounds) {
  const Bytes good = render_route(spec());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      const Bytes bad = changed<std::uint8_t>(good, at, static_cast<std::uint8_t>(value));
      RouteView view;
      if (view.open(bad) != RouteError::none) continue;
      route::RouteCopy copy;
      view.copy_to(copy);
      EXPECT_LE(copy.origin_count, route::kMaxOrigins);
    }
  }
}

Bytes wire(const std::string& text) {
  Bytes out;
  std::size_t start = 0;
  while (start < text.size()) {
    std::size_t dot = text.find('.', start);
    if (dot == std::string::npos) dot = text.size();
    out.push_back(static_cast<std::uint8_t>(dot - start));
    out.insert(out.end(), text.begin() + start, text.begin() + dot);
    start = dot + 1;
  }
  out.push_back(0);
  return out;
}

// An RRset of one A record in the snapshot's blob form.
Bytes a_blob() {
  snapshot::BlobHeader header{};
  header.body_size = 16;
  header.body_count = 1;
  Bytes out(sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  for (const int b : {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1}) {
    out.push_back(static_cast<std::uint8_t>(b));
  }
  return out;
}

class RouteLookup : public ::testing::Test {
 protected:
  RouteLookup() {
    const base::HashKey key{};
    snapshot::Builder builder(key);
    EXPECT_TRUE(builder.put_zone(wire("example.com"), {1, a_blob()}).ok());
    EXPECT_TRUE(builder.put_name(wire("example.com"), {}).ok());
    const snapshot::Rrset address{1, a_blob()};
    const auto add = [&](const std::string& name, const Bytes& blob) {
      const auto added =
          builder.put_name(wire(name), {std::span(&address, 1), blob, false, false});
      EXPECT_TRUE(added.ok());
    };
    add("www.example.com", render_route(spec()));
    add("mail.example.com", {});
    add("*.apps.example.com", render_route(spec()));
    add("dns.apps.example.com", {});
    auto built = builder.finish(1, 0);
    EXPECT_TRUE(built.ok()) << built.error().message();
    image_ = std::move(built.value());
  }
  route::RouteVerdict find(std::string_view host) {
    return route::find_route(image_.view(), host, view_);
  }
  snapshot::Image image_;
  RouteView view_;
};

TEST_F(RouteLookup, FindsProxiedNamesOnly) {
  using enum route::RouteVerdict;
  EXPECT_EQ(find("www.example.com"), found);
  EXPECT_EQ(view_.zone_name(), "example.com");
  EXPECT_EQ(find("mail.example.com"), not_proxied);
  EXPECT_EQ(find("nope.example.com"), unknown_host);
  EXPECT_EQ(find("other.example"), unknown_host);
  EXPECT_EQ(find("apps.example.com"), not_proxied) << "an empty non-terminal is a name";
}

TEST_F(RouteLookup, WildcardCoversMissingNamesAtAnyDepthButNotExistingOnes) {
  using enum route::RouteVerdict;
  EXPECT_EQ(find("x.apps.example.com"), found);
  EXPECT_EQ(find("y.x.apps.example.com"), found);
  EXPECT_EQ(find("dns.apps.example.com"), not_proxied);
  EXPECT_EQ(find("x.dns.apps.example.com"), unknown_host);
}

}  // namespace
}  // namespace brink::l7
