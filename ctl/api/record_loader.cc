#include "ctl/api/record_loader.h"

#include <algorithm>
#include <array>

#include "dataplane/base/bytes.h"

namespace brink::ctl::api {

using model::Record;

RecordLoader::RecordLoader(Service& service, Change& change, std::size_t piece_max)
    : service_(service),
      change_(change),
      piece_max_(piece_max),
      is_empty_(!service.store.has_records_within(change.zone(), change.zone().name)) {}

bool RecordLoader::add(Record record, std::size_t line) {
  const store::TreeKey added = store::tree_key(record.name);
  keys_.insert(keys_.end(), added.begin(), added.end());
  items_.push_back({std::move(record), line, keys_.size()});
  const auto first = key(0);
  if (items_.size() == 1) common_size_ = first.size();
  const auto end = first.begin() + static_cast<std::ptrdiff_t>(common_size_);
  const auto differs = std::mismatch(first.begin(), end, added.begin(), added.end()).first;
  common_size_ = static_cast<std::size_t>(differs - first.begin());
  if (items_.size() >= piece_max_) flush();
  return !fault_;
}

void RecordLoader::flush() {
  if (items_.empty()) return;
  const Places places = sorted();
  ids_.emplace(service_.entropy);
  inserter_.emplace(service_.store, change_.zone());
  for (std::size_t first = 0, last = 0; first != places.size(); first = last) {
    do {
      prefetch(places, last++);
    } while (last != places.size() && is_same_name(places[first], places[last]));
    load_name(std::span(places).subspan(first, last - first));
  }
  if (!fault_) inserter_->finish();
  inserter_.reset();
  items_.clear();
  keys_.clear();
  is_empty_ = false;
}

std::span<const std::uint8_t> RecordLoader::key(std::uint32_t index) const {
  const std::size_t start = index == 0 ? 0 : items_[index - 1].key_end;
  return std::span(keys_).subspan(start, items_[index].key_end - start);
}

// By name; those of one name stay in the order of the file.
RecordLoader::Places RecordLoader::sorted() const {
  Places places(items_.size());
  for (std::uint32_t i = 0; i < places.size(); ++i) {
    const auto rest = key(i).subspan(common_size_);
    std::array<std::uint8_t, 16> lead{};
    std::copy_n(rest.begin(), std::min(lead.size(), rest.size()), lead.begin());
    places[i] = {{base::load_be64(lead.data()), base::load_be64(lead.data() + 8)}, i};
  }
  std::sort(places.begin(), places.end(), [this](const Place& a, const Place& b) {
    if (a.lead[0] != b.lead[0]) return a.lead[0] < b.lead[0];
    if (a.lead[1] != b.lead[1]) return a.lead[1] < b.lead[1];
    const auto left = key(a.index), right = key(b.index);
    const auto difference = std::lexicographical_compare_three_way(left.begin(), left.end(),
                                                                   right.begin(), right.end());
    return difference != 0 ? difference < 0 : a.index < b.index;
  });
  return places;
}

bool RecordLoader::is_same_name(const Place& a, const Place& b) const {
  if (a.lead[0] != b.lead[0] || a.lead[1] != b.lead[1]) return false;
  return std::ranges::equal(key(a.index), key(b.index));
}

// The items lie in the order of the file, all over memory, and waiting for each would take as long
// as inserting it.
void RecordLoader::prefetch(const Places& places, std::size_t at) const {
  constexpr std::size_t kItemAhead = 12, kTextAhead = 6, kLine = 64;
  if (at + kItemAhead >= places.size()) return;
  const Item& item = items_[places[at + kItemAhead].index];
  for (std::size_t offset = 0; offset < sizeof item; offset += kLine) {
    __builtin_prefetch(reinterpret_cast<const char*>(&item) + offset);
  }
  const Record& record = items_[places[at + kTextAhead].index].record;
  __builtin_prefetch(record.name.text().data());
  __builtin_prefetch(record.rdata.data());
}

void RecordLoader::load_name(std::span<const Place> places) {
  const model::DomainName& name = items_[places.front().index].record.name;
  std::vector<Record> neighbours;
  if (!is_empty_) neighbours = service_.store.records_at(change_.zone(), name);
  for (const Place& place : places) {
    Item& item = items_[place.index];
    if (const auto conflict =
            model::conflict_of(service_.settings.rules, change_.zone(), item.record, neighbours,
                               model::BesideNs::kAsLegal)) {
      if (conflict->code != model::kCodeRecordExists) return blame(item, *conflict);
      ++known_;
      continue;
    }
    ++added_;
    if (!fault_) {  // or nothing will be kept
      item.record.id = ids_->next();
      change_.date(item.record);
      inserter_->insert(item.record);
    }
    if (places.size() > 1) neighbours.push_back(item.record);
  }
}

void RecordLoader::blame(const Item& item, const model::Refusal& refusal) {
  if (fault_ && fault_line_ <= item.line) return;
  fault_line_ = item.line;
  fault_ = base::Error{refusal.detail(),
                       "line " + std::to_string(item.line) + ", " + item.record.name.text() + " " +
                           model::type_to_text(item.record.type),
                       ""};
}

}  // namespace brink::ctl::api
