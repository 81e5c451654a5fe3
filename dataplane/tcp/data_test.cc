// Bytes, acknowledgments, windows, loss and timers: scripted packets.
#include "dataplane/tcp/script.h"

namespace brink::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string text(std::size_t size) {
  std::string s(size, '\0');
  for (std::size_t i = 0; i < size; ++i) s[i] = static_cast<char>('a' + i % 26);
  return s;
}

// ---- receiving ----

TEST(DelayedAck, OneSegmentWaitsAtMost40Milliseconds) {  // RFC 9293 3.8.6.3
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).data("abc"));
  t.expect_silence();
  t.advance(milliseconds(39));
  t.expect_silence();
  t.advance(milliseconds(2));
  t.expect(kAck, 1, 4);
}

TEST(DelayedAck, EverySecondFullSegmentIsAcknowledgedAtOnce) {
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).data(text(1000)));
  t.expect_silence();
  t.inject(in().seq(1001).ack(1).data(text(1000)));
  t.expect(kAck, 1, 2001);
  t.expect_silence();
}

TEST(DelayedAck, AnAnswerCarriesIt) {
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).data("ping"));
  t.write("pong");
  t.expect(kAck, 1, 5, 4);
  t.inject(in().seq(5).ack(5));
  t.advance(milliseconds(100));
  t.expect_silence();
}

TEST(Reassembly, OutOfOrderBytesWaitAndAreReported) {  // RFC 2018 4
  Script t;
  t.accept(in().mss(1000).sack_permitted());
  t.inject(in().seq(4).ack(1).data("def"));
  const Sent first = t.expect();
  EXPECT_EQ(first.ack, 1U);
  ASSERT_EQ(first.options.sack_count, 1);
  EXPECT_EQ(first.options.sack[0].start.value() - Script::kPeerIsn, 4U);
  EXPECT_EQ(first.options.sack[0].end.value() - Script::kPeerIsn, 7U);
  t.inject(in().seq(10).ack(1).data("jkl"));
  const Sent second = t.expect();
  ASSERT_EQ(second.options.sack_count, 2);  // the latest first
  EXPECT_EQ(second.options.sack[0].start.value() - Script::kPeerIsn, 10U);
  EXPECT_EQ(second.options.sack[1].start.value() - Script::kPeerIsn, 4U);
  t.expect_no_event();
  t.inject(in().seq(1).ack(1).data("abc"));
  t.expect(kAck, 1, 7);
  t.expect_event(EventKind::kReadable);
  EXPECT_EQ(t.read(), "abcdef");
  t.inject(in().seq(7).ack(1).data("ghi"));
  t.expect(kAck, 1, 13);
  EXPECT_EQ(t.read(), "ghijkl");
}

TEST(Reassembly, EachOutOfOrderSegmentIsADuplicateAckForAPeerWithoutSack) {  // RFC 5681 4.2
  Script t;
  t.accept();
  for (int i = 0; i < 3; ++i) t.inject(in().seq(4 + i).ack(1).data("x"));
  for (int i = 0; i < 3; ++i) t.expect(kAck, 1, 1);
  t.expect_silence();
}

TEST(Reassembly, OverlapsAreTrimmedToWhatIsNew) {
  Script t;
  t.accept();
  t.inject(in().seq(3).ack(1).data("cdef"));
  t.inject(in().seq(8).ack(1).data("h"));
  t.inject(in().seq(2).ack(1).data("bcdefghij"));  // spans both
  t.inject(in().seq(1).ack(1).data("abc"));
  EXPECT_EQ(t.read(), "abcdefghij");
  t.drain();
  t.expect_no_chunk_held();
}

TEST(Reassembly, ADuplicateIsReportedFirst) {  // RFC 2883
  Script t;
  t.accept(in().mss(1000).sack_permitted());
  t.inject(in().seq(1).ack(1).data("abcd"));
  t.read();
  EXPECT_EQ(t.inject(in().seq(1).ack(1).data("ab")), Verdict::kOutOfWindow);
  const Sent ack = t.expect();
  EXPECT_EQ(ack.ack, 5U);
  ASSERT_EQ(ack.options.sack_count, 1);
  EXPECT_EQ(ack.options.sack[0].start.value() - Script::kPeerIsn, 1U);
  EXPECT_EQ(ack.options.sack[0].end.value() - Script::kPeerIsn, 3U);
}

