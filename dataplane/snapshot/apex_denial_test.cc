// What the state of a zone with NSEC3 says of the wildcard of its apex, against the chain, while
// records come and go.
#include <gtest/gtest.h>

#include <random>

#include "dataplane/snapshot/nsec3_hash.h"
#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {
namespace {

const Denial kDenial{DenialKind::kNsec3, 2, {}};
const Bytes kApexName = wire_name("z.test");

// The owner of the NSEC3 record of a name.
Bytes hashed(const std::string& name) {
  const Bytes wire = wire_name(name);
  std::uint8_t label[kNsec3LabelSize];
  nsec3_label(wire, kDenial.iterations, {}, label);
  Bytes owner(1 + sizeof label + kApexName.size());
  owner[0] = kNsec3LabelSize;
  std::copy(std::begin(label), std::end(label), owner.begin() + 1);
  std::copy(kApexName.begin(), kApexName.end(), owner.begin() + 1 + sizeof label);
  return owner;
}

class ApexDenialTest : public ::testing::Test {
 protected:
  ApexDenialTest() {
    store_.change([](Writer& writer) {
      ASSERT_TRUE(writer.put_zone(kApexName, {1, soa(), soa(), kDenial}).ok());
      ASSERT_TRUE(writer.put_name(kApexName, {std::vector{a(1)}, {}}).ok());
    });
  }
  void change(const std::function<void(Writer&)>& step) {
    store_.change([&](Writer& writer) {
      ASSERT_TRUE(writer.use_zone(kApexName).ok());
      step(writer);
    });
    store_.release();
  }
  // Whether it says so; it does exactly if the chain does.
  bool denies() {
    const auto verified = store_.image().verify();
    EXPECT_TRUE(verified.ok()) << verified.error().message();
    const View view = store_.view();
    const ZoneState& state = view.zone(*lookup(view, "z.test").record);
    const auto find = [&](const std::string& name) {
      return view.find_denial(*View::chain(state), denial_key_of(hashed(name), kApexName));
    };
    const DenialHit apex = find("z.test"), wildcard = find("*.z.test");
    const BlobHeader* said = View::apex_denial_blob(state);
    EXPECT_EQ(said != nullptr, apex.exact && !wildcard.exact);
    if (said == nullptr) return false;
    Bytes wanted = body_of(*apex.blob());
    if (wildcard.entry != apex.entry) {
      const Bytes more = body_of(*wildcard.blob());
      wanted.insert(wanted.end(), more.begin(), more.end());
    }
    EXPECT_EQ(body_of(*said), wanted);
    // The owner of each record ends in a pointer to the apex, that of its signature is one to it.
    const std::size_t records = wildcard.entry == apex.entry ? 1 : 2;
    const auto fixups = blob_fixups(*said);
    EXPECT_EQ(fixups.size(), 2 * records);
    for (std::size_t i = 0; i < fixups.size() / 2; ++i) {
      const std::size_t start = i * apex.blob()->body_size;
      EXPECT_EQ(fixups[2 * i].kind_and_target, kFixupApex);
      EXPECT_EQ(fixups[2 * i].offset, start + 1 + kNsec3LabelSize);
      EXPECT_EQ(fixups[2 * i + 1].kind_and_target, kFixupBlob | start);
    }
    return true;
  }
  static Bytes body_of(const BlobHeader& blob) {
    return {blob_body(blob), blob_body(blob) + blob.body_size};
  }

  Store store_;
};

TEST_F(ApexDenialTest, TheStateSaysWhatTheChainSays) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<Bytes> owners = {hashed("z.test"), hashed("*.z.test")};
  for (int i = 0; i < 8; ++i) owners.push_back(hashed("n" + std::to_string(i) + ".z.test"));
  int denied = 0;
  for (int i = 0; i < 400; ++i) {
    // The wildcard seldom, the apex often.
    const std::size_t chosen = random() % (owners.size() + 2);
    const bool is_apex = chosen % owners.size() == 0;
    const Bytes& owner =
        owners[random() % 4 == 0 ? chosen % owners.size() : 2 + chosen % (owners.size() - 2)];
    const bool drops = !is_apex && random() % 3 == 0;
    change([&](Writer& writer) {
      const auto done = drops || (owner == owners[1] && random() % 2 == 0)
                            ? writer.drop_denial(owner)
                            : writer.put_denial(owner, denial_blob_of(owner, kApexName,
                                                                      {std::uint8_t(random())}));
      ASSERT_TRUE(done.ok()) << done.error().message();
      if (i % 40 == 0) {
        ASSERT_TRUE(writer.put_zone(kApexName, {1, soa(), soa(), kDenial}).ok());
      }
    });
    denied += denies() ? 1 : 0;
  }
  EXPECT_GT(denied, 0);
}

TEST_F(ApexDenialTest, AnotherChainStartsWithNothing) {
  change([](Writer& writer) {
    const Bytes owner = hashed("z.test");
    ASSERT_TRUE(writer.put_denial(owner, denial_blob_of(owner, kApexName, {1})).ok());
  });
  EXPECT_TRUE(denies());
  change([](Writer& writer) {
    const Denial other{DenialKind::kNsec3, 3, {}};
    ASSERT_TRUE(writer.put_zone(kApexName, {2, soa(), soa(), other}).ok());
    const Bytes owner = hashed("z.test");  // with as many iterations as it was
    ASSERT_TRUE(writer.put_denial(owner, denial_blob_of(owner, kApexName, {1})).ok());
  });
  const View view = store_.view();
  EXPECT_EQ(View::apex_denial_blob(view.zone(*lookup(view, "z.test").record)), nullptr);
  EXPECT_TRUE(store_.image().verify().ok());
}

}  // namespace
}  // namespace brink::snapshot
