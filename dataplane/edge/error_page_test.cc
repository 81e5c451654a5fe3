#include "dataplane/edge/error_page.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace brink::edge {
namespace {

class ErrorPageFile : public ::testing::Test {
 protected:
  void SetUp() override { path_ = "/tmp/brink-page-" + std::to_string(::getpid()); }
  void TearDown() override { std::filesystem::remove(path_); }
  // The message of a text that is refused; empty: it is taken.
  std::string refused(const std::string& text) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
    const auto page = read_error_page(path_);
    return page.ok() ? "" : page.error().message();
  }
  std::string path_;
};

TEST_F(ErrorPageFile, IsTakenAsItStands) {
  EXPECT_EQ(refused("<p>{{ray}}</p>\n"), "");
  EXPECT_EQ(*read_error_page(path_).value(), "<p>{{ray}}</p>\n");
}

TEST_F(ErrorPageFile, ErrorsNameSettingFileLineAndRemedy) {
  const std::string message = refused("<p>\n{{raay}}</p>");
  for (const std::string& part : {"l7.error-page = " + path_, std::string("line 2"),
                                  std::string("{{raay}} is not known"), std::string("{{ray}}")}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  EXPECT_NE(refused(std::string(9000, 'x')).find("more than 8192 octets"), std::string::npos);
  std::filesystem::remove(path_);
  EXPECT_NE(read_error_page(path_).error().message().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace brink::edge
