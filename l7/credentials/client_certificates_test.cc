#include "l7/credentials/client_certificates.h"

#include <gtest/gtest.h>

namespace brink::l7::credentials {
namespace {

TEST(ClientCertificateTexts, AreThoseOfRfc9440) {
  const auto item = [](std::string_view text) {
    return rfc9440_item({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  // RFC 4648 10.
  EXPECT_EQ(item(""), "::");
  EXPECT_EQ(item("f"), ":Zg==:");
  EXPECT_EQ(item("fo"), ":Zm8=:");
  EXPECT_EQ(item("foo"), ":Zm9v:");
  EXPECT_EQ(item("foobar"), ":Zm9vYmFy:");
  EXPECT_EQ(item("\xff\xfe\xfb"), "://77:");
}

TEST(ClientCertificateTexts, SayTimesInGmt) {
  EXPECT_EQ(certificate_time(1647869700), "Mar 21 13:35:00 2022 GMT");
  EXPECT_EQ(certificate_time(1709596805), "Mar  5 00:00:05 2024 GMT");
  EXPECT_EQ(certificate_time(-1), "Dec 31 23:59:59 1969 GMT");
}

}  // namespace
}  // namespace brink::l7::credentials
