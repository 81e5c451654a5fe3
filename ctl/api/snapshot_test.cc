// What the operator asks about the snapshot: names as the edge has them, its jobs, the history and
// the way back.
#include "ctl/api/api_fixture.h"
#include "ctl/store/history.h"
#include "dataplane/ipc/sealed_memory.h"
#include "dataplane/snapshot/transaction.h"
#include "dns/render/render.h"
#include "dns/zone/text.h"
#include "l7/render/route_blob.h"

namespace brink::ctl::api {
namespace {

using dns::zone::Wire;

Wire wire(const std::string& text) {
  return dns::zone::name_from_text(text).value();
}

std::span<const std::uint8_t> bytes(const Wire& name) {
  return {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()};
}

std::vector<std::uint8_t> bytes_of(const Wire& name) {
  return {name.begin(), name.end()};
}

// An edge that shows one name of example.com. Its transaction is made of text.
class NameTest : public ApiTest {
 protected:
  NameTest() {
    edge_ = [this](const publish::Question& question, const auto& answered) {
      EXPECT_EQ(question.type, ipc::MessageType::kShowName);
      publish::EdgeReply reply;
      reply.reason = standing_;
      reply.served_version = 12;
      if (!transaction_.empty()) {
        reply.memfd = std::move(ipc::SealedMemory::make(transaction_)).value();
        reply.size_bytes = transaction_.size();
      }
      answered(std::move(reply));
    };
  }

  dns::zone::Rrset set(std::uint16_t type, const std::vector<std::string>& data) {
    dns::zone::Rrset out{type, 300, {}};
    for (const auto& text : data) {
      out.rdata.push_back(dns::zone::rdata_from_text(type, text, apex_).value());
    }
    return out;
  }
  // The edge shows `owner` as `standing`, with these sets.
  void shows(const std::string& standing, const std::string& owner,
             const std::vector<dns::zone::Rrset>& sets, bool proxied = false) {
    standing_ = standing;
    dns::zone::Node node;
    node.owner = wire(owner);
    node.rrsets = sets;
    node.cut = standing == "delegation";
    const auto rendered =
        dns::render::render_name(apex_, node, [this](const Wire& name) {
          dns::zone::Node glue;
          glue.owner = name;
          glue.occluded = true;
          glue.add(dns::zone::kTypeA, 60, dns::zone::rdata_from_text(1, "192.0.2.53", {}).value());
          return std::optional(glue);
        }).value();
    std::vector<std::uint8_t> route;
    if (proxied) {
      l7::render::RouteSpec spec;
      spec.zone_name = "example.com";
      spec.origins = {*base::IpAddress::parse("203.0.113.10")};
      route = l7::render::render_route(spec);
    }
    const auto negative =
        dns::render::render_negative(apex_, set(6, {"ns1 host 7 1 2 3 900"})).value().blob;
    snapshot::TransactionEncoder encoder;
    ASSERT_TRUE(encoder.put_zone(bytes(apex_), {7, negative}).ok());
    ASSERT_TRUE(encoder.put_name(bytes(node.owner), {rendered, route, node.cut}).ok());
    for (const dns::zone::Rrset& denial : denials_) {
      const auto blob = dns::render::render_denial(apex_, wire(owner), denial);
      ASSERT_TRUE(encoder.put_denial(bytes(apex_), blob.value()).ok());
    }
    transaction_ = encoder.finish(0, 1, 0);
  }
  Json show(const std::string& name) { return call("GET", "/brink/v1/snapshot/name?name=" + name); }

