#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "dataplane/secret/key_file.h"
#include "dataplane/secret/pem.h"
#include "dataplane/secret/wipe.h"

namespace brink::secret {
namespace {

// Counts up: other octets at every call, the same ones in every run.
Entropy counting() {
  return [next = std::uint8_t{0}](std::span<std::uint8_t> out) mutable {
    for (auto& octet : out) octet = next++;
  };
}

Key key_of(std::uint8_t octet) {
  Key key;
  key.bytes.fill(octet);
  return key;
}

TEST(Wipe, LeavesNothingInThePlaceOfTheText) {
  std::string secret(64, 'k');  // too long to lie within the string itself
  const char* octets = secret.data();
  wipe(secret);
  EXPECT_EQ(secret, "");
  EXPECT_EQ(std::string(octets, 64), std::string(64, '\0'))
      << "cleared, so its memory is still its";
}

TEST(Wipe, ComesAtTheEndOfTheScope) {
  std::string secret(64, 'k');
  { const WipedAtEnd wiped(secret); }
  EXPECT_EQ(secret, "");
}

TEST(Sha256, IsTheKnownOne) {  // FIPS 180-4, the example "abc"
  const Sha256 digest = sha256("abc");
  const std::vector<std::uint8_t> start(digest.begin(), digest.begin() + 4);
  EXPECT_EQ(start, (std::vector<std::uint8_t>{0xba, 0x78, 0x16, 0xbf}));
  EXPECT_NE(sha256("abd"), digest);
}

TEST(RandomText, HasTheLengthAndAlphabetOfATokenAndDiffers) {
  const Entropy entropy = counting();
  std::set<std::string> seen;
  for (int i = 0; i < 5; ++i) {
    const std::string text = random_text(entropy, 41);
    EXPECT_EQ(text.size(), 41U);
    for (const char c : text) EXPECT_TRUE(std::isalnum(c) != 0 || c == '-' || c == '_') << c;
    EXPECT_TRUE(seen.insert(text).second);
  }
  EXPECT_EQ(random_hex(counting(), 20), "0123456789abcdef0123");
}

TEST(SealedBox, OpensWhatItSealed) {
  const SealedBox box(key_of(7), counting());
  for (const std::string& secret : {std::string(), std::string("s"), std::string(5000, 'x')}) {
    const auto sealed = box.seal(secret, "certificate 1");
    EXPECT_EQ(sealed.size(), secret.size() + 29);
    const auto opened = box.open(sealed, "certificate 1");
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    EXPECT_EQ(opened.value(), secret);
  }
  EXPECT_NE(box.seal("same", "c"), box.seal("same", "c")) << "a nonce was used twice";
}

TEST(SealedBox, RefusesAnotherKeyContextOrAlteration) {
  const SealedBox box(key_of(7), counting());
  const auto sealed = box.seal("secret", "certificate 1");
  EXPECT_FALSE(SealedBox(key_of(8), counting()).open(sealed, "certificate 1").ok());
  EXPECT_FALSE(box.open(sealed, "certificate 2").ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto altered = sealed;
    altered[i] ^= 1;
    EXPECT_FALSE(box.open(altered, "certificate 1").ok()) << "octet " << i;
    EXPECT_FALSE(box.open(std::span(sealed).first(i), "certificate 1").ok()) << "cut at " << i;
  }
}

class KeyFile : public ::testing::Test {
 protected:
  KeyFile() {
    char pattern[] = "/tmp/brink_key_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ + "/key";
  }
  ~KeyFile() override { std::filesystem::remove_all(folder_); }
  std::string fault(bool may_create = true) {
    const auto key = load_key(path_, may_create, counting());
    return key.ok() ? "accepted" : key.error().message();
  }

  std::string folder_, path_;
};

TEST_F(KeyFile, IsMadeOnceForItsOwnerAlone) {
  const auto made = load_key(path_, true, counting());
  ASSERT_TRUE(made.ok()) << made.error().message();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto again = load_key(path_, false, [](std::span<std::uint8_t>) { FAIL(); });
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again.value().bytes, made.value().bytes);
  EXPECT_EQ(fingerprint(again.value()), fingerprint(made.value()));
  EXPECT_NE(fingerprint(key_of(1)), fingerprint(key_of(2)));
}

TEST_F(KeyFile, IsMissedWhenItIsLost) {
  EXPECT_NE(fault(false).find("is lost"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(KeyFile, IsRefusedWhenOthersMayReadIt) {
  ASSERT_EQ(fault(), "accepted");
  ::chmod(path_.c_str(), 0640);
  EXPECT_NE(fault().find("chmod 600 " + path_), std::string::npos);
}

TEST_F(KeyFile, IsRefusedWhenItIsNoKey) {
  for (const std::string& text :
       {std::string(), std::string("00ff\n"), std::string(64, 'g'), std::string(70, '0')}) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), 0600);
    EXPECT_NE(fault().find("64 lower-case hex digits"), std::string::npos) << text;
  }
}

TEST_F(KeyFile, NamesTheFolderThatIsNotThere) {
  path_ = folder_ + "/absent/key";
  EXPECT_NE(fault().find(path_), std::string::npos);
}

TEST(Pem, IsDecodedBlockByBlock) {
  const auto blocks = decode_pem(
      "a comment\n-----BEGIN X-----\nAQID\nBA==\n-----END X-----\n"
      "-----BEGIN Y-----\r\n/+8=\r\n-----END Y-----\r\n");
  ASSERT_TRUE(blocks.has_value());
  EXPECT_EQ(blocks->count, 2U);
  EXPECT_EQ(blocks->octets, (std::vector<std::uint8_t>{1, 2, 3, 4, 0xff, 0xef}));
}

TEST(Pem, WhatIsMalformedIsRefused) {
  for (const char* text : {"", "no block", "-----BEGIN X-----\nAQ==\n", "-----BEGIN X\nAQ==\n",
                           "-----BEGIN X-----\nA\n-----END X-----\n",
                           "-----BEGIN X-----\nAQ=\n-----END X-----\n",
                           "-----BEGIN X-----\nAQ==BB\n-----END X-----\n",
                           "-----BEGIN X-----\n\n-----END X-----\n",
                           "-----BEGIN X-----\nA!==\n-----END X-----\n"}) {
    EXPECT_FALSE(decode_pem(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace brink::secret
