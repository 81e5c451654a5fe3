#include "dataplane/edge/dot_certificates.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dataplane/tls/certificate_names.h"
#include "dataplane/tls/certificates_fixture.h"

namespace brink::edge {
namespace {

class DotCertificatesTest : public ::testing::Test {
 protected:
  DotCertificatesTest() { std::filesystem::create_directories(folder_); }
  ~DotCertificatesTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }
  void write(const tls::test::Certificate& made) {
    write("certificate", made.pem());
    write("key", made.private_key_pem());
  }
  base::Result<std::unique_ptr<const DotCertificate>> read() {
    return DotCertificate::read({folder_ + "/certificate", folder_ + "/key"});
  }

  const std::string folder_ = "/tmp/brink-dot-test-" + std::to_string(::getpid());
  const tls::test::Certificate made_ =
      tls::test::Certificate({.names = {"NS1.example.net", "*.dns.example.net"}});
  std::unique_ptr<tls::Engine> engine_ = std::move(tls::Engine::create({})).value();
  l7::credentials::PrivateKeys keys_{""};
  ipc::WorkerCounters counters_;
  // Its view is that of no turn: the image has nothing for any name.
  l7::credentials::Credentials image_{*engine_, keys_, counters_, l7::credentials::Service::kDot};
};

TEST_F(DotCertificatesTest, FilesAreReadWithTheirNames) {
  write(made_);
  const auto certificate = read();
  ASSERT_TRUE(certificate.ok()) << certificate.error().message();
  const DotCertificate& of = *certificate.value();
  EXPECT_EQ(of.names(), (std::vector<std::string>{"ns1.example.net", "*.dns.example.net"}));
  ASSERT_EQ(of.settings().protocols.size(), 1U);
  EXPECT_EQ(of.settings().protocols[0], tls::Alpn::kDot);
  EXPECT_TRUE(engine_->prepare(of.settings()).ok());
}

TEST_F(DotCertificatesTest, AnotherCertificateIsAnotherHost) {
  write(made_);
  const auto one = read();
  write(tls::test::Certificate({.names = {"ns1.example.net"}}));
  const auto other = read();
  EXPECT_NE(one.value()->settings().key, other.value()->settings().key);
}

TEST_F(DotCertificatesTest, WhatIsWrongWithThemIsSaid) {
  const auto refused = [this](const std::string& where) {
    const auto result = read();
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.error().where.find(where), std::string::npos) << result.error().message();
    EXPECT_EQ(result.error().message().find(made_.private_key_pem()), std::string::npos);
  };
  refused("tls.dot-certificate");
  write("certificate", made_.pem());
  refused("tls.dot-key");
  write("key", "no key\n");
  refused("tls.dot-key");
  write("key", tls::test::Certificate({}).private_key_pem());
  refused("tls.dot-certificate");
  write("key", made_.private_key_pem());
  EXPECT_TRUE(read().ok());
  write("certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  refused("tls.dot-certificate");
}

TEST_F(DotCertificatesTest, TheFilesAreShownWhereTheImageHasNothing) {
  write(made_);
  DotCertificateStore store(nullptr);
  DotCertificates certificates(image_, store.pointer(), "");
  EXPECT_EQ(certificates.find("ns1.example.net", 0), nullptr);
  store.publish(read().value());
  for (const char* name : {"ns1.example.net", "a.dns.example.net", "elsewhere.example", ""}) {
    EXPECT_EQ(certificates.find(name, 0), &store.current()->settings()) << name;
  }
}

TEST(CertificateNames, AWildcardCoversOneLabel) {
  const std::vector<std::string> names = {"example.net", "*.example.net"};
  EXPECT_TRUE(tls::names_cover(names, "example.net"));
  EXPECT_TRUE(tls::names_cover(names, "ns1.example.net"));
  for (const char* other : {"a.b.example.net", ".example.net", "net", "", "example.org"}) {
    EXPECT_FALSE(tls::names_cover(names, other)) << other;
  }
}

}  // namespace
}  // namespace brink::edge
