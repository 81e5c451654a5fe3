#include "dataplane/net/icmp_error.h"

#include <gtest/gtest.h>

#include "dataplane/net/test_frames.h"

namespace brink::net {
namespace {

using namespace test;  // NOLINT: the frame builders are this file's vocabulary

const std::string kRouter = "198.51.100.1";
const std::string kClient = "198.51.100.10";
const std::string kService = "192.0.2.140";
const std::string kRouter6 = "2001:db8:c::1";
const std::string kClient6 = "2001:db8:c::10";
const std::string kService6 = "2001:db8:a::140";

Frame error4(const std::string& type_and_rest, const Frame& quoted) {
  Frame message = hex(type_and_rest) + quoted;
  put16(message, 2, plain_checksum(message));
  return ethernet(0x0800, ipv4(1, kRouter, kService, message));
}

Frame error6(const std::string& type_and_rest, const Frame& quoted) {
  return ethernet(0x86dd, ipv6(58, kRouter6, kService6,
                               summed(58, kRouter6, kService6, hex(type_and_rest) + quoted, 2)));
}

Frame quoted4() {
  return ipv4(6, kService, kClient, tcp_syn(kService, 80, kClient, 4000));
}
Frame quoted6() {
  return ipv6(6, kService6, kClient6, tcp_syn(kService6, 80, kClient6, 4000));
}

Verdict judge(const Frame& frame, IcmpError& error) {
  Packet packet;
  EXPECT_EQ(parse_frame(frame, Link{kOurMac, 0, false}, false, packet), Verdict::kAccepted);
  return parse_icmp_error(frame, packet, error);
}

TEST(IcmpError, TellsWhichConnectionAndWhat) {
  IcmpError error;
  ASSERT_EQ(judge(error4("0304 0000 0000 0578", quoted4()), error), Verdict::kAccepted);
  EXPECT_EQ(error.kind, IcmpErrorKind::kPacketTooBig);
  EXPECT_EQ(error.mtu, 1400);
  EXPECT_EQ(error.local, (base::Endpoint{*base::IpAddress::parse(kService), 80}));
  EXPECT_EQ(error.remote, (base::Endpoint{*base::IpAddress::parse(kClient), 4000}));
  EXPECT_EQ(error.sequence, 1U);

  ASSERT_EQ(judge(error6("0200 0000 00000500", quoted6()), error), Verdict::kAccepted);
  EXPECT_EQ(error.kind, IcmpErrorKind::kPacketTooBig);
  EXPECT_EQ(error.mtu, 1280);
  EXPECT_EQ(error.local.address, base::IpAddress::parse(kService6));

  ASSERT_EQ(judge(error4("0301 0000 00000000", quoted4()), error), Verdict::kAccepted);
  EXPECT_EQ(error.kind, IcmpErrorKind::kUnreachable);
  ASSERT_EQ(judge(error4("0b00 0000 00000000", quoted4()), error), Verdict::kAccepted);
  EXPECT_EQ(error.kind, IcmpErrorKind::kOther);
}

TEST(IcmpError, IgnoresOtherMessagesAndOtherProtocols) {
  IcmpError error;
  EXPECT_EQ(judge(error4("0000 0000 00000000", quoted4()), error), Verdict::kIcmpOther);
  const Frame udp_quote = ipv4(17, kService, kClient, udp(kService, 53, kClient, 4000, {}));
  EXPECT_EQ(judge(error4("0303 0000 00000000", udp_quote), error), Verdict::kIcmpOther);
  EXPECT_EQ(judge(error6("8800 0000 00000000", quoted6()), error), Verdict::kIcmpOther);
}

TEST(IcmpError, AQuotationCutAnywhereBeforeTheSequenceNumberIsMalformed) {
  IcmpError error;
  for (std::size_t size = 0; size < 28; ++size) {
    const Frame whole = quoted4();
    const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(judge(error4("0301 0000 00000000", cut), error), Verdict::kIcmpMalformed) << size;
  }
  for (std::size_t size = 0; size < 48; ++size) {
    const Frame whole = quoted6();
    const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(judge(error6("0100 0000 00000000", cut), error), Verdict::kIcmpMalformed) << size;
  }
  Frame damaged = error4("0301 0000 00000000", quoted4());
  damaged.back() ^= 1;
  EXPECT_EQ(judge(damaged, error), Verdict::kIcmpMalformed);
}

}  // namespace
}  // namespace brink::net
