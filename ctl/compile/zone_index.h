// ZoneIndex: one zone's records in memory. IndexedLookups: the zone that is compiled from its
// index, all others from the store.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ctl/compile/store_lookups.h"

namespace brink::ctl::compile {

class ZoneIndex {
 public:
  // Reads all records of `zone`.
  ZoneIndex(store::Store& store, const model::Zone& zone);
  // Takes these for all that the zone has.
  ZoneIndex(store::Store& store, const model::Zone& zone, const store::EachRecord& records);

  [[nodiscard]] const model::Zone& zone() const { return zone_; }
  // Every name with records, what is above before what is below.
  [[nodiscard]] const std::deque<model::DomainName>& names() const { return names_; }
  // The name that is compiled now, by its place in names(): its entries are found at once.
  void turn_to(std::size_t place) { current_ = static_cast<std::uint32_t>(place); }
  [[nodiscard]] std::vector<Entry> entries(const model::DomainName& name) const;
  [[nodiscard]] bool exists(const model::DomainName& name) const;
  // Whether a name has records, and no zone below this one owns it.
  [[nodiscard]] bool has_own(const model::DomainName& name) const;
  [[nodiscard]] bool is_occluded(const model::DomainName& name) const;
  [[nodiscard]] const std::vector<store::Exchange>& exchanges() const { return exchanges_; }
  [[nodiscard]] std::optional<model::DomainName> first_from(const store::TreeKey& key) const;
  [[nodiscard]] std::optional<model::DomainName> last_before(const store::TreeKey& key) const;
  // Whether a zone below this one owns a name.
  [[nodiscard]] bool is_handed_down(const model::DomainName& name) const;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // An Entry whose data lies in data_.
  struct Packed {
    std::size_t at = 0;
    std::uint32_t ttl = 0;
    std::uint16_t size = 0;
    model::RecordType type = 0;
    bool proxied = false;
    model::RecordSettings settings;
  };

  void add(const store::RecordView& record);
  void add_name(std::string_view text);
  void make_cut();
  [[nodiscard]] bool is_current(const model::DomainName& name) const {
    return current_ < names_.size() && names_[current_] == name;
  }
  [[nodiscard]] Entry unpacked(const Packed& packed) const;
  // The name's place in names_, kNone for an empty non-terminal; null: it does not exist.
  [[nodiscard]] const std::uint32_t* find(const model::DomainName& name) const;
  void make_places() const;
  [[nodiscard]] std::size_t place_of(const store::TreeKey& key) const;

  const model::Zone& zone_;
  const bool lets_proxy_;
  std::vector<Packed> entries_;
  std::vector<std::uint8_t> data_;
  std::deque<model::DomainName> names_;  // keeps its elements where they are
  std::vector<store::Exchange> exchanges_;
  std::vector<std::uint32_t> firsts_;    // of each name its first entry; and the end
  std::uint32_t current_ = 0;
  // Of every name that exists, made when it is needed first: most names only ask for themselves.
  // The texts are those of zone_ and names_, or the end of one.
  mutable std::unordered_map<std::string_view, std::uint32_t> places_;
  // Of each name: it has a DNAME, or is delegated; such a name stands above it.
  std::vector<bool> is_cut_, is_occluded_;
  std::uint32_t last_cut_ = kNone;  // that is not occluded itself
  std::unordered_set<std::string> zones_below_;
};

class IndexedLookups : public Lookups {
 public:
  explicit IndexedLookups(StoreLookups& others) : others_(others) {}

  // It must outlive the lookups that follow.
  void use(const ZoneIndex& index) { index_ = &index; }
  void use_none() { index_ = nullptr; }

  const model::Zone* zone_of(const model::DomainName& name) override;
  std::vector<Entry> entries(const model::Zone& zone, const model::DomainName& name) override;
  bool exists(const model::Zone& zone, const model::DomainName& name) override;
  bool is_occluded(const model::Zone& zone, const model::DomainName& name) override;
  std::optional<model::DomainName> first_from(const model::Zone& zone,
                                              const store::TreeKey& key) override;
  std::optional<model::DomainName> last_before(const model::Zone& zone,
                                               const store::TreeKey& key) override;
  std::vector<store::Exchange> exchanges(const model::Zone& zone) override {
    return is_indexed(zone) ? index_->exchanges() : others_.exchanges(zone);
  }
  bool has_certificate(const model::Zone& zone, const model::DomainName& name) override {
    return others_.has_certificate(zone, name);
  }
  Outside outside(const model::DomainName& name) override { return others_.outside(name); }

 private:
  [[nodiscard]] bool is_indexed(const model::Zone& zone) const {
    return index_ != nullptr && index_->zone().row == zone.row;
  }

  StoreLookups& others_;
  const ZoneIndex* index_ = nullptr;
};

}  // namespace brink::ctl::compile
