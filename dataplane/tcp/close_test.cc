// Closing in every order, TIME_WAIT, release and abort: scripted packets.
#include "dataplane/tcp/script.h"

namespace brink::tcp {
namespace {

using std::chrono::seconds;

TEST(Close, ByUsFirst) {  // RFC 9293 figure 12
  Script t;
  t.accept();
  t.close();
  t.expect(kAck | kFin, 1, 1);
  EXPECT_EQ(t.state(), State::kFinWait1);
  t.inject(in().seq(1).ack(2));
  EXPECT_EQ(t.state(), State::kFinWait2);
  t.inject(in().flags(kAck | kFin).seq(1).ack(2));
  t.expect(kAck, 2, 2);
  t.expect_event(EventKind::kPeerClosed);
  t.expect_closed(CloseReason::kNormal);
  EXPECT_EQ(t.stack().time_wait_count(), 1U);
  t.expect_nothing_held();
  t.advance(seconds(61));
  EXPECT_EQ(t.stack().time_wait_count(), 0U);
}

TEST(Close, ByThePeerFirst) {
  Script t;
  t.accept();
  t.inject(in().flags(kAck | kFin).seq(1).ack(1));
  t.expect(kAck, 1, 2);
  t.expect_event(EventKind::kPeerClosed);
  EXPECT_EQ(t.state(), State::kCloseWait);
  EXPECT_EQ(t.write("last words"), 10U);  // half closed: our direction goes on
  t.close();
  t.expect(kAck | kFin, 1, 2, 10);
  EXPECT_EQ(t.state(), State::kLastAck);
  t.inject(in().seq(2).ack(12));
  t.expect_closed(CloseReason::kNormal);
  EXPECT_EQ(t.stack().time_wait_count(), 0U);
  t.expect_nothing_held();
}

TEST(Close, Simultaneously) {  // RFC 9293 figure 13
  Script t;
  t.accept();
  t.close();
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().flags(kAck | kFin).seq(1).ack(1));
  EXPECT_EQ(t.state(), State::kClosing);
  t.expect(kAck, 2, 2);
  t.inject(in().seq(2).ack(2));
  t.expect_event(EventKind::kPeerClosed);
  t.expect_closed(CloseReason::kNormal);
  EXPECT_EQ(t.stack().time_wait_count(), 1U);
}

TEST(Close, FinAndAckOfOurFinInOneSegment) {
  Script t;
  t.accept();
  t.close();
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().flags(kAck | kFin).seq(1).ack(2));
  t.expect(kAck, 2, 2);
  EXPECT_EQ(t.stack().time_wait_count(), 1U);
}

TEST(Close, AfterOursThePeerMaySendForLong) {
  Script t;
  t.accept();
  t.close();
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().seq(1).ack(2));
  t.advance(seconds(300));
  t.inject(in().seq(1).ack(2).data("still here"));
  t.expect_event(EventKind::kReadable);
  EXPECT_EQ(t.read(), "still here");
  EXPECT_EQ(t.write("no"), 0U);
}

TEST(Close, ALostFinIsSentAgain) {
  Script t;
  t.accept();
  t.write("x");
  t.close();
  t.expect(kAck | kFin, 1, 1, 1);
  t.advance(seconds(2));
  t.expect(kAck | kFin, 1, 1, 1);
  t.inject(in().seq(1).ack(2));  // the byte alone
  t.advance(seconds(4));
  t.expect(kAck | kFin, 2, 1);
}

TEST(Close, PeerClosedAndClosedComeAfterTheLastByte) {
  Script t;
  t.accept();
  t.close();
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().seq(1).ack(2));
  t.inject(in().flags(kAck | kFin).seq(1).ack(2).data("tail"));
  t.expect_event(EventKind::kReadable);
  t.expect_no_event();
  t.stack().consume(t.id, 3, t.now);
  t.expect_no_event();
  EXPECT_EQ(t.read(), "l");
  t.expect_event(EventKind::kPeerClosed);
  t.expect_closed(CloseReason::kNormal);
  t.expect_nothing_held();
}

TEST(Close, UnreadBytesOfAClosedConnectionDoNotStayForEver) {
  Script t;
  t.accept();
  t.close();
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().flags(kAck | kFin).seq(1).ack(2).data("tail"));
  t.expect_event(EventKind::kReadable);
  t.advance(seconds(91));
  t.expect_closed(CloseReason::kNormal);
  t.expect_nothing_held();
}

TEST(Close, BytesAfterAFinAreNotTaken) {
  Script t;
  t.accept();
  t.inject(in().flags(kAck | kFin).seq(1).ack(1));
  EXPECT_EQ(t.inject(in().seq(2).ack(1).data("x")), Verdict::kOutOfWindow);
  EXPECT_EQ(t.read(), "");
}

void to_time_wait(Script& t) {
  t.close();
  t.expect();
  t.inject(in().flags(kAck | kFin).seq(1).ack(2).timestamps(6000));
  t.drain();
  while (t.event()) {
  }
  ASSERT_EQ(t.stack().time_wait_count(), 1U);
}

TEST(TimeWait, AnswersARepeatedFinAndStaysLonger) {
  Script t;
  t.accept();
  to_time_wait(t);
  t.advance(seconds(50));
  t.inject(in().flags(kAck | kFin).seq(1).ack(2));
  t.expect(kAck, 2, 2);
  t.advance(seconds(50));
  EXPECT_EQ(t.stack().time_wait_count(), 1U);
  t.advance(seconds(11));
  EXPECT_EQ(t.stack().time_wait_count(), 0U);
}