TEST(Reassembly, HolesAreBounded) {  // CVE-2018-5390
  Script t;
  t.accept();
  for (std::uint32_t i = 0; i < kMaxOutOfOrderRanges; ++i) {
    EXPECT_EQ(t.inject(in().seq(3 + 2 * i).ack(1).data("x")), Verdict::kAccepted) << i;
  }
  EXPECT_EQ(t.inject(in().seq(3 + 2 * kMaxOutOfOrderRanges).ack(1).data("x")), Verdict::kNoMemory);
}

TEST(Reassembly, AFinBehindAGapCountsWhenTheGapIsFilled) {
  Script t;
  t.accept();
  t.inject(in().flags(kAck | kFin).seq(4).ack(1).data("def"));
  t.expect(kAck, 1, 1);
  t.inject(in().seq(1).ack(1).data("abc"));
  t.expect(kAck, 1, 8);
  t.expect_event(EventKind::kReadable);
  t.expect_no_event();
  EXPECT_EQ(t.read(), "abcdef");
  t.expect_event(EventKind::kPeerClosed);
}

TEST(Window, BytesBeyondItAreCutOff) {  // RFC 9293 3.10.7.4
  StackConfig config = Script::default_config();
  config.receive_limit = 1000;
  Script t(config);
  t.accept();
  t.inject(in().seq(1).ack(1).data(text(1500)));
  t.expect(kAck, 1, 1001);
  EXPECT_EQ(t.read(), text(1000));
}

TEST(Window, ClosesWhenNobodyReadsAndItsOpeningIsAnnounced) {  // RFC 9293 3.8.6
  StackConfig config = Script::default_config();
  config.receive_limit = 4000;
  Script t(config);
  t.accept();
  for (std::uint32_t i = 0; i < 4; ++i) t.inject(in().seq(1 + 1000 * i).ack(1).data(text(1000)));
  Sent last = t.expect();
  EXPECT_EQ(last.ack, 4001U);
  EXPECT_EQ(last.window, 0);
  EXPECT_EQ(t.inject(in().seq(4001).ack(1).data("probe")), Verdict::kAccepted);
  last = t.expect();
  EXPECT_EQ(last.ack, 4001U);
  EXPECT_EQ(last.window, 0);
  t.stack().consume(t.id, 500, t.now);  // too little to be worth a segment
  t.expect_silence();
  t.stack().consume(t.id, 3000, t.now);
  last = t.expect();
  EXPECT_EQ(last.ack, 4001U);
  EXPECT_GE(last.window, 3000);
}

TEST(Window, TheRightEdgeNeverMovesBack) {  // RFC 9293 3.8.6 SHLD-14
  StackConfig config = Script::default_config();
  config.receive_limit = 256 * 1024;  // scale 3: the field is rounded
  Script t(config);
  t.accept(in().mss(1000).scale(7));
  std::uint64_t edge = 0;
  std::uint32_t at = 1;
  for (std::uint32_t i = 0; i < 300; ++i) {
    t.inject(in().seq(at).ack(1).data(text(1 + i)));
    at += 1 + i;
    if (i % 5 == 0) t.read();
    t.advance(milliseconds(50));
    for (const Sent& s : t.drain()) {
      const std::uint64_t now_edge = s.ack + (std::uint64_t{s.window} << 3);
      EXPECT_GE(now_edge, edge);
      edge = now_edge;
    }
  }
}

TEST(Urgent, UrgentBytesAreOrdinaryBytes) {
  Script t;
  t.accept();
  t.inject(in().flags(kAck | kUrg).seq(1).ack(1).data("abc"));
  EXPECT_EQ(t.read(), "abc");
}

// ---- sending ----

TEST(Sending, TheInitialWindowIsTenSegments) {  // RFC 6928
  Script t;
  t.accept();
  t.write(text(30000));
  const auto sent = t.drain();
  ASSERT_EQ(sent.size(), 10U);
  for (const Sent& s : sent) EXPECT_EQ(s.payload.size(), 1000U);
}

TEST(Sending, SmallWritesGoOutAtOnce) {  // no Nagle
  Script t;
  t.accept();
  t.write("a");
  t.expect(kAck, 1, 1, 1);
  t.write("b");
  t.expect(kAck, 2, 1, 1);
}

TEST(Sending, SlowStartDoublesTheWindow) {  // RFC 5681 3.1
  Script t;
  t.accept();
  t.write(text(60000));
  EXPECT_EQ(t.drain().size(), 10U);
  t.advance(milliseconds(50));
  t.inject(in().seq(1).ack(10001));
  EXPECT_EQ(t.drain().size(), 20U);
}

