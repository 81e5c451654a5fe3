// Loss, path MTU, acceptability, resets: scripted packets.
#include "dataplane/tcp/script.h"

namespace brink::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// ---- loss ----

TEST(Retransmission, TheTimerBacksOffAndEndsWithTheUserTimeout) {  // RFC 6298 5.5
  Script t;
  t.accept();
  t.write("lost");
  t.expect(kAck, 1, 1, 4);
  std::vector<base::Time> at;
  for (int i = 0; i < 910; ++i) {
    t.advance(milliseconds(100));
    for (const Sent& s : t.drain()) {
      if ((s.flags & kRst) != 0) continue;
      EXPECT_EQ(s.payload, "lost");
      at.push_back(t.now);
    }
  }
  ASSERT_GE(at.size(), 6U);
  for (std::size_t i = 2; i < at.size(); ++i) {
    const auto ratio = static_cast<double>((at[i] - at[i - 1]).count()) /
                       static_cast<double>((at[i - 1] - at[i - 2]).count());
    EXPECT_NEAR(ratio, 2.0, 0.7) << i;
  }
  t.expect_closed(CloseReason::kUserTimeout);
  t.expect_nothing_held();
}

TEST(Retransmission, AfterATimeoutSlowStartBeginsWithOneSegment) {  // RFC 5681 3.1
  Script t;
  t.accept();
  t.write(text(10000));
  EXPECT_EQ(t.drain().size(), 10U);
  t.advance(seconds(1));
  t.expect(kAck, 1, 1, 1000);
  t.expect_silence();
  t.inject(in().seq(1).ack(1001));
  t.expect(kAck, 1001, 1, 1000);
  t.expect(kAck, 2001, 1, 1000);
  t.expect_silence();
}

TEST(FastRetransmit, ThreeDuplicatesWithoutSack) {  // RFC 5681 3.2, RFC 6582
  Script t;
  t.accept();
  t.write(text(10000));
  EXPECT_EQ(t.drain().size(), 10U);
  t.advance(milliseconds(20));
  t.inject(in().seq(1).ack(1001));  // the second is lost
  t.inject(in().seq(1).ack(1001));
  t.inject(in().seq(1).ack(1001));
  t.expect_silence();
  t.inject(in().seq(1).ack(1001));
  t.expect(kAck, 1001, 1, 1000);
  t.expect_silence();
  EXPECT_EQ(t.counter(ipc::Counter::kTcpFastRetransmits), 1U);
}

TEST(FastRetransmit, APartialAcknowledgmentUncoversTheNextLoss) {  // RFC 6582 3.2 step 3
  Script t;
  t.accept();
  t.write(text(10000));
  t.drain();
  t.inject(in().seq(1).ack(1001));
  for (int i = 0; i < 3; ++i) t.inject(in().seq(1).ack(1001));
  t.expect(kAck, 1001, 1, 1000);
  t.drain();
  t.inject(in().seq(1).ack(5001));
  t.expect(kAck, 5001, 1, 1000);
}

TEST(FastRetransmit, SackNamesExactlyWhatIsLost) {  // RFC 6675 5
  Script t;
  t.accept(in().mss(1000).sack_permitted());
  t.write(text(10000));
  EXPECT_EQ(t.drain().size(), 10U);
  t.advance(milliseconds(20));
  // Segments 2 and 4 are lost.
  t.inject(in().seq(1).ack(1001).sack(2001, 3001));
  t.inject(in().seq(1).ack(1001).sack(4001, 5001).sack(2001, 3001));
  t.expect_silence();
  t.inject(in().seq(1).ack(1001).sack(4001, 7001).sack(2001, 3001));
  t.inject(in().seq(1).ack(1001).sack(4001, 10001).sack(2001, 3001));
  t.expect(kAck, 1001, 1, 1000);
  t.expect(kAck, 3001, 1, 1000);
  t.expect_silence();
  t.inject(in().seq(1).ack(10001));
  EXPECT_EQ(t.stack().info(t.id).unacked, 0U);
}

TEST(FastRetransmit, LimitedTransmitSendsNewBytesForTheFirstDuplicates) {  // RFC 3042
  Script t;
  t.accept(in().mss(1000).sack_permitted());
  t.write(text(20000));
  EXPECT_EQ(t.drain().size(), 10U);
  t.inject(in().seq(1).ack(1).sack(1001, 2001));
  t.expect(kAck, 10001, 1, 1000);
  t.expect_silence();
}

TEST(FastRetransmit, SackOfBytesNeverSentIsIgnored) {
  Script t;
  t.accept(in().mss(1000).sack_permitted());
  t.write(text(3000));
  t.drain();
  t.inject(in().seq(1).ack(1).sack(50001, 60001).sack(3001, 2001).sack(1, 99000));
  t.expect_silence();
  t.inject(in().seq(1).ack(3001));
  EXPECT_EQ(t.stack().info(t.id).unacked, 0U);
  t.expect_no_chunk_held();
}

