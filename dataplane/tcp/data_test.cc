// Bytes in and out, acknowledgments, windows, back-pressure: scripted packets.
#include "dataplane/tcp/script.h"

namespace brink::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

}  // namespace
}  // namespace brink::tcp