TEST(Sending, ThePeersWindowIsRespected) {
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).window(2500));
  t.write(text(5000));
  const auto sent = t.drain();
  ASSERT_EQ(sent.size(), 2U);  // the rest of 500 would be silly (SWS): half a segment
  EXPECT_EQ(sent[1].payload.size(), 1000U);
}

TEST(Sending, TheOverrideTimerSendsASmallRest) {  // RFC 9293 3.8.6.2.1
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).window(2500));
  t.write(text(5000));
  EXPECT_EQ(t.drain().size(), 2U);
  t.inject(in().seq(1).ack(2001).window(500));
  t.expect_silence();
  t.advance(seconds(2));
  t.expect(kAck, 2001, 1, 500);
}

TEST(ZeroWindow, IsProbedWithGrowingPausesForAsLongAsThePeerAnswers) {  // RFC 9293 3.8.6.1
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).window(0));
  t.write("waiting");
  t.expect_silence();
  unsigned probes = 0;
  base::Duration since{};
  std::vector<base::Duration> pauses;
  for (int i = 0; i < 10 * 300; ++i) {
    t.advance(milliseconds(100));
    since += milliseconds(100);
    for (const Sent& s : t.drain()) {
      EXPECT_EQ(s.seq, 0U);  // one before the window
      EXPECT_TRUE(s.payload.empty());
      t.inject(in().seq(1).ack(1).window(0));
      ++probes;
      pauses.push_back(since);
      since = {};
    }
  }
  EXPECT_EQ(t.state(), State::kEstablished);
  ASSERT_GE(probes, 5U);
  EXPECT_LT(pauses[1], pauses[3]);
  EXPECT_LE(pauses.back(), seconds(61));
  t.inject(in().seq(1).ack(1).window(1000));
  t.expect(kAck, 1, 1, 7);
}

TEST(ZeroWindow, APeerThatStopsAnsweringIsGivenUp) {
  Script t;
  t.accept();
  t.inject(in().seq(1).ack(1).window(0));
  t.write("waiting");
  for (int i = 0; i < 100; ++i) {
    t.drain();
    t.advance(seconds(1));
  }
  t.expect_closed(CloseReason::kUserTimeout);
}

TEST(BackPressure, AShortWriteIsFollowedByWritable) {
  StackConfig config = Script::default_config();
  config.send_limit = 8000;
  Script t(config);
  t.accept();
  EXPECT_EQ(t.write(text(10000)), 8000U);
  EXPECT_EQ(t.stack().writable_bytes(t.id), 0U);
  t.drain();
  t.expect_no_event();
  t.inject(in().seq(1).ack(1001));  // too little to be worth an event
  t.expect_no_event();
  t.inject(in().seq(1).ack(4001));
  t.expect_event(EventKind::kWritable);
  EXPECT_EQ(t.write(text(10000)), 4000U);
}

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

// ---- keep-alive, idle ----

TEST(KeepAlive, AnsweredProbesKeepTheConnection) {  // RFC 9293 3.8.4
  StackConfig config = Script::default_config();
  config.keepalive_idle = config.keepalive_interval = seconds(30);
  Script t(config);
  t.accept();
  for (int i = 0; i < 20; ++i) {
    t.advance(seconds(31));
    t.expect(kAck, 0, 1);
    t.inject(in().seq(1).ack(1));
  }
  t.expect_no_event();
}

TEST(KeepAlive, UnansweredProbesEndIt) {
  StackConfig config = Script::default_config();
  config.keepalive_idle = config.keepalive_interval = seconds(30);
  Script t(config);
  t.accept();
  for (int i = 0; i < 3; ++i) {
    t.advance(seconds(30));
    t.expect(kAck, 0, 1);
    t.expect_no_event();
  }
  t.advance(seconds(31));
  t.expect_closed(CloseReason::kUserTimeout);
  t.expect_nothing_held();
}

TEST(KeepAlive, ThePeersProbeIsAnswered) {
  Script t;
  t.accept();
  t.inject(in().seq(0).ack(1));
  t.expect(kAck, 1, 1);
}

TEST(Idle, AConnectionWithoutDataIsEnded) {
  StackConfig config = Script::default_config();
  config.idle_timeout = seconds(900);
  Script t(config);
  t.accept();
  t.advance(seconds(899));
  t.expect_no_event();
  t.advance(seconds(2));
  t.expect_closed(CloseReason::kIdleTimeout);
  t.expect(kRst | kAck, 1, 1);
}

// ---- the pool ----

