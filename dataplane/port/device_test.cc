#include "dataplane/port/device.h"

#include <gtest/gtest.h>

namespace brink::port {
namespace {

TEST(ParseDevice, AutoTriesAfXdpThenAfPacket) {
  const auto devices = parse_device("auto:eth0", 2, 1);
  ASSERT_TRUE(devices.ok());
  ASSERT_EQ(devices.value().size(), 2U);
  EXPECT_EQ(devices.value()[0].name, "net_af_xdp0");
  EXPECT_EQ(devices.value()[0].arguments, "iface=eth0,start_queue=0,queue_count=1")
      << "no more sockets than the interface has channels";
  EXPECT_EQ(devices.value()[1].name, "net_af_packet0");
  EXPECT_NE(devices.value()[1].arguments.find("qpairs=2"), std::string::npos);
}

TEST(ParseDevice, TakesPciAddressesAndVirtualDevicesWithArguments) {
  const auto pci = parse_device("0000:0a:04.1,some=thing", 2, 1);
  ASSERT_TRUE(pci.ok());
  EXPECT_EQ(pci.value()[0].bus, "pci");
  EXPECT_EQ(pci.value()[0].name, "0000:0a:04.1");
  EXPECT_EQ(pci.value()[0].arguments, "some=thing");
  const auto memif = parse_device("net_memif0,role=client,id=1", 2, 1);
  ASSERT_TRUE(memif.ok());
  EXPECT_EQ(memif.value()[0].bus, "vdev");
  EXPECT_EQ(memif.value()[0].name, "net_memif0");
  EXPECT_EQ(memif.value()[0].arguments, "role=client,id=1");
}

TEST(ParseDevice, RefusesWhatIsNoneOfThese) {
  for (const char* text :
       {"", "eth0", "auto:", "auto:eth0,qpairs=2", "auto:a-name-that-is-too-long", "0000:00:04",
        "000:00:04.0", "0000-00-04.0", "net"}) {
    const auto devices = parse_device(text, 1, 1);
    ASSERT_FALSE(devices.ok()) << text;
    EXPECT_EQ(devices.error().where, text);
    EXPECT_NE(devices.error().remedy.find("auto:IFACE"), std::string::npos);
  }
}

TEST(InterfaceChannels, IsOneForWhatHasNone) {
  EXPECT_EQ(interface_channels("lo"), 1U);
  EXPECT_EQ(interface_channels("nonesuch"), 1U);
}

}  // namespace
}  // namespace brink::port
