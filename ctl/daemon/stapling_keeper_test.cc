// The keeper on a real store and queue, with a responder and a clock of the test's own.
#include "ctl/daemon/stapling_keeper.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "ctl/certificate/chain.h"
#include "ctl/certificate/ocsp_fixture.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/zone_certificates.h"

namespace brink::ctl::daemon {
namespace {

using namespace std::chrono_literals;
using certificate::OcspRecipe;
using certificate::TestCertificate;
using model::Stapling;

class StaplingKeeperTest : public ::testing::Test {
 protected:
  StaplingKeeperTest() {
    char pattern[] = "/tmp/brink_stapling_keeper_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    open();
    zone_.id.bytes[0] = 1;
    zone_.name = model::DomainName::parse("a.test").value();
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    store_->insert_zone(zone_);
    stored_ = stored(leaf_);
    store::ZoneCertificates(*store_).insert(stored_);
    transaction.commit();
  }
  ~StaplingKeeperTest() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    store_ = std::move(store::Store::open(folder_ + "/c.db", store::Access::kReadWrite)).value();
    queue_ = std::make_unique<api::WorkQueue>();
  }
  void stop() {
    if (keeper_) keeper_->stop();
    queue_->stop();
    keeper_.reset();
    store_.reset();
  }
  void start() {
    keeper_ = std::make_unique<StaplingKeeper>(
        StaplingKeeper::Options{.interval = 1ms}, *store_, *queue_,
        [this](const std::string& url, const std::vector<std::uint8_t>&,
               const std::function<void(StaplingKeeper::Response)>& done) {
          ++asked_;
          EXPECT_EQ(url, "http://ocsp.test/");
          done(respond());
        },
        [this](std::uint64_t version) { published_ = version; },
        [this] { return model::Timestamp{now_s_ * 1'000'000}; });
  }
  model::ZoneCertificate stored(const TestCertificate& made) {
    model::ZoneCertificate certificate;
    certificate.id.bytes[0] = 2;
    certificate.zone = zone_.id;
    certificate.certificate =
        certificate::read_chain(made.pem + root_.pem, certificate::Want::kLeaf,
                                certificate::Order::kSort, {now_s_ * 1'000'000})
            .value();
    certificate.sealed_key = {1};
    return certificate;
  }
  StaplingKeeper::Response good() {
    return {certificate::make_ocsp_response({.subject = &leaf_,
                                             .issuer = &root_,
                                             .status = status_,
                                             .this_update_s = now_s_ - 10,
                                             .next_update_s = now_s_ + 10'000}),
            ""};
  }
  StaplingKeeper::Response respond() {
    const std::string problem = problem_.load();
    return problem.empty() ? good() : StaplingKeeper::Response{{}, problem};
  }
  // On the store's thread.
  Stapling state() {
    std::promise<Stapling> value;
    queue_->post([&] { value.set_value(*store::OcspResponses(*store_).find(stored_.id)); });
    return value.get_future().get();
  }
  Stapling state_when(const std::function<bool(const Stapling&)>& is_wanted) {
    Stapling found = state();
    for (int i = 0; i < 5000 && !is_wanted(found); ++i) {
      std::this_thread::sleep_for(1ms);
      found = state();
    }
    EXPECT_TRUE(is_wanted(found)) << found.fault;
    return found;
  }

  const TestCertificate root_ = certificate::make_root();
  const TestCertificate leaf_ = certificate::make(
      {.hosts = {"www.a.test"}, .issuer = &root_, .responder = "http://ocsp.test/"});
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<api::WorkQueue> queue_;
  std::unique_ptr<StaplingKeeper> keeper_;
  model::Zone zone_;
  model::ZoneCertificate stored_;
  std::atomic<std::int64_t> now_s_ = 1'800'000'000;
  std::atomic<int> status_ = V_OCSP_CERTSTATUS_GOOD;
  std::atomic<const char*> problem_ = "";
  std::atomic<int> asked_ = 0;
  std::atomic<std::uint64_t> published_ = 0;
};

TEST_F(StaplingKeeperTest, AResponseIsFetchedStoredAndPublished) {
  start();
  const Stapling found = state_when([](const Stapling& s) { return !s.response.empty(); });
  EXPECT_EQ(found.responder, "http://ocsp.test/");
  EXPECT_EQ(found.status, model::OcspStatus::kGood);
  EXPECT_EQ(found.next_update_s, now_s_ + 10'000);
  EXPECT_EQ(found.fetched_on_s, now_s_);
  EXPECT_GE(found.look_on_s, now_s_ + 4500);
  EXPECT_LT(found.look_on_s, now_s_ + 5500);
  EXPECT_EQ(found.fault, "");
  EXPECT_GT(published_, 0U);
}

TEST_F(StaplingKeeperTest, NothingIsAskedBeforeItIsTime) {
  start();
  const auto found = state_when([](const Stapling& s) { return !s.response.empty(); });
  now_s_ = found.look_on_s - 1;
  for (int i = 0; i < 20; ++i) state();
  EXPECT_EQ(asked_, 1);
  now_s_ = found.look_on_s;
  const auto renewed =
      state_when([&](const Stapling& s) { return s.next_update_s > found.next_update_s; });
  EXPECT_EQ(asked_, 2);
  EXPECT_NE(renewed.response, found.response);
}

TEST_F(StaplingKeeperTest, AFailureKeepsWhatIsThereAndRestsLongerEachTime) {
  start();
  const auto found = state_when([](const Stapling& s) { return !s.response.empty(); });
  const std::uint64_t version = published_;
  problem_ = "cannot connect";
  std::int64_t rest = 0;
  for (std::uint32_t failures = 1; failures <= 4; ++failures) {
    now_s_ = std::max<std::int64_t>(now_s_, state().look_on_s);
    const auto failed = state_when([&](const Stapling& s) { return s.failures >= failures; });
    EXPECT_EQ(failed.response, found.response);
    EXPECT_EQ(failed.fault, "cannot connect");
    EXPECT_GT(failed.look_on_s - now_s_, rest);
    rest = failed.look_on_s - now_s_;
  }
  EXPECT_EQ(published_, version) << "nothing that the edge has is another";
  problem_ = "";
  now_s_ = state().look_on_s;
  EXPECT_EQ(state_when([](const Stapling& s) { return s.failures == 0; }).fault, "");
}

TEST_F(StaplingKeeperTest, ARevocationIsStoredAsItIs) {
  status_ = V_OCSP_CERTSTATUS_REVOKED;
  start();
  const auto found = state_when([](const Stapling& s) { return !s.response.empty(); });
  EXPECT_EQ(found.status, model::OcspStatus::kRevoked);
}

TEST_F(StaplingKeeperTest, WhatIsThereSurvivesARestart) {
  start();
  const auto found = state_when([](const Stapling& s) { return !s.response.empty(); });
  stop();
  open();
  start();
  for (int i = 0; i < 20; ++i) state();
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(state().response, found.response);
}

TEST_F(StaplingKeeperTest, AnotherCertificateBeginsAnew) {
  start();
  state_when([](const Stapling& s) { return !s.response.empty(); });
  const TestCertificate bare = certificate::make({.hosts = {"www.a.test"}, .issuer = &root_});
  std::promise<void> done;
  queue_->post([&] {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    store::ZoneCertificates(*store_).update(stored(bare));
    transaction.commit();
    done.set_value();
  });
  done.get_future().get();
  const auto found = state_when([](const Stapling& s) { return s.look_on_s == model::kNoLook; });
  EXPECT_TRUE(found.response.empty());
  EXPECT_EQ(found.responder, "") << "it names nobody";
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace brink::ctl::daemon
