#include "ctl/api/sorted_records.h"

#include <algorithm>
#include <array>

#include "dataplane/base/bytes.h"

namespace brink::ctl::api {

using model::Record;

void SortedRecords::add(Record record, std::size_t line) {
  records_.add(std::move(record), line);
  const auto first = records_.key(0);
  const auto added = records_.key(static_cast<std::uint32_t>(records_.size() - 1));
  if (records_.size() == 1) common_size_ = first.size();
  const auto end = first.begin() + static_cast<std::ptrdiff_t>(common_size_);
  const auto differs = std::mismatch(first.begin(), end, added.begin(), added.end()).first;
  common_size_ = static_cast<std::size_t>(differs - first.begin());
}

void SortedRecords::sort() {
  places_.resize(records_.size());
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    const auto rest = records_.key(i).subspan(common_size_);
    std::array<std::uint8_t, kLeadSize> lead{};
    std::copy_n(rest.begin(), std::min(lead.size(), rest.size()), lead.begin());
    places_[i] = {{base::load_be64(lead.data()), base::load_be64(lead.data() + 8),
                   base::load_be64(lead.data() + 16)},
                  i,
                  static_cast<std::uint32_t>(rest.size())};
  }
  std::sort(places_.begin(), places_.end(), [this](const Place& a, const Place& b) {
    if (a.lead != b.lead) return a.lead < b.lead;
    if (is_lead_all(a) && is_lead_all(b)) {
      return a.size != b.size ? a.size < b.size : a.index < b.index;
    }
    const auto left = records_.key(a.index), right = records_.key(b.index);
    const auto difference = std::lexicographical_compare_three_way(left.begin(), left.end(),
                                                                   right.begin(), right.end());
    return difference != 0 ? difference < 0 : a.index < b.index;
  });
}

bool SortedRecords::is_same_name(const Place& a, const Place& b) const {
  if (a.lead != b.lead || a.size != b.size) return false;
  return is_lead_all(a) || std::ranges::equal(records_.key(a.index), records_.key(b.index));
}

std::size_t SortedRecords::end_of_name(std::size_t first) const {
  std::size_t last = first;
  do {
    prefetch(last++);
  } while (last != places_.size() && is_same_name(places_[first], places_[last]));
  return last;
}

// The records lie in the order of the file, all over memory, and waiting for each would take as
// long as inserting it.
void SortedRecords::prefetch(std::size_t at) const {
  constexpr std::size_t kItemAhead = 12, kOctetsAhead = 6;
  if (at + kItemAhead >= places_.size()) return;
  records_.prefetch_item(places_[at + kItemAhead].index);
  records_.prefetch_octets(places_[at + kOctetsAhead].index);
}

void SortedRecords::keep(const Judge& judge) {
  std::size_t kept = 0;
  for (std::size_t first = 0, last = 0; first != places_.size(); first = last) {
    last = end_of_name(first);
    const auto stay = judge(std::span(places_).subspan(first, last - first));
    std::copy_n(places_.begin() + static_cast<std::ptrdiff_t>(first), stay,
                places_.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += stay;
  }
  places_.resize(kept);
}

void SortedRecords::for_each_name(const std::function<void(Places)>& visit) const {
  for (std::size_t first = 0, last = 0; first != places_.size(); first = last) {
    last = end_of_name(first);
    visit(Places(places_).subspan(first, last - first));
  }
}

store::NewRecord SortedRecords::fresh(std::size_t at) const {
  prefetch(at);
  return records_.fresh(places_[at].index);
}

void SortedRecords::for_each_view(const store::VisitRecord& visit) const {
  std::vector<store::RecordView> views;
  for_each_name([&](Places places) {
    views.clear();
    for (const Place& place : places) views.push_back(view(place));
    std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) {
      if (a.type != b.type) return a.type < b.type;
      return std::lexicographical_compare(a.rdata.begin(), a.rdata.end(), b.rdata.begin(),
                                          b.rdata.end());
    });
    for (const store::RecordView& each : views) visit(each);
  });
}

}  // namespace brink::ctl::api
