#include "dataplane/edge/private_keys.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace brink::edge {
namespace {

constexpr char kPem[] = "-----BEGIN PRIVATE KEY-----\nAQIDBA==\n-----END PRIVATE KEY-----\n";

class PrivateKeysTest : public ::testing::Test {
 protected:
  PrivateKeysTest() {
    char pattern[] = "/tmp/brink-keys-XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  ~PrivateKeysTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ + "/key"; }
  void write_key(char digit, mode_t mode = 0600) {
    {
      std::ofstream file(path());
      file << std::string(64, digit) << "\n";
    }
    ::chmod(path().c_str(), mode);
  }
  // A box that opens with a key of this digit.
  static std::vector<std::uint8_t> sealed(std::uint8_t nibble, const std::string& text) {
    secret::Key key;
    key.bytes.fill(static_cast<std::uint8_t>(nibble * 17));
    const secret::SealedBox box(key, [](std::span<std::uint8_t> out) {
      for (auto& octet : out) octet = 5;
    });
    return box.seal(text, "context");
  }
  static l7::route::CertificateView certificate(const std::vector<std::uint8_t>& box,
                                                std::uint8_t id = 1) {
    l7::route::CertificateView view;
    view.id[0] = id;
    view.sealed_key = box;
    view.key_context = "context";
    return view;
  }

  std::string folder_;
};

TEST_F(PrivateKeysTest, OpenWithTheKeyFile) {
  write_key('1');
  PrivateKeys keys(path());
  ASSERT_TRUE(keys.load().ok());
  const auto box = sealed(1, kPem);
  const auto key = keys.open(certificate(box));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(std::vector(key->der().begin(), key->der().end()),
            (std::vector<std::uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(keys.failures(), 0U);
}

TEST_F(PrivateKeysTest, TheWrongKeyIsCountedAndEachCertificateNamedOnce) {
  write_key('2');
  PrivateKeys keys(path());
  ASSERT_TRUE(keys.load().ok());
  const auto box = sealed(1, kPem);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(keys.open(certificate(box, 7)).has_value());
  EXPECT_FALSE(keys.open(certificate(box, 8)).has_value());
  EXPECT_EQ(keys.failures(), 4U);
  EXPECT_EQ(keys.take_failed().size(), 2U);
  EXPECT_FALSE(keys.open(certificate(box, 7)).has_value());
  EXPECT_TRUE(keys.take_failed().empty());
  EXPECT_EQ(keys.failures(), 5U);
}

TEST_F(PrivateKeysTest, AnotherContextOrWhatIsNoKeyDoesNotOpen) {
  write_key('1');
  PrivateKeys keys(path());
  ASSERT_TRUE(keys.load().ok());
  const auto box = sealed(1, kPem), no_key = sealed(1, "no PEM");
  const std::vector<std::uint8_t> cut(box.begin(), box.begin() + 20);
  auto other = certificate(box);
  other.key_context = "another";
  EXPECT_FALSE(keys.open(other).has_value());
  EXPECT_FALSE(keys.open(certificate(no_key)).has_value());
  EXPECT_FALSE(keys.open(certificate(cut)).has_value());
  EXPECT_FALSE(keys.open(certificate({})).has_value());
  EXPECT_EQ(keys.failures(), 4U);
}

TEST_F(PrivateKeysTest, TheFileMayComeLater) {
  PrivateKeys keys(path());
  EXPECT_FALSE(keys.load().value());
  EXPECT_TRUE(check_key_file(path()).ok());
  const auto box = sealed(1, kPem);
  EXPECT_FALSE(keys.open(certificate(box)).has_value());
  write_key('1');
  EXPECT_TRUE(keys.load().value());
  EXPECT_TRUE(keys.open(certificate(box)).has_value());
}

TEST_F(PrivateKeysTest, AFileThatIsNoneIsNamed) {
  for (const auto& [digit, mode] : {std::pair<char, mode_t>('x', 0600), std::pair<char, mode_t>('1', 0644)}) {
    write_key(digit, mode);
    PrivateKeys keys(path());
    EXPECT_FALSE(keys.load().ok());
    const auto checked = check_key_file(path());
    ASSERT_FALSE(checked.ok());
    EXPECT_NE(checked.error().message().find("tls.key-file = " + path()), std::string::npos);
  }
  EXPECT_TRUE(check_key_file("").ok());
}

}  // namespace
}  // namespace brink::edge
