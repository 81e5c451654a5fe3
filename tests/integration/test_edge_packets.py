"""Every malformed class of packet is handled or dropped under its own name, and brink-edge lives.

Each case is a frame and the one counter that must move. The truncations are made of every byte of
every header; whatever is cut, the sum of all outcomes must be the number of frames taken in.
"""
import logging
import struct

import pytest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (  # noqa: E402
    ARP, DNS, DNSQR, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6EchoReply,
    ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6PacketTooBig,
    IPOption_NOP, IPOption_RR, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting, Raw)

from edge_on_pcap import EDGE_MAC, PEER_MAC, run_edge  # noqa: E402

CLIENT, CLIENT6 = "198.51.100.10", "2001:db8:c::10"
DNS4, DNS6 = "192.0.2.129", "2001:db8:a::129"
WEB4, WEB6 = "192.0.2.140", "2001:db8:a::140"
OWN4 = "192.0.2.2"

# What a frame that was taken in can end as. Each counts exactly one frame.
FATES = ("dns_answers", "icmp_echo_replies", "icmp_errors", "link_replies", "exception_out",
         "tcp_segments_in")


def ether(**fields):
    return Ether(src=PEER_MAC, dst=fields.pop("dst", EDGE_MAC), **fields)


def ip4(dst=DNS4, **fields):
    return IP(src=fields.pop("src", CLIENT), dst=dst, **fields)


def ip6(dst=DNS6, **fields):
    return IPv6(src=fields.pop("src", CLIENT6), dst=dst, **fields)


def query(**fields):
    return UDP(sport=4000, dport=53, **fields) / DNS(id=7, rd=1, qd=DNSQR(qname="www.example.com"))


def syn(**fields):
    return TCP(sport=4000, dport=80, flags="S", seq=9, options=[("MSS", 1460)], **fields)


def patched(packet, offset, data):
    frame = bytearray(bytes(packet))
    frame[offset:offset + len(data)] = data
    return bytes(frame)



