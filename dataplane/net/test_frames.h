// Frames for tests, built by hand from the RFCs' layouts and not with the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/ip.h"
#include "dataplane/net/mac.h"

namespace brink::net::test {

using Frame = std::vector<std::uint8_t>;

inline const MacAddress kOurMac = *MacAddress::parse("02:00:00:00:00:01");
inline const MacAddress kPeerMac = *MacAddress::parse("02:00:00:00:00:99");

// "0a 0b0c" -> bytes; anything but hex digits is skipped.
inline Frame hex(const std::string& text) {
  Frame out;
  int high = -1;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) continue;
    const int value = digit ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      out.push_back(static_cast<std::uint8_t>(high * 16 + value));
      high = -1;
    }
  }
  return out;
}

inline Frame operator+(Frame left, const Frame& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// RFC 1071, the plain way: 16-bit words, big-endian, carries folded.
inline std::uint16_t plain_checksum(const Frame& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8);
    if (i + 1 < bytes.size()) sum += bytes[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

inline void put16(Frame& frame, std::size_t at, std::uint16_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

inline Frame ethernet(std::uint16_t ethertype, const Frame& payload,
                      const MacAddress& to = kOurMac) {
  Frame frame(to.bytes().begin(), to.bytes().end());
  frame.insert(frame.end(), kPeerMac.bytes().begin(), kPeerMac.bytes().end());
  frame.push_back(static_cast<std::uint8_t>(ethertype >> 8));
  frame.push_back(static_cast<std::uint8_t>(ethertype));
  return frame + payload;
}

inline Frame vlan(std::uint16_t tag, std::uint16_t ethertype, const Frame& payload) {
  Frame body(4);
  put16(body, 0, tag);
  put16(body, 2, ethertype);
  return ethernet(0x8100, body + payload);
}

inline Frame address_bytes(const std::string& text) {
  const auto address = *base::IpAddress::parse(text);
  if (address.is_v4()) return Frame(address.v4_wire(), address.v4_wire() + 4);
  return Frame(address.bytes().begin(), address.bytes().end());
}

inline Frame ipv4(std::uint8_t protocol, const std::string& from, const std::string& to,
                  const Frame& payload, const Frame& options = {}) {
  Frame header(12);
  header[0] = static_cast<std::uint8_t>(0x45 + options.size() / 4);
  put16(header, 2, static_cast<std::uint16_t>(20 + options.size() + payload.size()));
  put16(header, 4, 0x1234);
  header[8] = 55;
  header[9] = protocol;
  header = header + address_bytes(from) + address_bytes(to) + options;
  put16(header, 10, plain_checksum(header));
  return header + payload;
}

inline Frame ipv6(std::uint8_t next, const std::string& from, const std::string& to,
                  const Frame& payload, std::uint8_t hop_limit = 55) {
  Frame header(8);
  header[0] = 0x60;
  put16(header, 4, static_cast<std::uint16_t>(payload.size()));
  header[6] = next;
  header[7] = hop_limit;
  return header + address_bytes(from) + address_bytes(to) + payload;
}

// The pseudo-header of either family (RFC 768, RFC 8200 8.1).
inline Frame pseudo(std::uint8_t protocol, const std::string& from, const std::string& to,
                    std::size_t size) {
  Frame tail(8);
  put16(tail, 2, static_cast<std::uint16_t>(size));
  tail[7] = protocol;
  return address_bytes(from) + address_bytes(to) + tail;
}

// Fills the checksum of a transport segment at `field`.
inline Frame summed(std::uint8_t protocol, const std::string& from, const std::string& to,
                    Frame segment, std::size_t field) {
  put16(segment, field, 0);
  put16(segment, field, plain_checksum(pseudo(protocol, from, to, segment.size()) + segment));
  return segment;
}

inline Frame udp(const std::string& from, std::uint16_t source, const std::string& to,
                 std::uint16_t destination, const Frame& data) {
  Frame header(8);
  put16(header, 0, source);
  put16(header, 2, destination);
  put16(header, 4, static_cast<std::uint16_t>(8 + data.size()));
  return summed(17, from, to, header + data, 6);
}

inline Frame tcp_segment(const std::string& from, std::uint16_t source, const std::string& to,
                         std::uint16_t destination, std::uint8_t flags) {
  Frame header(20);
  put16(header, 0, source);
  put16(header, 2, destination);
  header[7] = 1;
  header[12] = 0x50;
  header[13] = flags;
  put16(header, 14, 0xffff);
  return summed(6, from, to, header, 16);
}

inline Frame tcp_syn(const std::string& from, std::uint16_t source, const std::string& to,
                     std::uint16_t destination) {
  return tcp_segment(from, source, to, destination, 2);
}

inline Frame echo_request(const Frame& data) {
  Frame message = hex("08 00 0000 1234 0001") + data;
  put16(message, 2, plain_checksum(message));
  return message;
}

inline Frame echo_request_v6(const std::string& from, const std::string& to, const Frame& data) {
  return summed(58, from, to, hex("80 00 0000 1234 0001") + data, 2);
}

}  // namespace brink::net::test
