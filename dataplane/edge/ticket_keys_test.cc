#include "dataplane/edge/ticket_keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace brink::edge {
namespace {

secret::Key secret_of(std::uint8_t octet) {
  secret::Key key;
  key.bytes.fill(octet);
  return key;
}

bool same(const tls::TicketKey& a, const tls::TicketKey& b) {
  return a.name == b.name && a.cipher == b.cipher && a.mac == b.mac;
}

TEST(TicketKeys, ASecretMakesTheSameKeysEverywhere) {
  const tls::TicketKeys one = ticket_keys(secret_of(1), 480000);
  const tls::TicketKeys other = ticket_keys(secret_of(1), 480000);
  EXPECT_TRUE(same(one.current, other.current));
  EXPECT_TRUE(same(*one.previous, *other.previous));
  EXPECT_TRUE(same(*one.next, *other.next));
}

TEST(TicketKeys, TheNextHourTakesWhatThisOneMade) {
  const tls::TicketKeys now = ticket_keys(secret_of(1), 480000);
  const tls::TicketKeys later = ticket_keys(secret_of(1), 480001);
  EXPECT_TRUE(same(now.current, *later.previous));
  EXPECT_TRUE(same(*now.next, later.current));
  const tls::TicketKeys much_later = ticket_keys(secret_of(1), 480002);
  EXPECT_FALSE(same(now.current, much_later.current));
  EXPECT_FALSE(same(now.current, *much_later.previous));
}

TEST(TicketKeys, NoPartIsLikeAnother) {
  const tls::TicketKey key = ticket_keys(secret_of(1), 480000).current;
  EXPECT_NE(key.cipher, key.mac);
  EXPECT_FALSE(std::equal(key.name.begin(), key.name.end(), key.cipher.begin()));
  EXPECT_FALSE(same(key, ticket_keys(secret_of(2), 480000).current));
}

TEST(TicketKeys, ASlotIsAnHour) {
  EXPECT_EQ(ticket_slot(3600 * 480000LL), 480000);
  EXPECT_EQ(ticket_slot(3600 * 480000LL + 3599), 480000);
  EXPECT_EQ(ticket_slot(3600 * 480001LL), 480001);
}

class TicketSecretTest : public ::testing::Test {
 protected:
  TicketSecretTest() {
    char pattern[] = "/tmp/brink-tickets-XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  ~TicketSecretTest() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& text, mode_t mode = 0600) {
    const std::string path = folder_ + "/tickets";
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string folder_;
};

TEST_F(TicketSecretTest, IsReadFromItsFile) {
  const auto read = read_ticket_secret(write(std::string(64, '1') + "\n"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().bytes, secret_of(0x11).bytes);
}

TEST_F(TicketSecretTest, IsDrawnWithoutOne) {
  const auto one = read_ticket_secret(""), other = read_ticket_secret("");
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(one.value().bytes, other.value().bytes);
}

TEST_F(TicketSecretTest, AFileThatIsNoneIsNamedAndNotTold) {
  const std::string digits(64, '1');
  const std::string absent = folder_ + "/absent";
  for (const std::string& path :
       {absent, write(digits, 0644), write(digits.substr(1)), write(digits + digits)}) {
    const auto read = read_ticket_secret(path);
    ASSERT_FALSE(read.ok()) << path;
    const std::string message = read.error().message();
    EXPECT_NE(message.find("tls.ticket-key-file = " + path), std::string::npos) << message;
    EXPECT_EQ(message.find("1111"), std::string::npos) << message;
    EXPECT_FALSE(read.error().remedy.empty());
  }
}

}  // namespace
}  // namespace brink::edge
