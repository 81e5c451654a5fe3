#include "l7/country/database.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/country_file.h"

namespace brink::l7::country {
namespace {

using test::CountryFile;

class CountryTest : public ::testing::Test {
 protected:
  void SetUp() override { path_ = "/tmp/brink-country-" + std::to_string(::getpid()); }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  auto open() { return Database::open(path_, "l7.country-database"); }
  std::unique_ptr<const Database> opened(const std::vector<test::CountryNetwork>& networks) {
    write(CountryFile(networks).bytes());
    auto database = open();
    EXPECT_TRUE(database.ok()) << database.error().message();
    return database.ok() ? std::move(database).value() : nullptr;
  }
  static std::string code(const Database& database, const char* address) {
    return std::string(database.find(*base::IpAddress::parse(address)).view());
  }
  // The message of a file that is refused.
  std::string refused() {
    const auto database = open();
    return database.ok() ? "" : database.error().message();
  }

  std::string path_;
};

TEST_F(CountryTest, FindsNetworksOfBothFamilies) {
  const auto database = opened({{"192.0.2.0", 24, {{"country.iso_code", "DE"}}},
                                {"198.51.100.128", 25, {{"country.iso_code", "JP"}}},
                                {"2001:db8:1::", 48, {{"country.iso_code", "BR"}}}});
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(code(*database, "192.0.2.0"), "DE");
  EXPECT_EQ(code(*database, "192.0.2.255"), "DE");
  EXPECT_EQ(code(*database, "192.0.3.0"), "XX");
  EXPECT_EQ(code(*database, "198.51.100.127"), "XX");
  EXPECT_EQ(code(*database, "198.51.100.128"), "JP");
  EXPECT_EQ(code(*database, "2001:db8:1:ffff::1"), "BR");
  EXPECT_EQ(code(*database, "2001:db8:2::1"), "XX");
  EXPECT_EQ(database->text(), "Test-Country of 2023-11-14");
}

TEST_F(CountryTest, WhereAnAddressIsUsedCountsBeforeWhereItIsRegistered) {
  const auto database = opened(
      {{"192.0.2.0", 26, {{"registered_country.iso_code", "US"}, {"country.iso_code", "FR"}}},
       {"192.0.2.64", 26, {{"registered_country.iso_code", "US"}}},
       {"192.0.2.128", 26, {{"continent.code", "EU"}}},
       {"192.0.2.192", 26, {{"country_code", "NL"}}}});
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(code(*database, "192.0.2.1"), "FR");
  EXPECT_EQ(code(*database, "192.0.2.65"), "US");
  EXPECT_EQ(code(*database, "192.0.2.129"), "XX");
  EXPECT_EQ(code(*database, "192.0.2.193"), "NL");
}

TEST_F(CountryTest, ExitsOfTorAreT1) {
  const auto database =
      opened({{"192.0.2.0", 24, {{"country.iso_code", "SE"}, {"traits.is_tor_exit_node", ""}}}});
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(code(*database, "192.0.2.9"), "T1");
}

TEST_F(CountryTest, WhatIsNoCodeIsUnknown) {
  const auto database = opened({{"192.0.2.0", 25, {{"country.iso_code", "de"}}},
                                {"192.0.2.128", 26, {{"country.iso_code", "D\n"}}},
                                {"192.0.2.192", 26, {{"country.iso_code", "DEU"}}},
                                {"198.51.100.0", 24, {{"country.iso_code", "AT"}}}});
  ASSERT_NE(database, nullptr);
  for (const char* address : {"192.0.2.1", "192.0.2.129", "192.0.2.200"}) {
    EXPECT_EQ(code(*database, address), "XX") << address;
  }
}

TEST_F(CountryTest, TheFileMayGoOnceItIsOpen) {
  const auto database = opened({{"192.0.2.0", 24, {{"country.iso_code", "DE"}}}});
  ASSERT_NE(database, nullptr);
  std::filesystem::resize_file(path_, 0);
  std::filesystem::remove(path_);
  EXPECT_EQ(code(*database, "192.0.2.1"), "DE");
}

TEST_F(CountryTest, FilesThatAreNoneAreRefusedWithTheSetting) {
  EXPECT_NE(refused().find("l7.country-database = " + path_), std::string::npos);
  EXPECT_NE(refused().find("cannot be read"), std::string::npos);
  write("");
  EXPECT_NE(refused().find("empty"), std::string::npos);
  write("this is no database");
  EXPECT_NE(refused().find("no country database"), std::string::npos);
  write(CountryFile({{"192.0.2.0", 24, {{"city", "Rome"}}}}).bytes());
  EXPECT_NE(refused().find("no countries"), std::string::npos);
}

// Whatever is cut off or turned over: it is refused, or answers with a code; it is never a crash.
TEST_F(CountryTest, DamagedFilesNeverHarm) {
  const std::string good =
      CountryFile({{"192.0.2.0", 24, {{"country.iso_code", "DE"}}},
                   {"2001:db8::", 32, {{"registered_country.iso_code", "US"}}}})
          .bytes();
  int refusals = 0;
  for (std::size_t i = 0; i < good.size(); i += 7) {
    for (const std::string& bytes :
         {good.substr(0, i),
          good.substr(0, i) + static_cast<char>(~good[i]) + good.substr(i + 1)}) {
      write(bytes);
      const auto database = open();
      if (!database.ok()) {
        ++refusals;
      } else {
        for (const char* address : {"192.0.2.1", "2001:db8::1", "203.0.113.1"}) {
          EXPECT_EQ(code(*database.value(), address).size(), 2U);
        }
      }
    }
  }
  EXPECT_GT(refusals, 100);
}

}  // namespace
}  // namespace brink::l7::country
