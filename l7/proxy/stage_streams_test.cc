// HTTP/2 through the stage: what becomes of streams whose client or origin leaves, answers early or
// does not read.
#include "l7/proxy/stage_streams_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using http2::ErrorCode;
using http2::StreamId;

class StageSession : public SessionFixture {
 protected:
  void expect_clean() {
    settle(20);
    EXPECT_EQ(stage_->exchange_count(), 0U);
  }
};

TEST_F(StageSession, StreamsOfAClientAreRequestsOfTheirOwn) {
  SessionClient& client = connect_session();
  const StreamId one = client.request("GET", "/1");
  const StreamId two = client.request("GET", "/2");
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  send(origin(1), ok("two"));
  ASSERT_TRUE(ends(client, two));
  EXPECT_FALSE(client.streams[one].ended);
  send(origin(0), ok("one"));
  ASSERT_TRUE(ends(client, one));
  EXPECT_EQ(client.streams[one].body + client.streams[two].body, "onetwo");
  EXPECT_EQ(count(Counter::kHttpClientAborts), 0U);
  expect_clean();
}

TEST_F(StageSession, StreamThatIsResetMidwayLeavesItsOriginAndNoOtherStream) {
  SessionClient& client = connect_session();
  const StreamId cut = client.request("POST", "/cut", true);
  client.send(cut, "first half");
  ASSERT_TRUE(receives(origin(0), "first half"));
  const StreamId other = client.request("GET", "/other");
  ASSERT_TRUE(receives(origin(1), "GET /other "));
  client.session.reset(cut, ErrorCode::cancel);
  ASSERT_TRUE(settle_until([&] { return origin(0).closed; }, 3000));
  EXPECT_TRUE(origin(0).was_reset());
  EXPECT_EQ(origin(0).received.find("\r\n0\r\n"), std::string::npos) << "the body has no end";
  send(origin(1), ok("other"));
  ASSERT_TRUE(ends(client, other));
  EXPECT_EQ(client.streams[other].body, "other");
  EXPECT_EQ(count(Counter::kHttpClientAborts), 1U);
  expect_clean();
}

TEST_F(StageSession, ResetMidwayIsPassedToAnOriginOverHttp2) {
  use_http2_origins();
  SessionClient& client = connect_session();
  const StreamId cut = client.request("POST", "/cut", true);
  client.send(cut, "first half");
  SessionOrigin& origin = session_origin(0);
  const StreamId there = await_request(origin, "/cut");
  ASSERT_TRUE(settle_until([&] { return origin.streams[there].body == "first half"; }, 3000));
  client.session.reset(cut, ErrorCode::cancel);
  ASSERT_TRUE(settle_until([&] { return origin.streams[there].reset; }, 3000));
  EXPECT_EQ(origin.streams[there].code, ErrorCode::cancel);
  const StreamId next = client.request("GET", "/next");
  origin.respond(await_request(origin, "/next"));
  origin.send(origin.asked_for("/next"), "next", true);
  ASSERT_TRUE(ends(client, next));
  EXPECT_EQ(origin_->peers.size(), 1U) << "the connection goes on";
  expect_clean();
}

TEST_F(StageSession, ClientThatIsLostMidwayTakesAllItsStreamsAlong) {
  SessionClient& client = connect_session();
  client.send(client.request("PUT", "/1", true), "half");
  client.request("GET", "/2");
  ASSERT_TRUE(receives(origin(0), "half"));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  send(origin(1), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  settle(20);
  abort_peer(*client_, client.peer);
  ASSERT_TRUE(settle_until([&] { return origin(0).closed && origin(1).closed; }, 3000));
  EXPECT_EQ(count(Counter::kHttpClientAborts), 2U);
  EXPECT_EQ(stage_->client_count(), 0U);
  expect_clean();
}

TEST_F(StageSession, OriginsGoawayLetsStreamsEndAndMovesTheOthers) {
  use_http2_origins();
  SessionClient& client = connect_session();
  const StreamId kept = client.request("GET", "/kept");
  SessionOrigin& first = session_origin(0);
  const StreamId there = await_request(first, "/kept");
  first.respond(there);
  first.send(there, "begun, ");
  ASSERT_TRUE(settle_until([&] { return client.streams[kept].body == "begun, "; }, 3000));
  const StreamId moved = client.request("POST", "/moved");
  await_request(first, "/moved");
  // It has looked at the first stream alone: RFC 9113 6.8.
  first.peer.to_send += std::string("\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0", 17);
  SessionOrigin& second = session_origin(1);
  second.respond(await_request(second, "/moved"));
  second.send(second.asked_for("/moved"), "moved", true);
  ASSERT_TRUE(ends(client, moved));
  EXPECT_EQ(client.streams[moved].body, "moved");
  first.send(there, "ended", true);
  ASSERT_TRUE(ends(client, kept));
  EXPECT_EQ(client.streams[kept].body, "begun, ended");
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 1U);
  EXPECT_EQ(count(Counter::kHttpEdgeErrors), 0U);
  expect_clean();
}

