#include "ctl/model/proxy_settings.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

TEST(ProxySettings, WhatNobodyHasSetHasItsDefault) {
  EXPECT_EQ(proxy_settings({}), ProxySettings());
}

TEST(ProxySettings, EverySettingIsRead) {
  const ProxySettings read = proxy_settings(
      {{"ssl", {"\"strict\"", {}}},
       {"tls_1_3", {"\"off\"", {}}},
       {"http2", {"\"off\"", {}}},
       {"origin_proxy_protocol", {"\"v2\"", {}}},
       {"always_use_https", {"\"on\"", {}}},
       {"max_upload", {"500", {}}},
       {"ciphers", {R"(["ECDHE-RSA-AES128-GCM-SHA256"])", {}}},
       {"security_header",
        {R"({"strict_transport_security":{"enabled":true,"max_age":86400,"nosniff":true}})", {}}}});
  ProxySettings wanted;
  wanted.ssl = "strict";
  wanted.tls_1_3 = "off";
  wanted.http2 = false;
  wanted.origin_proxy_protocol = "v2";
  wanted.always_use_https = true;
  wanted.max_upload_mb = 500;
  wanted.ciphers = {"ECDHE-RSA-AES128-GCM-SHA256"};
  wanted.hsts = wanted.nosniff = true;
  wanted.hsts_max_age_s = 86400;
  EXPECT_EQ(read, wanted);
}

TEST(ProxySettings, WhatCannotBeReadCountsAsNotSet) {
  EXPECT_EQ(proxy_settings({{"ssl", {"{", {}}},
                            {"max_upload", {"\"many\"", {}}},
                            {"security_header", {"[]", {}}},
                            {"unknown", {"1", {}}}}),
            ProxySettings());
}

}  // namespace
}  // namespace brink::ctl::model