  const Wire apex_ = wire("example.com.");
  std::string standing_;
  std::vector<std::uint8_t> transaction_;
  std::vector<dns::zone::Rrset> denials_;
};

TEST_F(NameTest, ASignedNameHasSignaturesAndWhatDeniesOtherTypes) {
  const auto with_signature = [&](dns::zone::Rrset signed_set, const std::string& type) {
    const std::string text =
        type + " 13 3 300 20300101000000 20290101000000 4711 example.com. AAAA";
    signed_set.signatures = {
        dns::zone::rdata_from_text(dns::zone::kTypeRrsig, text, apex_).value()};
    return signed_set;
  };
  denials_ = {with_signature(set(dns::zone::kTypeNsec, {"x A RRSIG NSEC"}), "NSEC")};
  shows("exact", "www.example.com.", {with_signature(set(1, {"192.0.2.1"}), "A")});
  const Json result = show("www.example.com")["result"];
  const Json& answer = result["answers"]["rrsets"][0];
  ASSERT_EQ(answer["records"].size(), 1U);
  ASSERT_EQ(answer["signatures"].size(), 1U);
  EXPECT_EQ(answer["signatures"][0]["type"], "RRSIG");
  EXPECT_TRUE(answer["signatures"][0]["data"].get<std::string>().starts_with("A 13 3 300 "));
  ASSERT_EQ(result["denials"].size(), 1U);
  EXPECT_EQ(result["denials"][0][0]["name"], "www.example.com.");
  EXPECT_EQ(result["denials"][0][0]["data"], "x.example.com. A RRSIG NSEC ");
  EXPECT_EQ(result["denials"][0][1]["type"], "RRSIG");
}

TEST_F(NameTest, AProxiedNameHasAddressesAndARoute) {
  shows("exact", "www.example.com.", {set(1, {"192.0.2.1", "192.0.2.2"})}, true);
  const Json result = show("WWW.example.com")["result"];
  EXPECT_EQ(asked_.name, bytes_of(wire("WWW.example.com.")));
  EXPECT_EQ(result["standing"], "exact");
  EXPECT_EQ(result["served_version"], 12);
  EXPECT_EQ(result["zone"]["name"], "example.com.");
  EXPECT_EQ(result["zone"]["serial"], 7);
  EXPECT_EQ(result["zone"]["negative"]["data"], "ns1.example.com. host.example.com. 7 1 2 3 900");
  const Json& owner = result["answers"];
  EXPECT_EQ(owner["name"], "www.example.com.");
  EXPECT_TRUE(owner["flags"].empty());
  ASSERT_EQ(owner["rrsets"].size(), 1U);
  EXPECT_EQ(owner["rrsets"][0]["type"], "A");
  EXPECT_EQ(owner["rrsets"][0]["records"][1]["data"], "192.0.2.2");
  EXPECT_EQ(owner["rrsets"][0]["records"][1]["ttl"], 300);
  EXPECT_TRUE(owner["rrsets"][0]["target"].is_null());
  EXPECT_EQ(owner["route"]["zone"], "example.com");
  EXPECT_EQ(owner["route"]["origins"][0]["address"], "203.0.113.10");
  EXPECT_TRUE(owner["route"]["origins"][0]["port"].is_null());
}

TEST_F(NameTest, ACutHasGlue) {
  shows("delegation", "sub.example.com.", {set(2, {"ns.sub"})});
  const Json owner = show("a.b.sub.example.com")["result"]["answers"];
  EXPECT_EQ(owner["name"], "sub.example.com.");
  EXPECT_EQ(owner["flags"], Json::array({"cut"}));
  EXPECT_EQ(owner["rrsets"][0]["records"][0]["data"], "ns.sub.example.com.");
  const Json& glue = owner["rrsets"][0]["required_additional"];
  ASSERT_EQ(glue.size(), 1U);
  EXPECT_EQ(glue[0]["name"], "ns.sub.example.com.");
  EXPECT_EQ(glue[0]["data"], "192.0.2.53");
}

TEST_F(NameTest, AWildcardAnswersUnderItsOwnName) {
  shows("wildcard", "*.example.com.", {set(5, {"www"})});
  const Json owner = show("x.example.com")["result"]["answers"];
  EXPECT_EQ(owner["flags"], Json::array({"wildcard"}));
  EXPECT_EQ(owner["rrsets"][0]["target"], "www.example.com.");
}

TEST_F(NameTest, WhatIsNotThereHasANameAbove) {
  for (const char* standing : {"nxdomain", "empty", "wildcard"}) {
    shows(standing, "example.com.", {set(2, {"ns.sub"})});
    const Json result = show("x.example.com")["result"];
    EXPECT_TRUE(result["answers"].is_null()) << standing;
    EXPECT_EQ(result["nearest_above"], "example.com.");
    EXPECT_EQ(result["zone"]["serial"], 7);
  }
  standing_ = "refused";
  transaction_.clear();
  const Json result = show("x.example.net")["result"];
  EXPECT_TRUE(result["answers"].is_null() && result["nearest_above"].is_null() &&
              result["zone"].is_null());
}

TEST_F(NameTest, WhatCannotBeReadIsRefused) {
  shows("exact", "www.example.com.", {set(1, {"192.0.2.1"})});
  transaction_[transaction_.size() - 1] ^= 1;
  EXPECT_EQ(code(show("www.example.com")), kCodeEdgeRefused);
  EXPECT_EQ(status_, 502);
  EXPECT_EQ(code(call("GET", "/brink/v1/snapshot/name")), kCodeBadParameter);
  EXPECT_EQ(code(show("a..b")), kCodeBadParameter);
}

class JobTest : public ApiTest {};

TEST_F(JobTest, TheEdgesReportIsTheAnswer) {
  edge_ = [](const publish::Question& question, const auto& answered) {
    publish::EdgeReply reply;
    reply.served_version = 9;
    reply.reason = question.type == ipc::MessageType::kVerify ? "sound" : "smaller";
    answered(std::move(reply));
  };
  EXPECT_EQ(call("POST", "/brink/v1/snapshot/verify")["result"]["report"], "sound");
  EXPECT_EQ(call("POST", "/brink/v1/snapshot/compact")["result"]["report"], "smaller");
  trusted_ = false;
  EXPECT_EQ(code(call("POST", "/brink/v1/snapshot/compact")), kCodeAuthentication);
  EXPECT_EQ(code(call("POST", "/brink/v1/snapshot/verify")), kCodeAuthentication);
}

TEST_F(JobTest, StepsOfACookieRolloverReachTheEdge) {
  publish::Question asked;
  edge_ = [&asked](const publish::Question& question, const auto& answered) {
    asked = question;
    publish::EdgeReply reply;
    reply.reason = "makes 01020304";
    answered(std::move(reply));
  };
  const std::string target = "/brink/v1/cookie-secrets";
  EXPECT_EQ(call("GET", target)["result"]["report"], "makes 01020304");
  EXPECT_EQ(asked.type, ipc::MessageType::kCookieSecrets);
  EXPECT_EQ(asked.name, std::vector<std::uint8_t>{0});
  call("POST", target, R"({"step":"drop"})");
  EXPECT_EQ(asked.name, std::vector<std::uint8_t>{4});
  call("POST", target, R"({"step":"add","secret":"000102030405060708090a0B0c0d0e0f"})");
  ASSERT_EQ(asked.name.size(), 17U);
  EXPECT_EQ(asked.name[0], 2);
  EXPECT_EQ(asked.name[12], 11);
  asked = {};
  for (const char* wrong :
       {R"({})", R"({"step":"show"})", R"({"step":"add"})", R"({"step":"add","secret":"12"})",
        R"({"step":"drop","secret":"000102030405060708090a0b0c0d0e0f"})"}) {
    call("POST", target, wrong);
    EXPECT_EQ(status_, 400) << wrong;
  }
  EXPECT_TRUE(asked.name.empty());
  trusted_ = false;
  EXPECT_EQ(code(call("POST", target, R"({"step":"reload"})")), kCodeAuthentication);
}

TEST_F(JobTest, AFaultOrAnEdgeThatIsAwayIsTold) {
  edge_ = [](const publish::Question&, const auto& answered) {
    publish::EdgeReply reply;
    reply.status = ipc::ReplyStatus::kRefused;
    reply.reason = "what is served, name 7: its hash is wrong";
    answered(std::move(reply));
  };
  const Json fault = call("POST", "/brink/v1/snapshot/verify");
  EXPECT_EQ(code(fault), kCodeEdgeRefused);
  EXPECT_NE(fault["errors"][0]["message"].get<std::string>().find("its hash is wrong"),
            std::string::npos);
  edge_ = [](const publish::Question&, const auto& answered) {
    answered(base::Error{"cannot connect", "/run/edge.sock", "start brink-edge"});
  };
  const Json away = call("POST", "/brink/v1/snapshot/verify");
  EXPECT_EQ(code(away), kCodeEdgeSilent);
  EXPECT_EQ(status_, 503);
  EXPECT_NE(away["errors"][0]["message"].get<std::string>().find("start brink-edge"),
            std::string::npos);
}

class HistoryApiTest : public ApiTest {
 protected:
  HistoryApiTest() {
    first_ = add_zone("one.test");                                       // 1
    second_ = add_zone("two.test");                                      // 2
    add(first_, R"({"type":"A","name":"a","content":"203.0.113.1"})");   // 3
    add(second_, R"({"type":"A","name":"b","content":"203.0.113.2"})");  // 4
  }
  Json history(const std::string& query = "") {
    return call("GET", "/brink/v1/snapshot/history" + query);
  }
  Json roll_back(const Json& wanted) {
    return call("POST", "/brink/v1/snapshot/rollback", wanted.dump());
  }
  std::size_t records(const std::string& zone) {
    return call("GET", zone + "/dns_records")["result"].size();
  }