TEST(TimeWait, IsNotEndedByAReset) {  // RFC 1337
  Script t;
  t.accept();
  to_time_wait(t);
  EXPECT_EQ(t.inject(in().flags(kRst).seq(2)), Verdict::kOutOfWindow);
  EXPECT_EQ(t.stack().time_wait_count(), 1U);
}

TEST(TimeWait, ANewerSynReopens) {  // RFC 9293 3.10.7.4, RFC 6191
  Script t;
  t.accept();
  const std::uint32_t old_isn = t.isn;
  to_time_wait(t);
  EXPECT_NE(t.inject(in().flags(kSyn).seq(1)), Verdict::kAccepted);  // an old one
  t.drain();
  EXPECT_EQ(t.inject(in().flags(kSyn).seq(5000)), Verdict::kAccepted);
  const Sent answer = t.expect();
  EXPECT_EQ(answer.flags, kSyn | kAck);
  EXPECT_GT(Sequence(t.isn), Sequence(old_isn + 2));
  EXPECT_EQ(t.stack().time_wait_count(), 0U);
}

TEST(TimeWait, ANewerTimestampReopensEvenWithAnOlderNumber) {  // RFC 6191 2
  Script t;
  t.accept(in().mss(1000).timestamps(5000));
  to_time_wait(t);
  EXPECT_NE(t.inject(in().flags(kSyn).seq(9000).timestamps(5500)), Verdict::kAccepted);
  EXPECT_EQ(t.inject(in().flags(kSyn).seq(0xffff0000).timestamps(6001)), Verdict::kAccepted);
}

TEST(TimeWait, OverTheLimitTheOldestIsForgotten) {
  Script t;
  for (std::uint16_t i = 0; i < 5; ++i) {
    t.peer.port = static_cast<std::uint16_t>(40000 + i);
    t.accept();
    t.close();
    t.expect();
    t.inject(in().flags(kAck | kFin).seq(1).ack(2));
    t.drain();
    while (t.event()) {
    }
  }
  EXPECT_EQ(t.stack().time_wait_count(), 4U);
  EXPECT_EQ(t.counter(ipc::Counter::kTcpTimeWaitRecycled), 1U);
}

TEST(Abort, SendsResetAndTells) {
  Script t;
  t.accept();
  t.write("queued");
  t.stack().abort(t.id, t.now);
  t.expect_closed(CloseReason::kAborted);
  t.expect(kRst | kAck, 1, 1);
  t.expect_nothing_held();
}

TEST(Abort, OfAnAttemptIsSilent) {
  Script t;
  t.connect();
  t.stack().abort(t.id, t.now);
  t.expect_silence();
  t.expect_closed(CloseReason::kAborted);
}

TEST(Release, FinishesWithoutTheApplication) {
  Script t;
  t.accept();
  t.write("bye");
  t.stack().release(t.id, t.now);
  EXPECT_EQ(t.state(), State::kClosed);  // the id is stale
  t.expect(kAck | kFin, 1, 1, 3);
  t.inject(in().seq(1).ack(1).data("in flight"));  // dropped but acknowledged
  t.inject(in().seq(10).ack(5));
  EXPECT_EQ(t.stack().connection_count(), 1U);
  t.inject(in().flags(kAck | kFin).seq(10).ack(5));
  t.expect_no_event();
  EXPECT_EQ(t.stack().connection_count(), 0U);
  EXPECT_EQ(t.stack().time_wait_count(), 1U);
}

TEST(Release, LaterBytesAreReset) {  // RFC 1122 4.2.2.13
  Script t;
  t.accept();
  t.stack().release(t.id, t.now);
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().seq(1).ack(2));
  t.inject(in().seq(1).ack(2).data("unwanted"));
  t.expect(kRst | kAck, 2, 1);
  t.expect_nothing_held();
}

TEST(Release, APeerThatNeverClosesIsForgotten) {
  Script t;
  t.accept();
  t.stack().release(t.id, t.now);
  t.expect(kAck | kFin, 1, 1);
  t.inject(in().seq(1).ack(2));
  t.advance(seconds(61));
  t.expect_nothing_held();
}

TEST(StaleId, EveryOperationDoesNothing) {
  Script t;
  t.accept();
  const ConnectionId old = t.id;
  t.stack().abort(old, t.now);
  t.expect_closed(CloseReason::kAborted);
  t.drain();
  t.peer.port = 40001;
  t.accept();  // takes the same slot
  EXPECT_EQ(t.id.index, old.index);
  Stack& stack = t.stack();
  const std::uint8_t byte[1] = {1};
  EXPECT_EQ(stack.write(old, byte, t.now), 0U);
  EXPECT_TRUE(stack.readable(old).empty());
  stack.consume(old, 1, t.now);
  stack.close(old, t.now);
  stack.release(old, t.now);
  stack.abort(old, t.now);
  stack.set_user(old, 9);
  EXPECT_EQ(stack.user(t.id), 0U);
  EXPECT_EQ(stack.transfer(old, t.id, 1, t.now), 0U);
  EXPECT_EQ(stack.info(old).state, State::kClosed);
  EXPECT_EQ(stack.writable_bytes({}), 0U);
  t.expect_silence();
  t.expect_no_event();
  EXPECT_EQ(t.state(), State::kEstablished);
}

}  // namespace
}  // namespace brink::tcp
