// Opening and refusing connections: scripted packets.
#include <set>

#include "dataplane/tcp/script.h"

namespace brink::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PassiveOpen, AnswersASynWithTheOptionsBothHave) {  // RFC 9293 3.5, RFC 7323 2.2
  Script t;
  t.inject(in().flags(kSyn).mss(1400).scale(7).sack_permitted().timestamps(5000));
  const Sent answer = t.expect();
  EXPECT_EQ(answer.flags, kSyn | kAck);
  EXPECT_EQ(answer.ack, 1U);
  EXPECT_EQ(answer.options.mss, 1460);
  EXPECT_TRUE(answer.options.has_window_scale);
  EXPECT_TRUE(answer.options.sack_permitted);
  EXPECT_EQ(answer.options.timestamp_echo, 5000U);
  EXPECT_EQ(t.stack().half_open_count(), 1U);
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(PassiveOpen, OffersNoOptionThatTheSynLacked) {
  Script t;
  t.inject(in().flags(kSyn));
  const Sent answer = t.expect();
  EXPECT_TRUE(answer.options.has_mss);
  EXPECT_FALSE(answer.options.has_window_scale);
  EXPECT_FALSE(answer.options.sack_permitted);
  EXPECT_FALSE(answer.options.has_timestamps);
}

TEST(PassiveOpen, ASynWithoutMssMeans536) {  // RFC 9293 3.7.1 MUST-15
  Script t;
  t.accept(in());
  t.write(std::string(2000, 'x'));
  t.expect(kAck, 1, 1, 536);
}

TEST(PassiveOpen, ATinyMssIsRaised) {  // CVE-2019-11479
  Script t;
  t.accept(in().mss(1));
  t.write(std::string(2000, 'x'));
  t.expect(kAck, 1, 1, t.owned.config.mss_min);
}

TEST(PassiveOpen, DataWithTheThirdSegmentIsTaken) {
  Script t;
  t.inject(in().flags(kSyn).mss(1000));
  t.expect();
  t.inject(in().seq(1).ack(1).data("GET"));
  t.expect_event(EventKind::kAccepted);
  t.expect_event(EventKind::kReadable);
  EXPECT_EQ(t.read(), "GET");
}

TEST(PassiveOpen, SynAckIsSentAgainBySchedule) {
  Script t;
  t.inject(in().flags(kSyn).mss(1000));
  t.expect(kSyn | kAck, 0, 1);
  for (const int wait : {1, 1, 1, 1, 1, 2, 4}) {
    t.advance(seconds(wait) - milliseconds(10));
    t.expect_silence();
    t.advance(milliseconds(10));
    t.expect(kSyn | kAck, 0, 1);
  }
  t.advance(seconds(8));
  t.expect_silence();
  t.expect_nothing_held();
}

TEST(PassiveOpen, ARepeatedSynIsAnsweredAgainButNotAtOnce) {
  Script t;
  t.inject(in().flags(kSyn).mss(1000));
  t.expect(kSyn | kAck, 0, 1);
  t.inject(in().flags(kSyn).mss(1000));
  t.expect_silence();
  t.advance(milliseconds(600));
  t.inject(in().flags(kSyn).mss(1000));
  t.expect(kSyn | kAck, 0, 1);
}

TEST(PassiveOpen, AWrongAcknowledgmentIsReset) {  // RFC 9293 3.10.7.4
  Script t;
  t.inject(in().flags(kSyn).mss(1000));
  t.expect();
  EXPECT_EQ(t.inject(in().seq(1).ack(77)), Verdict::kBadAck);
  t.expect(kRst, 77, 0);
  EXPECT_EQ(t.stack().half_open_count(), 1U);
}

TEST(PassiveOpen, OnlyAnExactResetEndsAHalfOpenConnection) {  // RFC 5961 3
  Script t;
  t.inject(in().flags(kSyn).mss(1000));
  t.expect();
  EXPECT_EQ(t.inject(in().flags(kRst).seq(2)), Verdict::kOutOfWindow);
  EXPECT_EQ(t.stack().half_open_count(), 1U);
  EXPECT_EQ(t.inject(in().flags(kRst).seq(1)), Verdict::kAccepted);
  t.expect_nothing_held();
}

TEST(PassiveOpen, TheBacklogIsBoundedAndTheDropCounted) {  // RFC 4987
  Script t;
  for (std::uint16_t i = 0; i < 4; ++i) {
    t.peer.port = static_cast<std::uint16_t>(40000 + i);
    EXPECT_EQ(t.inject(in().flags(kSyn)), Verdict::kAccepted);
  }
  t.peer.port = 50000;
  EXPECT_EQ(t.inject(in().flags(kSyn)), Verdict::kBacklogFull);
  EXPECT_EQ(t.counter(ipc::Counter::kDropTcpBacklog), 1U);
}

TEST(PassiveOpen, ConnectionsAreBoundedAndHalfOpenOnesHaveASlot) {
  StackConfig config = Script::default_config();
  config.max_connections = 2;
  Script t(config);
  for (std::uint16_t i = 0; i < 2; ++i) {
    t.peer.port = static_cast<std::uint16_t>(40000 + i);
    EXPECT_EQ(t.inject(in().flags(kSyn)), Verdict::kAccepted);
  }
  t.peer.port = 40002;
  EXPECT_EQ(t.inject(in().flags(kSyn)), Verdict::kBacklogFull);
  EXPECT_EQ(t.stack().connect(t.local, t.peer, 0, t.now).error, ConnectError::kNoSlot);
}

TEST(PassiveOpen, DrainingRefusesSynsAndKeepsConnections) {
  Script t;
  t.accept();
  t.stack().set_accepting(false);
  EXPECT_EQ(t.inject(in().seq(1).ack(1).data("x")), Verdict::kAccepted);
  t.peer.port = 40001;
  EXPECT_EQ(t.inject(in().flags(kSyn)), Verdict::kNotAccepting);
  EXPECT_EQ(t.counter(ipc::Counter::kDropTcpNotAccepting), 1U);
}

TEST(ActiveOpen, ConnectsAndTellsTheUser) {
  Script t;
  const Sent syn = t.connect();
  EXPECT_EQ(syn.options.mss, 1460);
  EXPECT_TRUE(syn.options.sack_permitted && syn.options.has_timestamps &&
              syn.options.has_window_scale);
  EXPECT_EQ(t.state(), State::kSynSent);
  t.inject(in().flags(kSyn | kAck).seq(0).ack(1).mss(1000));
  t.expect(kAck, 1, 1);
  const auto e = t.event();
  ASSERT_TRUE(e.has_value());
  EXPECT_EQ(e->kind, EventKind::kConnected);
  EXPECT_EQ(e->user, 42U);
  EXPECT_EQ(t.state(), State::kEstablished);
}

TEST(ActiveOpen, BytesWrittenBeforeTheAnswerFollowIt) {
  Script t;
  t.connect();
  EXPECT_EQ(t.write("early"), 5U);
  t.expect_silence();
  t.inject(in().flags(kSyn | kAck).seq(0).ack(1).mss(1000));
  t.expect(kAck, 1, 1, 5);
}

TEST(ActiveOpen, GivesUpAfter19Seconds) {
  Script t;
  t.connect();
  unsigned syns = 1;
  for (int i = 0; i < 189; ++i) {
    t.advance(milliseconds(100));
    syns += static_cast<unsigned>(t.drain().size());
    t.expect_no_event();
  }
  EXPECT_EQ(syns, 8U);
  t.advance(milliseconds(200));
  t.expect_closed(CloseReason::kConnectTimeout);
  t.expect_silence();
  t.expect_nothing_held();
}

TEST(ActiveOpen, AResetThatAcknowledgesTheSynRefuses) {
  Script t;
  t.connect();
  EXPECT_EQ(t.inject(in().flags(kRst).seq(0)), Verdict::kOutOfWindow);
  t.expect_no_event();
  t.inject(in().flags(kRst | kAck).seq(0).ack(1));
  t.expect_closed(CloseReason::kRefused);
  t.expect_nothing_held();
}

TEST(ActiveOpen, AnOldSynAckIsReset) {  // RFC 9293 figure 9
  Script t;
  t.connect();
  EXPECT_EQ(t.inject(in().flags(kSyn | kAck).seq(0).ack(500)), Verdict::kBadAck);
  t.expect(kRst, 500, 0);
  EXPECT_EQ(t.state(), State::kSynSent);
}

TEST(ActiveOpen, SimultaneousOpen) {  // RFC 9293 figure 7
  Script t;
  t.connect();
  t.inject(in().flags(kSyn).seq(0).mss(1000));
  t.expect(kSyn | kAck, 0, 1);
  EXPECT_EQ(t.state(), State::kSynReceived);
  t.inject(in().flags(kSyn | kAck).seq(0).ack(1).mss(1000));
  t.expect_event(EventKind::kConnected);
  EXPECT_EQ(t.state(), State::kEstablished);
  t.inject(in().seq(1).ack(1).data("hi"));
  t.expect_event(EventKind::kReadable);
  EXPECT_EQ(t.read(), "hi");
}

TEST(ActiveOpen, IcmpUnreachableEndsOnlyTheAttempt) {  // RFC 5927 6
  Script t;
  t.connect();
  t.stack().unreachable(t.local, t.peer, {IcmpKind::kUnreachable, t.isn + 99, 0}, t.now);
  t.expect_no_event();
  t.stack().unreachable(t.local, t.peer, {IcmpKind::kUnreachable, t.isn, 0}, t.now);
  t.expect_closed(CloseReason::kUnreachable);

  Script established;
  established.accept();
  established.write("x");
  established.expect();
  established.stack().unreachable(established.local, established.peer,
                                  {IcmpKind::kUnreachable, established.isn + 1, 0},
                                  established.now);
  established.expect_no_event();
  EXPECT_EQ(established.state(), State::kEstablished);
}

TEST(ActiveOpen, ThePairOfEndpointsMustBeFree) {
  Script t;
  t.connect();
  EXPECT_EQ(t.stack().connect(t.local, t.peer, 0, t.now).error, ConnectError::kInUse);
}

TEST(ActiveOpen, CloseBeforeTheAnswerSendsFinAfterIt) {
  Script t;
  t.connect();
  t.write("bye");
  t.close();
  t.inject(in().flags(kSyn | kAck).seq(0).ack(1).mss(1000));
  t.expect_event(EventKind::kConnected);
  t.expect(kAck | kFin, 1, 1, 3);
  EXPECT_EQ(t.state(), State::kFinWait1);
}

TEST(InitialSequence, DiffersByPeerAndGrowsWithTime) {  // RFC 6528
  Script t;
  std::set<std::uint32_t> seen;
  for (std::uint16_t i = 0; i < 4; ++i) {
    t.peer.port = static_cast<std::uint16_t>(40000 + i);
    t.inject(in().flags(kSyn));
    t.expect();
    seen.insert(t.isn);
  }
  EXPECT_EQ(seen.size(), 4U);

  Script a;
  Script b;
  b.now += milliseconds(40);
  a.connect();
  b.connect();
  EXPECT_EQ(b.isn - a.isn, 10'000U);  // 4 microseconds a number
}

TEST(NoConnection, AnAckIsResetWithItsOwnNumber) {  // RFC 9293 3.5.2 group 1
  Script t;
  EXPECT_EQ(t.inject(in().seq(5).ack(900)), Verdict::kNoConnection);
  t.expect(kRst, 900, 0);
}

TEST(NoConnection, OtherSegmentsAreResetWithTheirEnd) {
  Script t;
  t.inject(in().flags(kFin).seq(5).data("abc"));
  t.expect(kRst | kAck, 0, 9);
}

TEST(NoConnection, AResetIsNeverAnswered) {
  Script t;
  EXPECT_EQ(t.inject(in().flags(kRst | kAck).seq(5)), Verdict::kNoConnection);
  t.expect_silence();
}

TEST(NoConnection, ResetsAreLimitedPerSecond) {
  StackConfig config = Script::default_config();
  config.resets_per_s = 3;
  Script t(config);
  for (int i = 0; i < 10; ++i) t.inject(in().seq(5).ack(900));
  EXPECT_EQ(t.drain().size(), 3U);
  t.advance(seconds(1));
  t.inject(in().seq(5).ack(900));
  EXPECT_EQ(t.drain().size(), 1U);
}

TEST(NoConnection, ImpossibleFlagsAreDropped) {
  Script t;
  EXPECT_EQ(t.inject(in().flags(kSyn | kFin)), Verdict::kBadFlags);
  EXPECT_EQ(t.inject(in().flags(kSyn | kRst)), Verdict::kBadFlags);
  EXPECT_EQ(t.inject(in().flags(0)), Verdict::kBadFlags);
  t.expect_silence();
}

TEST(NoConnection, AShortHeaderIsDropped) {
  Script t;
  const std::uint8_t bytes[19] = {};
  EXPECT_EQ(t.stack().receive({t.peer.address, t.local.address, bytes}, t.now),
            Verdict::kBadHeader);
}

}  // namespace
}  // namespace brink::tcp
