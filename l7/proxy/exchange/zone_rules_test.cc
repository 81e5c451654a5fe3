// Rules of a zone on the way of a request: blocked, changed towards the origin, changed on the way
// back.
#include "l7/proxy/stage_test_world.h"
#include "l7/render/rules_blob.h"
#include "l7/route/rules_view.h"
#include "l7/route/table_key.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;
using render::RulesWriter;
using route::ChangeKind;
using route::Comparison;
using route::RuleField;
using route::RulePhase;
using route::StepKind;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class StageRules : public FailureFixture {
 protected:
  // Serves "one" of example.com again, with these rules.
  void serve(std::vector<RulesWriter*> phases) {
    snapshot::Builder builder{base::HashKey{}};
    EXPECT_TRUE(builder.put_zone(test::wire_name("example.com"), {1, address_blob()}).ok());
    EXPECT_TRUE(builder.put_name(test::wire_name("example.com"), {}).ok());
    render::RouteSpec spec;
    spec.zone_name = "example.com";
    spec.origins = {ip("203.0.113.1")};
    const snapshot::Rrset address{1, address_blob()};
    const Bytes route = render::render_route(spec);
    const snapshot::NameContents contents{std::span(&address, 1), route, false, false};
    EXPECT_TRUE(builder.put_name(test::wire_name("one.example.com"), contents).ok());
    for (RulesWriter* writer : phases) {
      auto blob = writer->finish();
      ASSERT_TRUE(blob.ok());
      if (damaged_) blob.value()[0] ^= 1;
      const auto view = route::RulesView::open(blob.value());
      const RulePhase phase = view ? view->phase() : RulePhase::kFirewall;
      EXPECT_TRUE(builder.put_value(route::rules_key(phase).octets(), blob.value()).ok());
    }
    auto image = builder.finish(1, 0);
    ASSERT_TRUE(image.ok());
    image_.emplace(std::move(image).value());
  }
  static route::ProgramRef always(RulesWriter& writer) {
    return writer.program([&] { writer.flag(true); });
  }
  static route::ProgramRef path_is(RulesWriter& writer, std::string_view path) {
    return writer.program([&] {
      writer.field(RuleField::kPath);
      writer.compare(Comparison::kEqual, path);
    });
  }

  bool damaged_ = false;
};

TEST_F(StageRules, ABlockedRequestNeverReachesTheOrigin) {
  RulesWriter firewall(RulePhase::kFirewall);
  firewall.add_block(path_is(firewall, "/secret"), {});
  serve({&firewall});
  Peer& client = connect();
  send(client, get("/secret"));
  expect_error(client, 403, 1020);
  EXPECT_EQ(count(Counter::kHttpBlocked), 1U);
  EXPECT_TRUE(origin_->peers.empty());
  client.received.clear();
  send(client, get("/open"));
  Peer& o = origin(0);
  send(o, ok("hello"));
  EXPECT_TRUE(receives(client, "\r\n\r\nhello")) << "the connection goes on";
  expect_clean();
}

