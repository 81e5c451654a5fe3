// What stands past octet 16,383 of a message cannot be pointed at (RFC 1035 4.1.4).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dns/answer/engine.h"
#include "tests/support/dns_image.h"

namespace brink::dns::answer {
namespace {

// As long as names may be, below z.
std::string link(int number) {
  std::string text = std::to_string(number);
  for (const std::size_t size : {63U, 63U, 63U, 59U}) {
    text.resize(text.rfind('.') + 1 + size, 'x');
    text += '.';
  }
  return text + "z.";
}

// As many aliases as a chain may have, and behind them `mail`, with two addresses each.
std::string chain_to_mail(const std::vector<std::string>& mail) {
  std::string zone = "$TTL 60\n@ SOA ns h 1 1 1 1 1\n@ NS ns\n";
  for (int i = 0; i < kChainMax; ++i) zone += link(i) + " CNAME " + link(i + 1) + "\n";
  for (const std::string& name : mail) {
    zone += link(kChainMax) + " MX 1 " + name + "\n";
    zone += name + " A 192.0.2.1\n" + name + " A 192.0.2.2\n";
  }
  return zone;
}

TEST(Pointers, ReachWhatTheyPointAtBehindTheLongestChain) {
  std::vector<std::string> mail;
  for (int i = 0; i < 70; ++i) {
    mail.push_back(std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(56, 'c') +
                   std::to_string(i) + ".far.z.");
  }
  const snapshot::Image image = test::image_of_zones({{"z.", chain_to_mail(mail)}});
  const auto asked = test::question(link(0), 15);
  std::vector<std::uint8_t> buffer(65535 + kSlack, 0xa5);
  std::copy(asked.begin(), asked.end(), buffer.begin());
  Message message{buffer.data(), static_cast<std::uint16_t>(asked.size()), 65535, nullptr};
  Engine engine;
  ipc::WorkerCounters counters;
  engine.answer_burst(image.view(), Transport::kStream, {&message, 1}, counters);
  buffer.resize(message.size);
  ASSERT_GT(buffer.size(), 0x4000U);
  const std::string text = test::response_text(buffer);
  for (const std::string& name : mail) {
    EXPECT_NE(text.find("MX 1 " + name), std::string::npos) << name;
  }
  for (std::size_t at = 0; (at = text.find("\nar ", at)) != std::string::npos;) {
    at += 4;
    EXPECT_EQ(text.compare(at, 64, std::string(63, 'a') + "."), 0) << text.substr(at, 100);
  }
}

}  // namespace
}  // namespace brink::dns::answer