def cases():
    q4, q6 = ether() / ip4() / query(), ether() / ip6() / query()
    s4 = ether() / ip4(WEB4) / syn()
    quoted = IP(src=WEB4, dst=CLIENT) / TCP(sport=80, dport=4000)
    return [
        ("IPv4 query", q4, "dns_answers"),
        ("IPv6 query", q6, "dns_answers"),
        ("padded query", bytes(q4) + bytes(30), "dns_answers"),
        ("UDP without a checksum over IPv4", ether() / ip4() / query(chksum=0), "dns_answers"),
        ("IPv4 options", ether() / ip4(options=[IPOption_NOP()] * 4) / query(), "dns_answers"),
        ("record route", ether() / ip4(options=[IPOption_RR(routers=["0.0.0.0"] * 4)]) / query(),
         "dns_answers"),
        ("hop-by-hop options", ether() / ip6() / IPv6ExtHdrHopByHop() / query(), "dns_answers"),
        ("two extension headers",
         ether() / ip6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / query(), "dns_answers"),
        ("atomic fragment", ether() / ip6() / IPv6ExtHdrFragment() / query(), "dns_answers"),
        ("routing header used up", ether() / ip6() / IPv6ExtHdrRouting(addresses=[], segleft=0) / query(),
         "dns_answers"),
        ("priority tag", ether() / Dot1Q(vlan=0, prio=5) / ip4() / query(), "dns_answers"),
        ("echo over IPv4", ether() / ip4() / ICMP() / b"data", "icmp_echo_replies"),
        ("echo over IPv6", ether() / ip6() / ICMPv6EchoRequest(data=b"data"), "icmp_echo_replies"),
        ("ARP for a service address", ether(dst="ff:ff:ff:ff:ff:ff") /
         ARP(op=1, hwsrc=PEER_MAC, psrc="192.0.2.1", pdst=DNS4), "link_replies"),
        ("solicitation of a service address", ether(dst="33:33:ff:00:01:29") /
         IPv6(src="fe80::99", dst="ff02::1:ff00:129", hlim=255) / ICMPv6ND_NS(tgt=DNS6),
         "link_replies"),
        ("SYN", s4, "tcp_segments_in"),
        ("SYN over IPv6", ether() / ip6(WEB6) / syn(), "tcp_segments_in"),
        ("ICMP error about our TCP", ether() / ip4(WEB4) / ICMP(type=3, code=4) / quoted,
         "icmp_errors"),
        ("ICMPv6 error about our TCP", ether() / ip6(WEB6) / ICMPv6PacketTooBig(mtu=1280) /
         IPv6(src=WEB6, dst=CLIENT6) / TCP(sport=80, dport=4000), "icmp_errors"),

        ("another station", ether(dst="02:00:00:00:00:55") / ip4() / query(), "drop_ethernet_foreign"),
        ("unknown ethertype", ether(type=0x88CC) / Raw(bytes(50)), "drop_ethertype_unknown"),
        ("a VLAN", ether() / Dot1Q(vlan=7) / ip4() / query(), "drop_vlan_unknown"),
        ("two VLAN tags", ether() / Dot1Q(vlan=0) / Dot1Q(vlan=0) / ip4() / query(),
         "drop_vlan_unknown"),
        ("a service tag", ether(type=0x88A8) / Raw(bytes(60)), "drop_vlan_unknown"),
        ("ARP of other hardware", ether() / ARP(hwtype=6, psrc="192.0.2.1", pdst=DNS4),
         "drop_arp_malformed"),
        ("ARP reply to a service address", ether() / ARP(op=2, psrc="192.0.2.1", pdst=DNS4),
         "drop_arp_malformed"),
        ("IPv4 version 5", ether() / ip4(version=5) / query(), "drop_ipv4_malformed"),
        ("IPv4 header of 16 bytes", ether() / ip4(ihl=4) / query(), "drop_ipv4_malformed"),
        ("IPv4 header longer than the packet", ether() / ip4(ihl=15, len=40) / UDP() / bytes(12),
         "drop_ipv4_malformed"),
        ("IPv4 total length past the frame", ether() / ip4(len=900) / query(), "drop_ipv4_malformed"),
        ("IPv4 total length below the header", ether() / ip4(len=19) / query(), "drop_ipv4_malformed"),
        ("IPv4 checksum", ether() / ip4(chksum=1) / query(), "drop_ipv4_checksum"),
        ("IPv4 options with a wrong checksum",
         ether() / ip4(options=[IPOption_NOP()] * 4, chksum=1) / query(), "drop_ipv4_checksum"),
        ("first fragment", ether() / ip4(flags="MF") / query(), "drop_fragment"),
        ("last fragment", ether() / ip4(frag=100) / Raw(bytes(60)), "drop_fragment"),
        ("IPv6 first fragment", ether() / ip6() / IPv6ExtHdrFragment(m=1) / query(), "drop_fragment"),
        ("IPv6 last fragment", ether() / ip6() / IPv6ExtHdrFragment(offset=9, nh=17) / Raw(bytes(60)),
         "drop_fragment"),
        ("IPv6 version 4", patched(q6, 14, b"\x40"), "drop_ipv6_malformed"),
        ("IPv6 payload length past the frame", ether() / ip6(plen=900) / query(),
         "drop_ipv6_malformed"),
        ("mapped IPv6 source", ether() / ip6(src="::ffff:198.51.100.10") / query(),
         "drop_ipv6_malformed"),
        ("nine extension headers", ether() / ip6() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() /
         IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() /
         IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / query(),
         "drop_ipv6_extension"),
        ("hop-by-hop second", ether() / ip6() / IPv6ExtHdrDestOpt(nh=0) / IPv6ExtHdrHopByHop() /
         query(), "drop_ipv6_extension"),
        ("routing header with segments left",
         ether() / ip6() / IPv6ExtHdrRouting(addresses=[DNS6], segleft=1) / query(),
         "drop_ipv6_extension"),
        ("UDP length below its header", ether() / ip4() / UDP(dport=53, len=7) / bytes(20),
         "drop_udp_malformed"),
        ("UDP length past the packet", ether() / ip4() / UDP(dport=53, len=99) / bytes(20),
         "drop_udp_malformed"),
        ("UDP checksum", ether() / ip4() / query(chksum=1), "drop_udp_checksum"),
        ("UDP checksum over IPv6", ether() / ip6() / query(chksum=1), "drop_udp_checksum"),
        ("no UDP checksum over IPv6", patched(q6, 14 + 40 + 6, b"\0\0"), "drop_udp_checksum"),
        ("TCP checksum", ether() / ip4(WEB4) / syn(chksum=1), "drop_tcp_checksum"),
        ("TCP header longer than the segment", ether() / ip4(WEB4) / syn(dataofs=15),
         "drop_tcp_malformed"),
        ("TCP header of 16 bytes", ether() / ip4(WEB4) / syn(dataofs=4), "drop_tcp_malformed"),
        ("ICMP checksum", ether() / ip4() / ICMP(chksum=1) / b"data", "drop_icmp_malformed"),
        ("ICMPv6 checksum", ether() / ip6() / ICMPv6EchoRequest(cksum=1), "drop_icmp_malformed"),
        ("ICMP timestamp", ether() / ip4() / ICMP(type=13), "drop_icmp_other"),
        ("ICMP error about UDP", ether() / ip4() / ICMP(type=3, code=3) / IP(src=DNS4, dst=CLIENT) /
         UDP(sport=53, dport=4000), "drop_icmp_other"),
        ("ICMP error with its quotation cut", ether() / ip4() / ICMP(type=3, code=3) / b"\x45",
         "drop_icmp_malformed"),
        ("ICMPv6 echo reply", ether() / ip6() / ICMPv6EchoReply(), "drop_icmp_other"),
        ("ICMPv6 unreachable about nothing", ether() / ip6() / ICMPv6DestUnreach(),
         "drop_icmp_malformed"),
        ("loopback source", ether() / ip4(src="127.0.0.1") / query(), "drop_bad_source"),
        ("multicast source", ether() / ip4(src="224.0.0.5") / query(), "drop_bad_source"),
        ("broadcast source", ether() / ip4(src="255.255.255.255") / query(), "drop_bad_source"),
        ("our own service address as source", ether() / ip4(src=WEB4) / query(), "drop_bad_source"),
        ("the box as source", ether() / ip4(src=OWN4) / query(), "drop_bad_source"),
        ("unspecified IPv6 source", ether() / ip6(src="::") / query(), "drop_bad_source"),
        ("no port to reply to", ether() / ip4() / UDP(sport=0, dport=53) / DNS(id=7), "drop_bad_source"),
        ("another UDP port", ether() / ip4() / UDP(dport=54) / b"x", "drop_port_closed"),
        ("DNS to a proxied address", ether() / ip4(WEB4) / query(), "drop_port_closed"),
        ("another TCP port", ether() / ip4(WEB4) / TCP(dport=22, flags="S"), "drop_port_closed"),
        ("another protocol", ether() / ip4(proto=47) / Raw(bytes(20)), "drop_port_closed"),
        ("a SYN to a worker's own port", ether() / ip4(OWN4) / TCP(dport=40000, flags="S"),
         "drop_port_closed"),
        ("the box itself", ether() / ip4(OWN4) / ICMP(), "drop_no_kernel_path"),
        ("DNS header cut", ether() / ip4() / UDP(sport=4000, dport=53) / bytes(11), "drop_dns_short"),
        ("a DNS response", ether() / ip4() / UDP(sport=4000, dport=53) / DNS(qr=1),
         "drop_dns_response"),
    ]


