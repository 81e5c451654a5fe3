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

std::string steps_of(CookieSecretsStore& store) {
  std::string text;
  for (std::size_t i = 0; i < store.published().load()->count; ++i) {
    text += std::to_string(store.published().load()->keys[i][0]) + " ";
  }
  return text;
}

dns::guard::SipKey key(std::uint8_t first) {
  return {first};
}

TEST_F(CookieSecretsTest, RollsOverInThreeStepsAndInTheFile) {
  ASSERT_TRUE(read(kOne + "\n").ok());
  std::filesystem::permissions(folder_ + "/secrets", std::filesystem::perms(0640));
  auto store = std::move(CookieSecretsStore::open(folder_ + "/secrets", nullptr)).value();
  EXPECT_EQ(steps_of(*store), "229 ");
  ASSERT_TRUE(store->apply(CookieStep::kAdd, key(7)).ok());
  EXPECT_EQ(steps_of(*store), "229 7 ");
  ASSERT_TRUE(store->apply(CookieStep::kActivate).ok());
  EXPECT_EQ(steps_of(*store), "7 229 ");
  EXPECT_EQ(read_cookie_secrets(folder_ + "/secrets").value().keys[0], key(7));
  ASSERT_TRUE(store->apply(CookieStep::kDrop).ok());
  EXPECT_EQ(steps_of(*store), "7 ");
  EXPECT_EQ(read_cookie_secrets(folder_ + "/secrets").value().count, 1);
  EXPECT_EQ(std::filesystem::status(folder_ + "/secrets").permissions(),
            std::filesystem::perms(0640));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/secrets.new"));
}

TEST_F(CookieSecretsTest, AStepThatCannotBeLeavesEverythingAsItIs) {
  ASSERT_TRUE(read(kOne + "\n").ok());
  auto store = std::move(CookieSecretsStore::open(folder_ + "/secrets", nullptr)).value();
  EXPECT_FALSE(store->apply(CookieStep::kActivate).ok()) << "nothing to activate";
  EXPECT_FALSE(store->apply(CookieStep::kDrop).ok()) << "the last one";
  ASSERT_TRUE(store->apply(CookieStep::kAdd, key(7)).ok());
  EXPECT_FALSE(store->apply(CookieStep::kAdd, key(7)).ok()) << "twice";
  ASSERT_TRUE(store->apply(CookieStep::kAdd, key(8)).ok());
  EXPECT_FALSE(store->apply(CookieStep::kAdd, key(9)).ok()) << "a fourth";
  EXPECT_EQ(steps_of(*store), "229 7 8 ");
  EXPECT_FALSE(read(kOne + "\nnonsense\n").ok());
  const auto reloaded = store->apply(CookieStep::kReload);
  ASSERT_FALSE(reloaded.ok());
  EXPECT_NE(reloaded.error().message().find("secrets:2"), std::string::npos);
  EXPECT_EQ(steps_of(*store), "229 7 8 ");
  ASSERT_TRUE(read(kTwo + "\n").ok());
  ASSERT_TRUE(store->apply(CookieStep::kReload).ok());
  EXPECT_EQ(steps_of(*store), "68 ");
}

TEST_F(CookieSecretsTest, ADrawnSecretHasNoSteps) {
  auto store = std::move(CookieSecretsStore::open("", nullptr)).value();
  const auto refused = store->apply(CookieStep::kAdd, key(7));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("dns.cookie-secret-file"), std::string::npos);
  EXPECT_TRUE(store->apply(CookieStep::kShow).ok());
}

TEST_F(CookieSecretsTest, TellsSecretsApartWithoutShowingThem) {
  ASSERT_TRUE(read(kOne + "\n" + kTwo + "\n").ok());
  auto store = std::move(CookieSecretsStore::open(folder_ + "/secrets", nullptr)).value();
  const std::string text = store->text();
  EXPECT_EQ(text.find("e5e973"), std::string::npos);
  ASSERT_TRUE(read(kTwo + "\n").ok());
  ASSERT_TRUE(store->apply(CookieStep::kReload).ok());
  const std::string mark = store->text().substr(6, 8);
  EXPECT_NE(text.find("also takes " + mark), std::string::npos) << text << " " << store->text();
}

TEST_F(CookieSecretsTest, DrawsAnotherOneEveryTime) {
  EXPECT_NE(draw_cookie_secret().value().keys[0], draw_cookie_secret().value().keys[0]);
}

}  // namespace
}  // namespace brink::edge
