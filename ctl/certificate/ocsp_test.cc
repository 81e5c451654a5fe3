#include "ctl/certificate/ocsp.h"

#include <gtest/gtest.h>

#include "ctl/certificate/ocsp_fixture.h"

namespace brink::ctl::certificate {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

class Ocsp : public ::testing::Test {
 protected:
  OcspRecipe good() {
    return {.subject = &leaf_,
            .issuer = &root_,
            .this_update_s = kNow - 100,
            .next_update_s = kNow + 1000};
  }
  base::Result<OcspAnswer> read(const OcspRecipe& recipe, std::int64_t now_s = kNow) {
    return read_ocsp_answer(chain_, make_ocsp_response(recipe), now_s);
  }
  std::string fault(const OcspRecipe& recipe, std::int64_t now_s = kNow) {
    const auto answer = read(recipe, now_s);
    return answer ? "" : answer.error().what;
  }

  const TestCertificate root_ = make_root();
  const TestCertificate leaf_ =
      make({.hosts = {"a.test"}, .issuer = &root_, .responder = "http://ocsp.test/x"});
  const std::string chain_ = leaf_.pem + root_.pem;
};

TEST_F(Ocsp, ACertificateSaysWhomToAsk) {
  EXPECT_EQ(ocsp_subject(chain_).responder, "http://ocsp.test/x");
  EXPECT_FALSE(ocsp_subject(chain_).must_staple);
  const TestCertificate stapled = make({.issuer = &root_, .must_staple = true});
  EXPECT_EQ(ocsp_subject(stapled.pem).responder, "");
  EXPECT_TRUE(ocsp_subject(stapled.pem).must_staple);
  const TestCertificate secure = make({.issuer = &root_, .responder = "https://ocsp.test/"});
  EXPECT_EQ(ocsp_subject(secure.pem).responder, "") << "only http is asked";
  EXPECT_EQ(ocsp_subject("nonsense").responder, "");
}

TEST_F(Ocsp, TheQuestionIsAboutTheFirstByItsIssuer) {
  const auto question = ocsp_question(chain_);
  ASSERT_TRUE(question.ok());
  const std::uint8_t* at = question.value().data();
  const std::unique_ptr<OCSP_REQUEST, ReleasedBy<OCSP_REQUEST_free>> request(
      d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(question.value().size())));
  ASSERT_NE(request, nullptr);
  ASSERT_EQ(OCSP_request_onereq_count(request.get()), 1);
  const std::unique_ptr<OCSP_CERTID, ReleasedBy<OCSP_CERTID_free>> id(
      OCSP_cert_to_id(EVP_sha1(), leaf_.x509.get(), root_.x509.get()));
  EXPECT_EQ(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), 0)), id.get()),
            0);
  EXPECT_LT(OCSP_REQUEST_get_ext_by_NID(request.get(), NID_id_pkix_OCSP_Nonce, -1), 0);
  EXPECT_FALSE(ocsp_question(leaf_.pem).ok()) << "no issuer";
}

TEST_F(Ocsp, AResponseOfTheIssuerIsTaken) {
  const auto answer = read(good());
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer.value().status, model::OcspStatus::kGood);
  EXPECT_EQ(answer.value().this_update_s, kNow - 100);
  EXPECT_EQ(answer.value().next_update_s, kNow + 1000);
  OcspRecipe revoked = good();
  revoked.status = V_OCSP_CERTSTATUS_REVOKED;
  const auto bad_news = read(revoked);
  ASSERT_TRUE(bad_news.ok());
  EXPECT_EQ(bad_news.value().status, model::OcspStatus::kRevoked);
}

TEST_F(Ocsp, OneThatTheIssuerLetsAnswerMay) {
  const TestCertificate responder =
      make({.common_name = "Responder", .issuer = &root_, .may_answer = true});
  OcspRecipe delegated = good();
  delegated.signer = &responder;
  EXPECT_EQ(fault(delegated), "");
}

TEST_F(Ocsp, NobodyElseMay) {
  constexpr char kUnsigned[] =
      "it is signed neither by the issuer nor by whom the issuer lets do it";
  const TestCertificate other = make_root("Other Root");
  const TestCertificate strangers_responder =
      make({.common_name = "Responder", .issuer = &other, .may_answer = true});
  const TestCertificate no_responder = make({.common_name = "Responder", .issuer = &root_});
  const TestCertificate outdated =
      make({.common_name = "Responder", .issuer = &root_, .to_s = kNow - 10, .may_answer = true});
  for (const TestCertificate* signer :
       {&other, &strangers_responder, &no_responder, &outdated, &leaf_}) {
    OcspRecipe forged = good();
    forged.signer = signer;
    EXPECT_EQ(fault(forged), kUnsigned);
  }
  auto changed = make_ocsp_response(good());
  changed[changed.size() / 5] ^= 1;  // of what is signed
  EXPECT_FALSE(read_ocsp_answer(chain_, changed, kNow).ok());
}

TEST_F(Ocsp, OnlyWhatIsInForceIsTaken) {
  EXPECT_EQ(fault(good(), kNow + 999), "");
  EXPECT_EQ(fault(good(), kNow + 1000), "its time is over");
  EXPECT_EQ(fault(good(), kNow - 300), "") << "clocks differ";
  EXPECT_EQ(fault(good(), kNow - 500), "it is not in force yet");
  OcspRecipe endless = good();
  endless.next_update_s = 0;
  EXPECT_EQ(fault(endless), "it does not say until when it is good");
}

TEST_F(Ocsp, WhatIsAboutOthersOrSaysNothingIsNotTaken) {
  const TestCertificate another = make({.issuer = &root_});
  OcspRecipe about_another = good();
  about_another.subject = &another;
  EXPECT_EQ(fault(about_another), "it is about another certificate");
  OcspRecipe unknown = good();
  unknown.status = V_OCSP_CERTSTATUS_UNKNOWN;
  EXPECT_EQ(fault(unknown), "the responder does not know the certificate");
  const std::uint8_t try_later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
  EXPECT_EQ(read_ocsp_answer(chain_, try_later, kNow).error().what,
            "the responder answers: trylater");
  auto octets = make_ocsp_response(good());
  octets.push_back(0);
  EXPECT_EQ(read_ocsp_answer(chain_, octets, kNow).error().what, "it is none");
  EXPECT_EQ(read_ocsp_answer(chain_, {}, kNow).error().what, "it is none");
}

}  // namespace
}  // namespace brink::ctl::certificate
