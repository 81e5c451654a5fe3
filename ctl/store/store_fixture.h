// A store in a folder of its own, with an easy way to fill it. For tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ctl/store/store.h"

namespace brink::ctl::store {

using model::DomainName;
using model::Record;
using model::Zone;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    char pattern[] = "/tmp/brink_store_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    path_ = folder_ + "/brink.db";
    store_ = open();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<Store> open(Access access = Access::kReadWrite) {
    auto store = Store::open(path_, access, [this] { return now_; });
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().message());
    return std::move(store).value();
  }
  model::Id next_id() {
    model::Id id;
    id.bytes[15] = static_cast<std::uint8_t>(++ids_);
    id.bytes[14] = static_cast<std::uint8_t>(ids_ >> 8);
    return id;
  }
  Zone add_zone(const std::string& name) {
    Zone zone;
    zone.id = next_id();
    zone.name = DomainName::parse(name).value();
    zone.serial = 2026010100;
    zone.created_on = zone.modified_on = {1'767'225'600'000'042};
    store_->insert_zone(zone);
    return zone;
  }
  Record add(const Zone& zone, const std::string& name, const std::string& type,
             const std::string& content) {
    model::RecordDraft draft{.name = name, .type = type, .content = content};
    draft.tags = {"team:dns", "urgent"};
    draft.comment = "about " + name;
    Record record = model::make_record({}, zone, draft).value();
    record.id = next_id();
    record.created_on = record.modified_on = {77};
    store_->insert_record(zone, record);
    return record;
  }
  std::vector<std::string> names(const Page<Record>& page) {
    std::vector<std::string> out;
    for (const Record& record : page.items) out.push_back(record.name.text());
    return out;
  }

  std::string folder_, path_;
  std::unique_ptr<Store> store_;
  unsigned ids_ = 0;
  model::Timestamp now_{1'767'225'600'000'000};  // what the store's clock says
};

}  // namespace brink::ctl::store
