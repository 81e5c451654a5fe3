// How often callers may ask.
#include "ctl/api/access_fixture.h"

namespace brink::ctl::api {
namespace {

using enum identity::Permission;
using Kind = identity::Resource::Kind;

class LimitTest : public AccessTest {
 protected:
  LimitTest() {
    settings_.user_limit = {4, std::chrono::seconds(4)};
    settings_.address_limit = {10, std::chrono::seconds(1)};
    settings_.failure_limit = {2, std::chrono::seconds(20)};
    limit();
    add_token("a", home_, set_of({kZoneRead}), {{Kind::kAllZones, {}}});
    add_token("b", home_, set_of({kZoneRead}), {{Kind::kAllZones, {}}});
  }
  void limit() {
    service_->limits.users = identity::RateLimiter(settings_.user_limit, 100);
    service_->limits.addresses = identity::RateLimiter(settings_.address_limit, 100);
    service_->limits.failures = identity::RateLimiter(settings_.failure_limit, 100);
    service_->limits.clock = [this] { return time_; };
  }
  int get(const std::string& path = "/client/v4/zones") {
    call("GET", path);
    return status_;
  }

  identity::RateLimiter::Time time_{};
};

TEST_F(LimitTest, AUserIsLimitedAndToldHow) {
  with_token("a");
  for (int left = 3; left >= 0; --left) {
    EXPECT_EQ(get(), 200);
    EXPECT_EQ(headers_["x-ratelimit-limit"], "4");
    EXPECT_EQ(headers_["x-ratelimit-remaining"], std::to_string(left));
    EXPECT_EQ(headers_.count("retry-after"), 0U);
  }
  EXPECT_EQ(get(), 429);
  EXPECT_EQ(headers_["retry-after"], "1");
  EXPECT_EQ(headers_["x-ratelimit-remaining"], "0");
  EXPECT_EQ(headers_["x-ratelimit-reset"], "4");
  with_token("b");
  EXPECT_EQ(get(), 200) << "others go on";
  with_token("a");
  time_ += std::chrono::milliseconds(1001);
  EXPECT_EQ(get(), 200);
  EXPECT_EQ(get(), 429);
}

TEST_F(LimitTest, AnAddressIsLimitedWhoeverItSaysItIs) {
  over_tcp({});
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(get(i % 2 == 0 ? "/client/v4/ips" : "/nowhere"), i % 2 == 0 ? 200 : 404);
  EXPECT_EQ(get("/client/v4/ips"), 429);
  EXPECT_EQ(headers_["retry-after"], "1");
  peer_ = *base::IpAddress::parse("198.51.100.8");
  EXPECT_EQ(get("/client/v4/ips"), 200);
  peer_ = *base::IpAddress::parse("2001:db8::1");
  for (int i = 0; i < 10; ++i) get("/client/v4/ips");
  peer_ = *base::IpAddress::parse("2001:db8::ffff:1");
  EXPECT_EQ(get("/client/v4/ips"), 429) << "of the same /64";
  peer_ = *base::IpAddress::parse("2001:db8:0:1::1");
  EXPECT_EQ(get("/client/v4/ips"), 200);
}

TEST_F(LimitTest, WrongCredentialsAreLimitedHarder) {
  with_token("wrong");
  EXPECT_EQ(get(), 403);
  over_tcp({{}, {"user@example.com"}, {"wrong"}});
  EXPECT_EQ(get(), 403);
  EXPECT_EQ(get(), 429);
  EXPECT_EQ(headers_["retry-after"], "10");
  with_token("a");
  EXPECT_EQ(get(), 429) << "a right guess is not told either";
  peer_ = *base::IpAddress::parse("198.51.100.8");
  EXPECT_EQ(get(), 200);
  peer_ = *base::IpAddress::parse("198.51.100.7");
  time_ += std::chrono::milliseconds(10'001);
  EXPECT_EQ(get(), 200);
}

TEST_F(LimitTest, AskingWithoutCredentialsIsNoGuess) {
  over_tcp({});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(), 403);
  with_token("a");
  EXPECT_EQ(get(), 200);
}

TEST_F(LimitTest, TheSocketIsExempt) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get(), 200);
  EXPECT_TRUE(headers_.empty());
}

}  // namespace
}  // namespace brink::ctl::api
