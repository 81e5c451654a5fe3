// Test support: zone text to a snapshot image, questions to bytes, responses to text. What a test
// compares is text as a person would write it, decoded by ldns and not by our own code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/snapshot/image.h"

namespace brink::test {

// Builds an image of zones given as {apex, zone file text}; aborts the test program on a bad zone.
snapshot::Image image_of_zones(const std::vector<std::pair<std::string, std::string>>& zones);

enum class Chain { kNsec, kNsec3, kNsec3OptOut };
// The text of a zone, signed with a fresh key, with a chain; by ldns. That with opt-out has iterations
// and salt.
std::string sign_zone(std::string_view apex, const std::string& text, Chain chain);

struct QuestionOptions {
  bool edns = false;
  bool dnssec_ok = false;
  std::uint16_t udp_size = 1232;
  std::uint16_t klass = 1;
  std::uint16_t flags = 0x0100;  // RD
};
std::vector<std::uint8_t> question(std::string_view name, std::uint16_t type,
                                   const QuestionOptions& options = {});

// A response as lines: "RCODE flags" first ("NOERROR aa rd"), then per section "an <record>",
// "ns <record>", "ar <record>" with single spaces, then "opt size=N do version=0" if there is one.
// "malformed: reason" if ldns cannot parse it.
std::string response_text(const std::vector<std::uint8_t>& message);

}  // namespace brink::test