  std::string first_, second_;
};

TEST_F(HistoryApiTest, VersionsAreListedNewestFirst) {
  const Json all = history()["result"];
  EXPECT_EQ(all["newest"], 4);
  EXPECT_EQ(all["oldest"], 0);
  ASSERT_EQ(all["versions"].size(), 4U);
  EXPECT_EQ(all["versions"][0]["version"], 4);
  EXPECT_EQ(all["versions"][0]["zones"][0]["name"], "two.test");
  EXPECT_EQ(all["versions"][0]["zones"][0]["added"], 1);
  EXPECT_EQ(all["versions"][3]["zones"][0]["action"], "created");
  EXPECT_EQ(history("?limit=1&before=4")["result"]["versions"][0]["version"], 3);
  EXPECT_EQ(history("?zone=One.Test.")["result"]["versions"].size(), 2U);
}

TEST_F(HistoryApiTest, WrongQuestionsAboutTheHistoryAreNamed) {
  EXPECT_EQ(code(history("?limit=none")), kCodeBadParameter);
  EXPECT_EQ(code(history("?limit=0")), kCodeBadParameter);
  EXPECT_EQ(code(history("?before=x")), kCodeBadParameter);
  EXPECT_EQ(code(history("?zone=absent.test")), kCodeNotInHistory);
  EXPECT_EQ(status_, 404);
}

TEST_F(HistoryApiTest, ARollbackIsAChangeThatSaysWhatItDid) {
  const Json done = roll_back({{"version", 2}});
  EXPECT_EQ(version_, 5U) << "awaited like any change";
  EXPECT_EQ(done["result"]["version"], 5);
  ASSERT_EQ(done["result"]["zones"].size(), 2U);
  EXPECT_EQ(done["result"]["zones"][0]["name"], "one.test");
  EXPECT_EQ(done["result"]["zones"][0]["removed"], 1);
  EXPECT_EQ(records(first_) + records(second_), 0U);
  EXPECT_EQ(roll_back({{"version", 5}})["messages"][0]["code"], kCodeNothingToDo);
  EXPECT_EQ(version_, 0U);
}

TEST_F(HistoryApiTest, ARollbackOfOneZoneLeavesTheOthers) {
  roll_back({{"version", 2}, {"zone", "two.test"}});
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(records(first_), 1U);
  EXPECT_EQ(records(second_), 0U);
}

TEST_F(HistoryApiTest, ADryRunChangesNothing) {
  const Json done = roll_back({{"version", 0}, {"dry_run", true}});
  EXPECT_EQ(version_, 0U);
  EXPECT_TRUE(done["result"]["version"].is_null());
  EXPECT_EQ(done["result"]["zones"].size(), 2U);
  EXPECT_EQ(done["result"]["zones"][0]["action"], "deleted");
  EXPECT_EQ(records(first_), 1U);
  EXPECT_EQ(store_->version(), 4U);
}

TEST_F(HistoryApiTest, ARollbackThatCannotBeIsRefused) {
  const Json above = roll_back({{"version", 9}});
  EXPECT_EQ(code(above), kCodeNotInHistory);
  EXPECT_EQ(status_, 400);
  EXPECT_NE(above["errors"][0]["message"].get<std::string>().find("from 0 to 4"),
            std::string::npos);
  EXPECT_EQ(code(roll_back({{"version", 2}, {"zone", "absent.test"}})), kCodeNotInHistory);
  EXPECT_EQ(status_, 404);
  EXPECT_EQ(code(roll_back({{"version", "2"}})), kCodeBadBody);
  EXPECT_EQ(code(roll_back({{"version", -2}})), kCodeBadBody);
  EXPECT_EQ(code(roll_back(Json::object())), kCodeBadBody);
  store::History(*store_).prune({.versions_max = 1}, {}, 100);
  EXPECT_EQ(code(roll_back({{"version", 2}})), kCodeNotInHistory);
  EXPECT_EQ(store_->version(), 4U);
  trusted_ = false;
  EXPECT_EQ(code(roll_back({{"version", 3}})), kCodeAuthentication);
}

TEST_F(HistoryApiTest, TheSnapshotIsTalliedWithoutAnEdgeToo) {
  const Json reply = call("GET", "/brink/v1/snapshot");
  EXPECT_TRUE(reply["result"]["edge"].is_null());
  EXPECT_EQ(reply["result"]["store"]["records"], 2);
  EXPECT_EQ(reply["messages"][0]["code"], kCodeNoStatistics);
}

}  // namespace
}  // namespace brink::ctl::api
