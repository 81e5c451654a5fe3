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
  records_.add(std::move(record), line);
  const auto first = records_.key(0);
  const auto added = records_.key(static_cast<std::uint32_t>(records_.size() - 1));
  if (records_.size() == 1) common_size_ = first.size();
  const auto end = first.begin() + static_cast<std::ptrdiff_t>(common_size_);
  const auto differs = std::mismatch(first.begin(), end, added.begin(), added.end()).first;
  common_size_ = static_cast<std::size_t>(differs - first.begin());
  if (records_.size() >= piece_max_) flush();
  return !fault_;
}

void RecordLoader::flush() {
  if (records_.size() == 0) return;
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
  records_.clear();
  is_empty_ = false;
}

// By name; those of one name stay in the order of the file.
RecordLoader::Places RecordLoader::sorted() const {
  Places places(records_.size());
  for (std::uint32_t i = 0; i < places.size(); ++i) {
    const auto rest = records_.key(i).subspan(common_size_);
    std::array<std::uint8_t, kLeadSize> lead{};
    std::copy_n(rest.begin(), std::min(lead.size(), rest.size()), lead.begin());
    places[i] = {{base::load_be64(lead.data()), base::load_be64(lead.data() + 8)},
                 i,
                 static_cast<std::uint32_t>(rest.size())};
  }
  std::sort(places.begin(), places.end(), [this](const Place& a, const Place& b) {
    if (a.lead[0] != b.lead[0]) return a.lead[0] < b.lead[0];
    if (a.lead[1] != b.lead[1]) return a.lead[1] < b.lead[1];
    if (is_lead_all(a) && is_lead_all(b)) {
      return a.size != b.size ? a.size < b.size : a.index < b.index;
    }
    const auto left = records_.key(a.index), right = records_.key(b.index);
    const auto difference = std::lexicographical_compare_three_way(left.begin(), left.end(),
                                                                   right.begin(), right.end());
    return difference != 0 ? difference < 0 : a.index < b.index;
  });
  return places;
}

bool RecordLoader::is_same_name(const Place& a, const Place& b) const {
  if (a.lead[0] != b.lead[0] || a.lead[1] != b.lead[1] || a.size != b.size) return false;
  return is_lead_all(a) || std::ranges::equal(records_.key(a.index), records_.key(b.index));
}

// The records lie in the order of the file, all over memory, and waiting for each would take as
// long as inserting it.
void RecordLoader::prefetch(const Places& places, std::size_t at) const {
  constexpr std::size_t kItemAhead = 12, kOctetsAhead = 6;
  if (at + kItemAhead >= places.size()) return;
  records_.prefetch_item(places[at + kItemAhead].index);
  records_.prefetch_octets(places[at + kOctetsAhead].index);
}

void RecordLoader::load_name(std::span<const Place> places) {
  neighbours_.clear();
  for (const Place& place : places) {
    Record record = records_.take(place.index);
    if (!is_empty_ && place.index == places.front().index) {
      neighbours_ = service_.store.records_at(change_.zone(), record.name);
    }
    if (const auto conflict = model::conflict_of(service_.settings.rules, change_.zone(), record,
                                                 neighbours_, model::BesideNs::kAsLegal)) {
      if (conflict->code != model::kCodeRecordExists) {
        return blame(records_.line(place.index), record, *conflict);
      }
      ++known_;
      continue;
    }
    ++added_;
    if (!fault_) {  // or nothing will be kept
      record.id = ids_->next();
      change_.date(record);
      inserter_->insert(record);
    }
    if (places.size() > 1) neighbours_.push_back(std::move(record));
  }
}

void RecordLoader::blame(std::size_t line, const Record& record, const model::Refusal& refusal) {
  if (fault_ && fault_line_ <= line) return;
  fault_line_ = line;
  fault_ = base::Error{refusal.detail(),
                       "line " + std::to_string(line) + ", " + record.name.text() + " " +
                           model::type_to_text(record.type),
                       ""};
}

}  // namespace brink::ctl::api