CASES = cases()


def outcome(stats):
    """How many frames ended in any way at all: the stack's own drops are of segments counted in."""
    return sum(value for name, value in stats.counters.items()
               if name in FATES or (name.startswith("drop_") and not name.startswith("drop_tcp_b")
                                    and name not in ("drop_tcp_out_of_window",
                                                     "drop_tcp_control_full", "drop_tx_full")))


@pytest.fixture(scope="module")
def by_counter():
    """The cases of each counter: one run of brink-edge takes them together."""
    groups = {}
    for name, packet, counter in CASES:
        groups.setdefault(counter, []).append((name, bytes(packet)))
    return groups


@pytest.mark.parametrize("counter", sorted({case[2] for case in CASES}))
def test_each_class_has_its_counter(by_counter, counter):
    frames = by_counter[counter]
    stats, sent = run_edge([frame for _, frame in frames])
    names = [name for name, _ in frames]
    assert stats[counter] == len(frames), (names, stats.nonzero())
    if counter.startswith("drop_"):
        assert sent == [], names
    others = {name: value for name, value in stats.nonzero().items()
              if name.startswith("drop_") and name != counter}
    assert others == {}, names


def pieces():
    """Whole packets, to be cut at every byte."""
    return {
        "UDP over IPv4": ether() / ip4() / query(),
        "UDP over IPv4 with options": ether() / ip4(options=[IPOption_NOP()] * 12) / query(),
        "UDP over IPv6": ether() / ip6() / query(),
        "UDP over IPv6 with extension headers":
            ether() / ip6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment() / query(),
        "priority tagged": ether() / Dot1Q(vlan=0) / ip4() / query(),
        "TCP over IPv4": ether() / ip4(WEB4) / syn(),
        "TCP over IPv6": ether() / ip6(WEB6) / syn(),
        "ICMP echo": ether() / ip4() / ICMP() / b"data",
        "ICMPv6 echo": ether() / ip6() / ICMPv6EchoRequest(data=b"data"),
        "ICMP error": ether() / ip4(WEB4) / ICMP(type=3, code=1) / IP(src=WEB4, dst=CLIENT) /
            TCP(sport=80, dport=4000),
        "ARP": ether() / ARP(op=1, psrc="192.0.2.1", pdst=DNS4),
    }


