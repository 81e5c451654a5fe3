#include "ctl/daemon/import_compiler.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <mutex>

#include "ctl/store/history.h"
#include "dataplane/ipc/sealed_memory.h"
#include "dataplane/snapshot/transaction.h"

namespace brink::ctl::daemon {
namespace {

class ImportCompilerTest : public testing::Test {
 protected:
  ImportCompilerTest() {
    char folder[] = "/tmp/brink-import-XXXXXX";
    folder_ = ::mkdtemp(folder);
    store_ = std::move(store::Store::open(path(), store::Access::kReadWrite)).value();
    zone_.id.bytes[0] = 1;
    zone_.name = model::DomainName::parse("import.test").value();
    zone_.serial = 1;
    store_->insert_zone(zone_);
    options_.authority.name_servers = {model::DomainName::parse("ns.test").value()};
    imports_ = std::make_unique<ImportCompiler>(
        path(), options_,
        ImportCompiler::Edge{[this](std::uint64_t from, publish::Sealed sealed) {
                               const std::lock_guard lock(mutex_);
                               staged_.push_back({from, std::move(sealed)});
                             },
                             [this] { ++unstaged_; }});
  }
  ~ImportCompilerTest() override {
    imports_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path() const { return folder_ + "/store.db"; }

  // Announces these hosts, and stores a zone with another serial in their place.
  publish::EdgeState import(std::vector<std::string> hosts, bool is_kept) {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    const std::uint64_t from = store_->version();
    const std::uint64_t version = store_->take_version();
    const publish::EdgeState to{version, store::History(*store_).token(version).value()};
    const auto coming = imports_->begin(
        from, to, zone_, [hosts = std::move(hosts)](const store::VisitRecord& visit) {
          const std::uint8_t address[] = {192, 0, 2, 1};
          for (const std::string& host : hosts) {
            visit({host + ".import.test", model::kTypeA, 300, false, {}, address});
          }
        });
    EXPECT_NE(coming, nullptr);
    ++zone_.serial;
    store_->update_zone(zone_);
    if (!is_kept) return to;
    transaction.commit();
    coming->is_stored();
    return to;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  compile::Options options_;
  model::Zone zone_;
  struct Staged {
    std::uint64_t from;
    publish::Sealed sealed;
  };
  std::mutex mutex_;
  std::vector<Staged> staged_;  // guarded by mutex_
  int unstaged_ = 0;
  std::unique_ptr<ImportCompiler> imports_;
};

snapshot::TransactionHeader header_of(const publish::Sealed& sealed) {
  const auto mapped = ipc::SealedMemory::map(sealed.memfd.get(), sealed.size_bytes);
  EXPECT_TRUE(mapped.ok());
  return snapshot::read_transaction(mapped.value().bytes()).value();
}

TEST_F(ImportCompilerTest, HasTheStepOfAnImportThatIsStoredOnce) {
  const std::uint64_t from = store_->version();
  const publish::EdgeState to = import({"a", "b"}, true);
  const auto made = imports_->take(from, to);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->leads_to, to);
  EXPECT_EQ(header_of(*made).operation_count, 4U) << "the zone, its apex and two hosts";
  EXPECT_EQ(header_of(*made).from_version, from);
  EXPECT_EQ(header_of(*made).version, to.version);
  EXPECT_EQ(header_of(*made).token, to.token);
  EXPECT_FALSE(imports_->take(from, to));
}

TEST_F(ImportCompilerTest, TheEdgeGetsTheSameStepBefore) {
  const std::uint64_t from = store_->version();
  const publish::EdgeState to = import({"a", "b"}, true);
  ASSERT_TRUE(imports_->take(from, to));
  ASSERT_EQ(staged_.size(), 1U);
  EXPECT_EQ(staged_[0].from, from);
  EXPECT_EQ(staged_[0].sealed.leads_to, to);
  EXPECT_EQ(header_of(staged_[0].sealed).token, to.token);
  EXPECT_EQ(unstaged_, 0);
}

TEST_F(ImportCompilerTest, HasNoOtherStep) {
  const std::uint64_t from = store_->version();
  EXPECT_FALSE(imports_->take(from, {from + 1, 0})) << "before there is one";
  publish::EdgeState to = import({"a"}, true);
  EXPECT_FALSE(imports_->take(from - 1, to)) << "the edge is elsewhere";
  EXPECT_FALSE(imports_->take(from, to)) << "it will not be asked for again";
  std::uint64_t next = store_->version();
  to = import({"a"}, true);
  EXPECT_FALSE(imports_->take(next, {to.version + 1, to.token})) << "the store has gone on";
  next = store_->version();
  to = import({"a"}, true);
  EXPECT_FALSE(imports_->take(next, {to.version, to.token + 1})) << "another's version";
}

TEST_F(ImportCompilerTest, ForgetsAnImportThatDoesNotCome) {
  const std::uint64_t from = store_->version();
  const publish::EdgeState to = import({"a"}, false);
  EXPECT_EQ(unstaged_, 1) << "the edge forgets it as well";
  EXPECT_FALSE(imports_->take(from, to));
  EXPECT_EQ(store_->version(), from);
}

TEST_F(ImportCompilerTest, WhatCannotBeCompiledAheadIsLeftToOthers) {
  const std::uint64_t from = store_->version();
  zone_.dnssec.presigned = true;
  EXPECT_FALSE(imports_->take(from, import({"a"}, true)));
  EXPECT_TRUE(staged_.empty());
}

TEST_F(ImportCompilerTest, NothingIsStagedAtTheEnd) {
  imports_->close();
  const std::uint64_t from = store_->version();
  EXPECT_TRUE(imports_->take(from, import({"a"}, true)));
  EXPECT_TRUE(staged_.empty());
}

}  // namespace
}  // namespace brink::ctl::daemon