// Of a request whose body has begun the first 64 KiB are kept for that.
TEST_F(StageSession, RepeatsABodyThatAnOriginHasNotLookedAt) {
  use_http2_origins();
  SessionClient& client = connect_session();
  const StreamId kept = client.request("GET", "/kept");
  SessionOrigin& first = session_origin(0);
  const StreamId there = await_request(first, "/kept");
  const std::string half(30'000, 'h');
  const std::string long_body(100'000, 'l');
  const auto begin = [&](const std::string& target, const std::string& body, bool end) {
    const StreamId id = client.request("POST", target, true);
    client.send(id, body, end);
    const StreamId at = await_request(first, target);
    EXPECT_TRUE(settle_until([&] { return first.streams[at].body == body; }, 3000));
    return id;
  };
  const StreamId whole = begin("/whole", half, true);
  const StreamId begun = begin("/begun", half, false);
  const StreamId longer = begin("/long", long_body, false);
  first.peer.to_send += std::string("\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0", 17);
  ASSERT_TRUE(ends(client, longer));
  EXPECT_EQ(client.streams[longer].status, 520);

  std::vector<SessionOrigin*> others = {&session_origin(1), &session_origin(2)};
  client.send(begun, " and the rest", true);
  const auto answer = [&](const std::string& target, StreamId id, const std::string& body) {
    const auto has_it = [&](SessionOrigin* other) {
      return other->asked_for(target) != 0 && other->streams[other->asked_for(target)].ended;
    };
    ASSERT_TRUE(settle_until([&] { return has_it(others[0]) || has_it(others[1]); }, 3000));
    SessionOrigin& second = *others[has_it(others[0]) ? 0 : 1];
    EXPECT_TRUE(second.streams[second.asked_for(target)].body == body) << target;
    second.respond(second.asked_for(target));
    second.send(second.asked_for(target), "taken", true);
    ASSERT_TRUE(ends(client, id));
    EXPECT_EQ(client.streams[id].body, "taken");
  };
  answer("/whole", whole, half);
  answer("/begun", begun, half + " and the rest");
  first.respond(there);
  first.send(there, "ended", true);
  ASSERT_TRUE(ends(client, kept));
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 2U);
  expect_clean();
}

TEST_F(StageSession, OriginThatResetsMidwayIsSeenToHaveCutItsAnswer) {
  use_http2_origins();
  SessionClient& client = connect_session();
  const StreamId cut = client.request("GET", "/cut");
  SessionOrigin& origin = session_origin(0);
  const StreamId there = await_request(origin, "/cut");
  origin.respond(there);
  origin.send(there, "half");
  ASSERT_TRUE(settle_until([&] { return client.streams[cut].body == "half"; }, 3000));
  origin.session.reset(there, ErrorCode::internal_error);
  ASSERT_TRUE(ends(client, cut));
  EXPECT_FALSE(client.streams[cut].ended);
  EXPECT_EQ(client.streams[cut].code, ErrorCode::internal_error);
  EXPECT_EQ(count(Counter::kHttpTruncated), 1U);
  expect_clean();
}

TEST_F(StageSession, AnswerBeforeTheEndOfItsRequestEndsTheRequest) {
  SessionClient& client = connect_session();
  const StreamId early = client.request("POST", "/early", true);
  client.send(early, "some");
  ASSERT_TRUE(receives(origin(0), "some"));
  send(origin(0), ok("enough"));
  ASSERT_TRUE(settle_until([&] { return client.streams[early].reset; }, 3000));
  EXPECT_TRUE(client.streams[early].ended) << "and whole";
  EXPECT_EQ(client.streams[early].body, "enough");
  EXPECT_EQ(client.streams[early].code, ErrorCode::no_error);
  EXPECT_TRUE(settle_until([&] { return origin(0).closed; }, 3000)) << "it waits for the rest";
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  expect_clean();
}

TEST_F(StageSession, ReaderThatIsSlowHoldsBackItsOriginAlone) {
  constexpr std::size_t kWindow = 64 * 1024;
  const std::string large(4 * 1024 * 1024, 'l');
  SessionClient& client = connect_session();
  client.reading = false;
  const StreamId slow = client.request("GET", "/slow");
  ASSERT_TRUE(receives(origin(0), "GET /slow "));
  send(origin(0), ok(large));
  ASSERT_TRUE(settle_until([&] { return client.streams[slow].body.size() == kWindow; }, 3000));
  settle(200);
  EXPECT_EQ(client.streams[slow].body.size(), kWindow);
  EXPECT_GT(origin(0).to_send.size(), large.size() / 2) << "the edge keeps none of it";
  const StreamId other = client.request("GET", "/other");
  ASSERT_TRUE(receives(origin(1), "GET /other "));
  send(origin(1), ok("other"));
  ASSERT_TRUE(ends(client, other));
  client.read_on();
  ASSERT_TRUE(ends(client, slow));
  EXPECT_EQ(client.streams[slow].body, large);
  expect_clean();
}

}  // namespace
}  // namespace brink::l7::proxy::testing