TEST_F(StageRules, ABlockedRequestGetsTheAnswerOfItsRule) {
  RulesWriter firewall(RulePhase::kFirewall);
  firewall.add_block(always(firewall), {451, route::BlockContent::kJson, "{\"blocked\":true}"});
  serve({&firewall});
  Peer& client = connect();
  send(client, "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(receives(client, "\r\n\r\n{\"blocked\":true}"));
  EXPECT_TRUE(has(client.received, "HTTP/1.1 451 Unavailable For Legal Reasons\r\n"));
  EXPECT_TRUE(has(client.received, "\r\nContent-Type: application/json\r\n"));
  EXPECT_TRUE(has(client.received, "\r\nContent-Length: 16\r\n"));
  EXPECT_TRUE(has(client.received, "\r\nConnection: close\r\n")) << "its body was not read";
  Peer& head = connect();
  send(head, "HEAD / HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  ASSERT_TRUE(receives(head, "\r\n\r\n"));
  EXPECT_TRUE(has(head.received, "\r\nContent-Length: 16\r\n"));
  EXPECT_FALSE(has(head.received, "blocked"));
  EXPECT_EQ(count(Counter::kHttpBlocked), 2U);
  pass(seconds(10));
  expect_clean();
}

TEST_F(StageRules, HeadersChangeTowardsTheOrigin) {
  RulesWriter request(RulePhase::kRequest);
  const auto client_address = request.program([&] {
    request.field(RuleField::kClientAddress);
    request.apply(StepKind::kToText);
  });
  request.add_changes(path_is(request, "/changed"), {{ChangeKind::kSet, "X-Set", "new"},
                                                     {ChangeKind::kAdd, "X-Add", client_address},
                                                     {ChangeKind::kRemove, "x-gone", {}},
                                                     {ChangeKind::kRemove, "CF-Connecting-IP", {}},
                                                     {ChangeKind::kRemove, "X-Forwarded-For", {}}});
  serve({&request});
  const std::string lines = "X-Set: old\r\nX-Add: old\r\nX-Gone: old\r\nX-Set: older\r\n";
  Peer& client = connect();
  send(client, get("/changed", lines));
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  EXPECT_TRUE(has(o.received, "\r\nX-Set: new\r\n"));
  EXPECT_FALSE(has(o.received, "X-Set: old"));
  EXPECT_TRUE(has(o.received, "\r\nX-Add: old\r\n"));
  EXPECT_TRUE(has(o.received, "\r\nX-Add: 198.51.100.7\r\n"));
  EXPECT_FALSE(has(o.received, "X-Gone"));
  EXPECT_FALSE(has(o.received, "CF-Connecting-IP"));
  EXPECT_FALSE(has(o.received, "X-Forwarded-For"));
  EXPECT_TRUE(has(o.received, "\r\nX-Forwarded-Proto: http\r\n"));
  send(o, ok("1"));
  ASSERT_TRUE(receives(client, "\r\n\r\n1"));
  o.received.clear();
  send(client, get("/same", lines));
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  EXPECT_TRUE(has(o.received, "\r\nX-Set: old\r\n")) << "nothing is left of the request before";
  EXPECT_TRUE(has(o.received, "\r\nX-Gone: old\r\n"));
  EXPECT_TRUE(has(o.received, "\r\nCF-Connecting-IP: 198.51.100.7\r\n"));
}

TEST_F(StageRules, HeadersChangeTowardsTheClientByWhatWasAsked) {
  RulesWriter response(RulePhase::kResponse);
  const auto condition = response.program([&] {
    response.field(RuleField::kResponseCode);
    response.compare(Comparison::kEqual, std::int64_t{404});
    const auto jump = response.jump_if(false);
    response.apply(StepKind::kDrop);
    response.field(RuleField::kUserAgent);
    response.compare(Comparison::kEqual, "asker/1");
    response.land(jump);
  });
  const auto uri = response.program([&] { response.field(RuleField::kFullUri); });
  response.add_changes(
      condition, {{ChangeKind::kSet, "X-Asked", uri}, {ChangeKind::kRemove, "X-Powered-By", {}}});
  serve({&response});
  Peer& client = connect();
  send(client, get("/a?b", "User-Agent: asker/1\r\n"));
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  // The receive queue that the request lay in is used again by then.
  settle(20);
  send(o, "HTTP/1.1 404 No\r\nX-Powered-By: x\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(receives(client, "\r\n\r\nno"));
  EXPECT_TRUE(has(client.received, "\r\nX-Asked: http://one.example.com/a?b\r\n"));
  EXPECT_FALSE(has(client.received, "X-Powered-By"));
  client.received.clear();
  o.received.clear();
  send(client, get("/a?b", "User-Agent: asker/1\r\n"));
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  send(o, "HTTP/1.1 200 Yes\r\nX-Powered-By: x\r\nContent-Length: 3\r\n\r\nyes");
  ASSERT_TRUE(receives(client, "\r\n\r\nyes"));
  EXPECT_FALSE(has(client.received, "X-Asked"));
  EXPECT_TRUE(has(client.received, "\r\nX-Powered-By: x\r\n"));
}

TEST_F(StageRules, InterimResponsesPassAsTheyAre) {
  RulesWriter response(RulePhase::kResponse);
  response.add_changes(always(response), {{ChangeKind::kSet, "X-Rule", "1"}});
  serve({&response});
  Peer& client = connect();
  send(client, get("/"));
  Peer& o = origin(0);
  send(o, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  ASSERT_TRUE(receives(client, "\r\n\r\n"));
  EXPECT_FALSE(has(client.received, "X-Rule"));
  send(o, ok("x"));
  ASSERT_TRUE(receives(client, "\r\n\r\nx"));
  EXPECT_TRUE(has(client.received, "\r\nX-Rule: 1\r\n"));
}

TEST_F(StageRules, TheFirewallComesBeforeTheHeaders) {
  RulesWriter firewall(RulePhase::kFirewall), request(RulePhase::kRequest);
  const auto agent_is_bad = firewall.program([&] {
    firewall.field(RuleField::kUserAgent);
    firewall.compare(Comparison::kEqual, "bad");
  });
  firewall.add_block(agent_is_bad, {});
  request.add_changes(always(request), {{ChangeKind::kSet, "User-Agent", "bad"}});
  serve({&firewall, &request});
  Peer& client = connect();
  send(client, get("/", "User-Agent: good\r\n"));
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  EXPECT_TRUE(has(o.received, "\r\nUser-Agent: bad\r\n"));
}

TEST_F(StageRules, RulesThatCannotBeReadLetNothingThrough) {
  RulesWriter firewall(RulePhase::kFirewall);
  firewall.add_block(path_is(firewall, "/secret"), {});
  damaged_ = true;
  serve({&firewall});
  Peer& client = connect();
  send(client, get("/"));
  expect_error(client, 500, 500);
  EXPECT_TRUE(origin_->peers.empty());
}

}  // namespace
}  // namespace brink::l7::proxy::testing
