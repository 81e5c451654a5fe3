#include "dataplane/edge/cookie_secrets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace brink::edge {
namespace {

class CookieSecretsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/brink-cookie-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  base::Result<dns::guard::CookieSecrets> read(const std::string& text) {
    std::ofstream(folder_ + "/secrets") << text;
    return read_cookie_secrets(folder_ + "/secrets");
  }
  std::string folder_;
};

const std::string kOne = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const std::string kTwo = "445536BCD2513298075A5D379663C962";

TEST_F(CookieSecretsTest, TakesUpToThreeTheFirstFirst) {
  const auto read_two = read("# made in June\n" + kOne + "\n\n" + kTwo + "\n");
  ASSERT_TRUE(read_two.ok()) << read_two.error().message();
  EXPECT_EQ(read_two.value().count, 2);
  EXPECT_EQ(read_two.value().keys[0][0], 0xe5);
  EXPECT_EQ(read_two.value().keys[1][15], 0x62);
}

TEST_F(CookieSecretsTest, SaysWhichLineIsWrongAndNotWhatItSays) {
  const std::string four = kOne + "\n" + kOne + "\n" + kOne + "\n" + kOne + "\n";
  for (const auto& [text, where] :
       {std::pair<std::string, std::string>{kOne + "\n" + kTwo.substr(1) + "\n", "secrets:2"},
        {"zz" + kOne.substr(2) + "\n", "secrets:1"},
        {"+5" + kOne.substr(2) + "\n", "secrets:1"},
        {four, "secrets:4"},
        {"# nothing\n", "dns.cookie-secret-file"}}) {
    const auto got = read(text);
    ASSERT_FALSE(got.ok()) << text;
    EXPECT_NE(got.error().message().find(where), std::string::npos) << got.error().message();
    EXPECT_EQ(got.error().message().find(kTwo.substr(1)), std::string::npos);
  }
  EXPECT_FALSE(read_cookie_secrets(folder_ + "/none").ok());
}

TEST_F(CookieSecretsTest, DrawsAnotherOneEveryTime) {
  EXPECT_NE(draw_cookie_secret().value().keys[0], draw_cookie_secret().value().keys[0]);
}

}  // namespace
}  // namespace brink::edge