TEST(Pool, IdleConnectionsHoldNoChunk) {
  Script t;
  t.accept();
  t.write(text(5000));
  t.drain();
  t.inject(in().seq(1).ack(5001).data(text(900)));
  EXPECT_LT(t.stack().free_chunks(), t.owned.config.chunk_count);
  t.read();
  t.drain();
  EXPECT_EQ(t.stack().free_chunks(), t.owned.config.chunk_count);
}

TEST(Pool, AnEmptyPoolMakesWritesShortAndTheyGoOnLater) {
  StackConfig config = Script::default_config();
  config.chunk_count = 16;
  Script t(config);
  t.accept();
  std::size_t written = 0;
  for (int i = 0; i < 64; ++i) written += t.write(text(1000));
  EXPECT_LE(written, 16 * kChunkCapacity);
  EXPECT_GT(written, 8 * kChunkCapacity);
  const auto sent = t.drain();
  t.inject(in().seq(1).ack(1 + static_cast<std::uint32_t>(1000 * sent.size())));
  t.advance(milliseconds(10));
  t.expect_event(EventKind::kWritable);
  EXPECT_GT(t.write(text(1000)), 0U);
}

TEST(Pool, WithoutAChunkInOrderBytesAreRefusedNotLost) {
  StackConfig config = Script::default_config();
  config.chunk_count = 8;
  Script t(config);
  t.accept();
  std::uint32_t at = 1;
  for (int i = 0; i < 40; ++i) {
    if (t.inject(in().seq(at).ack(1).data(text(1000))) != Verdict::kAccepted) break;
    at += 1000;
  }
  EXPECT_GT(t.counter(ipc::Counter::kDropTcpNoMemory), 0U);
  const std::size_t kept = t.read().size();
  EXPECT_GE(kept, 7 * kChunkCapacity - 1000);
  EXPECT_EQ(t.inject(in().seq(1 + static_cast<std::uint32_t>(kept)).ack(1).data("more")),
            Verdict::kAccepted);
  EXPECT_EQ(t.read(), "more");
}

TEST(Pool, OutOfOrderBytesYieldToInOrderOnes) {
  StackConfig config = Script::default_config();
  config.chunk_count = 16;
  Script t(config);
  t.accept();
  for (std::uint32_t i = 0; i < 12; ++i) t.inject(in().seq(2001 + 2000 * i).ack(1).data("x"));
  EXPECT_GE(t.stack().free_chunks(), 3U);  // a quarter is not for them
  std::uint32_t at = 1;
  for (int i = 0; i < 20; ++i) {
    t.inject(in().seq(at).ack(1).data(text(1000)));
    at += 1000;
  }
  EXPECT_GE(t.read().size(), 12000U);
}

TEST(Transfer, MovesBytesOfOneConnectionToTheOther) {
  Script t;
  t.accept();
  const ConnectionId client = t.id;
  t.inject(in().seq(1).ack(1).data(text(3000)));
  t.drain();
  t.expect_event(EventKind::kReadable);
  t.peer = {base::IpAddress::v4(0xcb007105), 8080};
  t.local.port = 30000;
  t.connect_fully();
  EXPECT_EQ(t.stack().transfer(client, t.id, 2500, t.now), 2500U);
  std::string sent;
  for (const Sent& s : t.drain()) sent += s.payload;
  EXPECT_EQ(sent, text(3000).substr(0, 2500));
  EXPECT_EQ(t.stack().info(client).readable, 500U);
  EXPECT_EQ(t.stack().transfer(client, t.id, 9999, t.now), 500U);
}

TEST(Transfer, AFullSinkStopsItAndWritableFollows) {
  StackConfig config = Script::default_config();
  config.send_limit = 4000;
  Script t(config);
  t.accept();
  const ConnectionId client = t.id;
  for (std::uint32_t i = 0; i < 10; ++i) t.inject(in().seq(1 + 1000 * i).ack(1).data(text(1000)));
  t.drain();
  while (t.event()) {
  }
  t.peer = {base::IpAddress::v4(0xcb007105), 8080};
  t.local.port = 30000;
  t.connect_fully();
  EXPECT_EQ(t.stack().transfer(client, t.id, 10000, t.now), 4000U);
  EXPECT_EQ(t.stack().info(client).readable, 6000U);
  t.drain();
  t.inject(in().seq(1).ack(4001));
  t.expect_event(EventKind::kWritable);
  EXPECT_EQ(t.stack().transfer(client, t.id, 10000, t.now), 4000U);
}

}  // namespace
}  // namespace brink::tcp