@pytest.mark.parametrize("name", sorted(pieces()))
def test_a_frame_cut_at_any_byte_is_dropped_by_name(name):
    whole = bytes(pieces()[name])
    frames = [whole[:size] for size in range(1, len(whole))]
    stats, sent = run_edge(frames)
    assert sent == []
    assert outcome(stats) == len(frames), stats.nonzero()
    assert stats["drop_ethernet_truncated"] == (17 if name == "priority tagged" else 13)
    malformed = {"IPv4": "drop_ipv4_malformed", "ARP": "drop_arp_malformed"}
    network = "ARP" if name == "ARP" else "IPv6" if "IPv6" in name or "ICMPv6" in name else "IPv4"
    counter = malformed.get(network, "drop_ipv6_malformed")
    assert stats[counter] == len(frames) - stats["drop_ethernet_truncated"], stats.nonzero()


@pytest.mark.parametrize("name", [n for n in sorted(pieces()) if n != "ARP"])
def test_a_packet_cut_with_its_length_made_right_is_accounted_for(name):
    """The IP header says the truth about the cut, so the transport (or the extension header, or the
    DNS message) is what is cut."""
    packet = pieces()[name]
    layer = packet.getlayer(IP) or packet.getlayer(IPv6)
    header = len(layer) - len(layer.payload) if isinstance(layer, IP) else 40
    offset = len(packet) - len(layer)
    whole = bytes(packet)
    frames = []
    for size in range(offset + header, len(whole)):
        cut = bytearray(whole[:size])
        if isinstance(layer, IP):
            struct.pack_into("!HHHBBH", cut, offset + 2, size - offset, 1, 0, 64, cut[offset + 9], 0)
            cut[offset + 10:offset + 12] = struct.pack("!H", checksum(cut[offset:offset + header]))
        else:
            struct.pack_into("!H", cut, offset + 4, size - offset - 40)
        frames.append(bytes(cut))
    stats, sent = run_edge(frames)
    assert sent == [], stats.nonzero()
    assert outcome(stats) == len(frames), stats.nonzero()
    allowed = {"drop_udp_malformed", "drop_udp_checksum", "drop_tcp_malformed", "drop_tcp_checksum",
               "drop_icmp_malformed", "drop_ipv6_extension", "drop_port_closed"}
    if name == "ICMP error":
        allowed.add("icmp_errors")  # zeros cut from the end of the quotation do not change its sum
    ended = set(stats.nonzero()) - {"rx_packets", "rx_bytes", "ipv4_options"}
    assert ended <= allowed, stats.nonzero()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", bytes(data)))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def test_answers_are_sound_packets_back_to_the_sender():
    frames = [bytes(packet) for name, packet, counter in CASES
              if counter in ("dns_answers", "icmp_echo_replies")]
    stats, sent = run_edge(frames)
    def way(packet):
        layer = packet.getlayer(IP) or packet.getlayer(IPv6)
        return layer.src, layer.dst, packet.haslayer(UDP) == 1

    asked = sorted(way(Ether(frame)) for frame in frames)
    told = sorted((dst, src, udp) for src, dst, udp in map(way, map(Ether, sent)))
    assert told == asked
    for after in sent:
        reply = Ether(after)
        assert (reply.src, reply.dst) == (EDGE_MAC, PEER_MAC)
        # Nothing of the request's options or extension headers comes back, nor its padding.
        layer = reply.getlayer(IP) or reply.getlayer(IPv6)
        assert layer.ihl == 5 if layer.version == 4 else layer.nh in (17, 58)
        rebuilt = Ether(after)
        for kind in rebuilt.layers():
            for field in ("chksum", "cksum"):
                if field in [f.name for f in kind.fields_desc]:
                    rebuilt[kind].delfieldval(field)
        assert bytes(rebuilt) == after, "every length and checksum is right"
        if reply.haslayer(UDP):
            assert reply[UDP].sport == 53 and reply[DNS].an[0].rdata == "192.0.2.140"


