// The check of a delegation as the API shows it, and what an operator may say against it.
#include "ctl/api/api_fixture.h"
#include "ctl/store/activation.h"

namespace brink::ctl::api {
namespace {

class ActivationApiTest : public ApiTest {
 protected:
  ActivationApiTest() {
    service_->check_activation = [this](const model::Zone& zone, const CheckedActivation& done) {
      ++checks_;
      done(is_gone_ ? std::nullopt : std::optional(ActivationState{zone, activation_}));
    };
    service_->resolver_status = [](const auto& done) {
      resolve::ResolverStatus status;
      resolve::NameStatus name;
      name.resolved.name = model::DomainName::parse("shop.example.net").value();
      name.resolved.addresses = {*base::IpAddress::parse("203.0.113.9")};
      name.refused = {*base::IpAddress::parse("127.0.0.1")};
      name.state = resolve::NameState::kStale;
      name.problem = "Timeout";
      status.names.push_back(name);
      status.counters.addresses_refused = 3;
      done(status);
    };
  }
  model::Activation activation_;
  bool is_gone_ = false;
  int checks_ = 0;
};

TEST_F(ActivationApiTest, ACheckAnswersWithStatusAndFinding) {
  const std::string zone = add_zone("example.com");
  activation_.result = "the parent does not delegate the zone";
  activation_.failures = 2;
  const Json checked = call("PUT", zone + "/activation_check");
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(checked["result"]["status"], "pending");
  EXPECT_EQ(checked["result"]["activation"]["result"], activation_.result);
  EXPECT_EQ(checked["result"]["activation"]["failures"], 2);
  EXPECT_EQ(checks_, 1);
  is_gone_ = true;
  call("PUT", zone + "/activation_check");
  EXPECT_EQ(status_, 404);
}

TEST_F(ActivationApiTest, AnOperatorVouchesForAZone) {
  const std::string zone = add_zone("example.com");
  const std::string own = "/brink/v1" + zone.substr(10);
  EXPECT_EQ(call("GET", own + "/activation")["result"]["activation"]["forced"], false);
  call("POST", own + "/activate");
  const Json state = call("GET", own + "/activation");
  EXPECT_EQ(state["result"]["activation"]["forced"], true);
  EXPECT_EQ(state["result"]["status"], "active");
  EXPECT_TRUE(state["result"]["activation"]["checked_on"].is_null());
}

TEST_F(ActivationApiTest, ShowsNamesOutsideAndWhatWasRefused) {
  const Json status = call("GET", "/brink/v1/resolver");
  const Json& name = status["result"]["names"][0];
  EXPECT_EQ(name["name"], "shop.example.net");
  EXPECT_EQ(name["state"], "stale");
  EXPECT_EQ(name["addresses"], Json::array({"203.0.113.9"}));
  EXPECT_EQ(name["refused"], Json::array({"127.0.0.1"}));
  EXPECT_EQ(status["result"]["counters"]["addresses_refused"], 3);
}

}  // namespace
}  // namespace brink::ctl::api
