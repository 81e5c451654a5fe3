// The keeper on a real store and queue, with a parent and a clock of the test's own.
#include "ctl/daemon/dnssec_keeper.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>

#include "ctl/store/history.h"

namespace brink::ctl::daemon {
namespace {

using namespace std::chrono_literals;
using dns::zone::Wire;
using model::DnssecStatus;

class DnssecKeeperTest : public ::testing::Test {
 protected:
  DnssecKeeperTest() {
    char pattern[] = "/tmp/brink_dnssec_keeper_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    store_ = std::move(store::Store::open(folder_ + "/c.db", store::Access::kReadWrite)).value();
    zone_.id.bytes[0] = 1;
    zone_.name = model::DomainName::parse("a.test").value();
    zone_.dnssec.status = DnssecStatus::kPending;
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    store_->insert_zone(zone_);
    const model::Entropy entropy = model::system_entropy();
    dnssec::ZoneKeys keys(*store_, box_, options_.policy, entropy);
    EXPECT_TRUE(keys.advance(zone_, now()).ok());
    store_->update_zone(zone_);
    transaction.commit();
  }
  ~DnssecKeeperTest() override {
    if (keeper_) keeper_->stop();
    queue_.stop();
    keeper_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    options_.interval = 1ms;
    options_.sweep.policy = options_.policy.signature;
    keeper_ = std::make_unique<DnssecKeeper>(
        options_, *store_, box_, queue_,
        [this](const model::DomainName& zone, const std::function<void(resolve::ParentDs)>& done) {
          EXPECT_EQ(zone, zone_.name);
          done(parent());
        },
        [this](std::uint64_t version, const std::function<void()>& done) {
          published_ = version;
          done();
        },
        [this] { return now(); });
  }
  [[nodiscard]] model::Timestamp now() const { return {micros_}; }
  void pass(std::chrono::seconds time) {
    micros_ += std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  }
  // What the parent says; the queue's thread asks it.
  resolve::ParentDs parent() {
    if (!obeys_) return {true, {}, ""};
    return {true, store::DnssecKeys(*store_).of(zone_.id).empty() ? std::vector<Wire>() : ds(), ""};
  }
  std::vector<Wire> ds() {
    const auto keys = store::DnssecKeys(*store_).of(zone_.id);
    return {dns::dnssec::ds_rdata(dnssec::wire_of(zone_.name), keys.at(0).key.dnskey,
                                  dns::dnssec::DigestType::kSha256)};
  }
  // On the store's thread.
  template <typename T>
  T read(const std::function<T()>& get) {
    std::promise<T> value;
    queue_.post([&] { value.set_value(get()); });
    return value.get_future().get();
  }
  DnssecStatus status() {
    return read<DnssecStatus>([&] { return store_->zone_by_name(zone_.name)->dnssec.status; });
  }
  dns::dnssec::KeyState key_state() {
    return read<dns::dnssec::KeyState>(
        [&] { return store::DnssecKeys(*store_).of(zone_.id).at(0).key.state; });
  }
  void wait_until(const std::function<bool()>& is_so) {
    while (!is_so()) std::this_thread::sleep_for(1ms);
  }

  std::string folder_;
  std::atomic<std::int64_t> micros_{1'767'225'600'000'000};
  std::atomic<bool> obeys_{false};
  std::atomic<std::uint64_t> published_{0};
  secret::SealedBox box_{secret::Key{}, model::system_entropy()};
  DnssecKeeper::Options options_;
  std::unique_ptr<store::Store> store_;
  model::Zone zone_;
  api::WorkQueue queue_;
  std::unique_ptr<DnssecKeeper> keeper_;
};

TEST_F(DnssecKeeperTest, StepsAreDoneWhenTheyAreDue) {
  start();
  EXPECT_EQ(key_state(), dns::dnssec::KeyState::kPublished);
  pass(48h);
  wait_until([&] { return key_state() == dns::dnssec::KeyState::kReady; });
  wait_until([&] { return published_ != 0; });
}

TEST_F(DnssecKeeperTest, TheParentIsLookedAtUntilItHasTheDs) {
  start();
  pass(2min);
  wait_until([&] {
    return read<bool>(
        [&] { return store::DnssecKeys(*store_).zone(zone_.id).no_ds_since.has_value(); });
  });
  EXPECT_EQ(status(), DnssecStatus::kPending);
  obeys_ = true;
  pass(1h);
  wait_until([&] { return status() == DnssecStatus::kActive; });
  wait_until([&] { return published_ != 0; });
}

TEST_F(DnssecKeeperTest, ACheckAnswersWithWhatHasComeOfIt) {
  obeys_ = true;
  start();
  std::promise<DnssecStatus> answered;
  queue_.post([&] {
    keeper_->check(zone_, [&](const std::optional<api::DnssecState>& state) {
      answered.set_value(state->zone.dnssec.status);
    });
  });
  EXPECT_EQ(answered.get_future().get(), DnssecStatus::kActive);
}

TEST_F(DnssecKeeperTest, ACheckOfAZoneThatIsGoneSaysSo) {
  start();
  std::promise<bool> answered;
  queue_.post([&] {
    store_->delete_zone(*store_->zone_by_name(zone_.name));
    keeper_->check(zone_, [&](const auto& state) { answered.set_value(state.has_value()); });
  });
  EXPECT_FALSE(answered.get_future().get());
}

TEST_F(DnssecKeeperTest, NamesAreSignedAnewWhenTheirTimeHasCome) {
  start();
  // The first walk.
  wait_until([&] { return read<bool>([&] { return store_->value("dnssec_sweep").has_value(); }); });
  pass(8 * 24h);
  const auto resigned = [&] {
    return read<std::size_t>([&] {
      store::History history(*store_);
      return history.changes_between(history.floor(), store_->version())->resigned.size();
    });
  };
  wait_until([&] { return resigned() == 1; });
}

}  // namespace
}  // namespace brink::ctl::daemon
