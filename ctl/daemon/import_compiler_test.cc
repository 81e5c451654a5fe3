#include "ctl/daemon/import_compiler.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

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
    imports_ = std::make_unique<ImportCompiler>(path(), options_);
  }
  ~ImportCompilerTest() override {
    imports_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path() const { return folder_ + "/store.db"; }

  // Announces these hosts, and stores a zone with another serial in their place.
  std::uint64_t import(std::vector<std::string> hosts, bool is_kept) {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    const auto coming = imports_->begin(
        store_->version(), zone_, [hosts = std::move(hosts)](const store::VisitRecord& visit) {
          const std::uint8_t address[] = {192, 0, 2, 1};
          for (const std::string& host : hosts) {
            visit({host + ".import.test", model::kTypeA, 300, false, {}, address});
          }
        });
    EXPECT_NE(coming, nullptr);
    ++zone_.serial;
    store_->update_zone(zone_);
    const std::uint64_t version = store_->take_version();
    if (!is_kept) return version;
    transaction.commit();
    coming->is_stored(version);
    return version;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  compile::Options options_;
  model::Zone zone_;
  std::unique_ptr<ImportCompiler> imports_;
};

TEST_F(ImportCompilerTest, HasTheStepOfAnImportThatIsStoredOnce) {
  const std::uint64_t from = store_->version();
  const std::uint64_t to = import({"a", "b"}, true);
  const auto made = imports_->take(from, to);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->operation_count(), 4U) << "the zone, its apex and two hosts";
  EXPECT_FALSE(imports_->take(from, to));
}

TEST_F(ImportCompilerTest, HasNoOtherStep) {
  const std::uint64_t from = store_->version();
  EXPECT_FALSE(imports_->take(from, from + 1)) << "before there is one";
  std::uint64_t to = import({"a"}, true);
  EXPECT_FALSE(imports_->take(from - 1, to)) << "the edge is elsewhere";
  EXPECT_FALSE(imports_->take(from, to)) << "it will not be asked for again";
  const std::uint64_t next = store_->version();
  to = import({"a"}, true);
  EXPECT_FALSE(imports_->take(next, to + 1)) << "the store has gone on";
}

TEST_F(ImportCompilerTest, ForgetsAnImportThatDoesNotCome) {
  const std::uint64_t from = store_->version();
  const std::uint64_t to = import({"a"}, false);
  EXPECT_FALSE(imports_->take(from, to));
  EXPECT_EQ(store_->version(), from);
}

TEST_F(ImportCompilerTest, WhatCannotBeCompiledAheadIsLeftToOthers) {
  const std::uint64_t from = store_->version();
  zone_.dnssec.presigned = true;
  EXPECT_FALSE(imports_->take(from, import({"a"}, true)));
}

}  // namespace
}  // namespace brink::ctl::daemon