def test_link_replies_name_our_station():
    frames = [bytes(packet) for name, packet, counter in CASES if counter == "link_replies"]
    _, sent = run_edge(frames)
    arp, advertisement = Ether(sent[0]), Ether(sent[1])
    assert arp[ARP].op == 2 and arp[ARP].hwsrc == EDGE_MAC and arp[ARP].psrc == DNS4
    assert advertisement[ICMPv6ND_NA].tgt == DNS6
    assert advertisement[ICMPv6NDOptDstLLAddr].lladdr == EDGE_MAC and advertisement[IPv6].hlim == 255


def test_a_configured_vlan_is_answered_in_that_vlan():
    frames = [bytes(ether() / Dot1Q(vlan=42, prio=3) / ip4() / query()),
              bytes(ether() / ip4() / query()),
              bytes(ether() / Dot1Q(vlan=43) / ip4() / query())]
    stats, sent = run_edge(frames, port="vlan = 42")
    assert stats["dns_answers"] == 1 and stats["drop_vlan_unknown"] == 2
    reply = Ether(sent[0])
    assert reply[Dot1Q].vlan == 42 and reply[DNS].ancount == 1


def test_a_syn_is_answered_by_the_gateway():
    stats, sent = run_edge([bytes(ether() / ip4(WEB4) / syn())])
    reply = Ether(sent[0])
    assert reply[TCP].flags == "SA" and reply[TCP].ack == 10
    assert reply.dst == PEER_MAC and reply[IP].src == WEB4
    assert dict(reply[TCP].options)["MSS"] == 1460