TEST(PathMtu, ASmallerPathTakesSmallerSegments) {  // RFC 1191, RFC 5927 7
  Script t;
  t.accept(in().mss(1460));
  t.write(text(3000));
  t.expect(kAck, 1, 1, 1460);
  t.drain();
  t.stack().unreachable(t.local, t.peer, {IcmpKind::kPacketTooBig, t.isn + 90000, 700}, t.now);
  t.expect_silence();  // not in flight: not believed
  t.stack().unreachable(t.local, t.peer, {IcmpKind::kPacketTooBig, t.isn + 1, 700}, t.now);
  t.expect(kAck, 1, 1, 660);
  t.stack().unreachable(t.local, t.peer, {IcmpKind::kPacketTooBig, t.isn + 1, 100}, t.now);
  EXPECT_EQ(t.stack().info(t.id).mss, t.owned.config.mss_min);
}

// ---- acceptability ----

TEST(Acceptability, AnAckOfWhatWasNeverSentIsAnswered) {  // RFC 9293 3.10.7.4
  Script t;
  t.accept();
  EXPECT_EQ(t.inject(in().seq(1).ack(500)), Verdict::kBadAck);
  t.expect(kAck, 1, 1);
  EXPECT_EQ(t.inject(in().seq(1).ack(500)), Verdict::kBadAck);
  t.expect_silence();  // not more than twice a second
}

TEST(Acceptability, PawsRefusesAnOldTimestamp) {  // RFC 7323 5.3
  Script t;
  t.accept(in().mss(1000).timestamps(5000));
  EXPECT_EQ(t.inject(in().seq(1).ack(1).timestamps(4999).data("old")), Verdict::kOldTimestamp);
  const Sent ack = t.expect();
  EXPECT_EQ(ack.ack, 1U);
  EXPECT_EQ(ack.options.timestamp_echo, 5000U);
  EXPECT_EQ(t.inject(in().seq(1).ack(1).timestamps(5001).data("new")), Verdict::kAccepted);
  EXPECT_EQ(t.read(), "new");
}

TEST(Acceptability, ATimestampBehindAGapIsNotEchoed) {  // RFC 7323 4.3
  Script t;
  t.accept(in().mss(1000).timestamps(5000));
  t.inject(in().seq(11).ack(1).timestamps(5009).data("x"));
  EXPECT_EQ(t.expect().options.timestamp_echo, 5000U);
}

TEST(Reset, OnlyTheExactNumberResets) {  // RFC 5961 3.2
  Script t;
  t.accept();
  EXPECT_EQ(t.inject(in().flags(kRst).seq(2)), Verdict::kChallenged);
  t.expect(kAck, 1, 1);
  EXPECT_EQ(t.inject(in().flags(kRst).seq(900000)), Verdict::kOutOfWindow);
  t.expect_silence();
  t.expect_no_event();
  EXPECT_EQ(t.inject(in().flags(kRst).seq(1)), Verdict::kAccepted);
  t.expect_closed(CloseReason::kResetByPeer);
  t.expect_nothing_held();
}

TEST(Reset, ASynInTheWindowIsChallenged) {  // RFC 5961 4.2
  Script t;
  t.accept();
  EXPECT_EQ(t.inject(in().flags(kSyn).seq(5)), Verdict::kChallenged);
  t.expect(kAck, 1, 1);
  EXPECT_EQ(t.inject(in().flags(kSyn).seq(0)), Verdict::kChallenged);
  EXPECT_EQ(t.state(), State::kEstablished);
}

TEST(Reset, ChallengesAreLimitedPerSecond) {  // RFC 5961 7
  StackConfig config = Script::default_config();
  config.challenge_acks_per_s = 10;
  Script t(config);
  t.accept();
  unsigned answers = 0;
  for (int i = 0; i < 100; ++i) {
    t.inject(in().flags(kSyn).seq(5));
    answers += static_cast<unsigned>(t.drain().size());
  }
  EXPECT_GE(answers, 5U);
  EXPECT_LE(answers, 15U);
}

TEST(Reset, AnAncientAckIsChallenged) {  // RFC 5961 5.2
  Script t;
  t.accept();
  EXPECT_EQ(t.inject(in().seq(1).ack(0x80000000U)), Verdict::kBadAck);
  EXPECT_EQ(t.state(), State::kEstablished);
}

TEST(Reset, UnreadBytesAfterACompleteStreamAreStillDelivered) {
  Script t;
  t.accept();
  t.inject(in().flags(kAck | kFin).seq(1).ack(1).data("all"));
  t.expect_event(EventKind::kReadable);
  t.inject(in().flags(kRst).seq(5));
  t.expect_no_event();
  EXPECT_EQ(t.write("swallowed"), 9U);
  EXPECT_EQ(t.read(), "all");
  t.expect_event(EventKind::kPeerClosed);
  t.expect_closed(CloseReason::kResetByPeer);
}

}  // namespace
}  // namespace brink::tcp
