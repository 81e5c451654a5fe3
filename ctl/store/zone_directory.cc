#include "ctl/store/zone_directory.h"

#include <algorithm>
#include <limits>

#include "ctl/store/text_search.h"
#include "dataplane/base/check.h"

namespace brink::ctl::store {
namespace {

constexpr std::size_t kUnusedNamesMax = 1 << 20;
constexpr std::uint32_t kNoName = std::numeric_limits<std::uint32_t>::max();

bool matches_text(TextMatch match, std::string_view text, std::string_view value) {
  switch (match) {
    case TextMatch::kExact:
      return text == value;
    case TextMatch::kContains:
      return text.find(value) != std::string_view::npos;
    case TextMatch::kStartsWith:
      return text.starts_with(value);
    case TextMatch::kEndsWith:
      return text.ends_with(value);
    case TextMatch::kNot:
      return text != value;
    case TextMatch::kAbsent:
      return text.empty();
    case TextMatch::kPresent:
      return !text.empty();
  }
  return false;
}

// What a zone has to be, apart from its account.
bool admits(const ZoneQuery& query, std::string_view name, model::ZoneStatus status,
            model::ZoneType type) {
  bool any = false, all = true, filtered = false;
  const auto test = [&](bool holds) {
    filtered = true;
    any = any || holds;
    all = all && holds;
  };
  // What is cheap first: a name need not be looked at when the answer is clear.
  if (query.status) test(*query.status == status);
  if (!query.types.empty()) {
    test(std::find(query.types.begin(), query.types.end(), type) != query.types.end());
  }
  if (query.name && (query.match_any ? !any : all)) {
    test(matches_text(query.name->match, name, query.name->value));
  }
  return !filtered || (query.match_any ? any : all);
}

// The page of those that are visited, of which the first `skip` are not on it.
class PageFiller {
 public:
  PageFiller(Page<std::int64_t>& page, const Paging& paging)
      : page_(page), paging_(paging), skip_((paging.page == 0 ? 0 : paging.page - 1)) {
    // A page so far away that its number of items overflows is past the end in any case.
    const bool far =
        paging.per_page != 0 && skip_ > std::numeric_limits<std::uint64_t>::max() / paging.per_page;
    skip_ = far ? std::numeric_limits<std::uint64_t>::max() : skip_ * paging.per_page;
  }
  // False: the page is full.
  bool take(std::int64_t row) {
    if (skip_ != 0) {
      --skip_;
      return true;
    }
    if (page_.items.size() < paging_.per_page) page_.items.push_back(row);
    return page_.items.size() < paging_.per_page;
  }

 private:
  Page<std::int64_t>& page_;
  const Paging& paging_;
  std::uint64_t skip_;
};

// Calls `visit` with the items in this or the other order until it returns false.
template <typename T, typename Visit>
bool walk(const std::vector<T>& items, bool backwards, const Visit& visit) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!visit(items[backwards ? items.size() - 1 - i : i])) return false;
  }
  return true;
}

constexpr model::ZoneStatus kStatuses[] = {model::ZoneStatus::kInitializing,
                                           model::ZoneStatus::kPending, model::ZoneStatus::kActive,
                                           model::ZoneStatus::kMoved};

}  // namespace

void ZoneDirectory::add(const Zone& zone) {
  const auto slot = static_cast<Slot>(entries_.size());
  entries_.push_back(make_entry(zone, slot));
  by_row_.push_back(slot);
}

void ZoneDirectory::finish() {
  by_name_ = by_row_;
  std::sort(by_name_.begin(), by_name_.end(),
            [this](Slot a, Slot b) { return name_of(entries_[a]) < name_of(entries_[b]); });
}

void ZoneDirectory::put(const Zone& zone) {
  const auto at = find_row(zone.row);
  if (at != by_row_.end() && entries_[*at].row == zone.row) {
    Entry& entry = entries_[*at];
    if (name_of(entry) == zone.name) {
      entry.status = zone.status;
      entry.type = zone.type;
      entry.account = account_number(zone.account);
      return;
    }
    erase(zone.row);  // the row was used again
    return put(zone);
  }
  Slot slot = static_cast<Slot>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  entries_[slot] = make_entry(zone, slot);
  by_row_.insert(at, slot);
  by_name_.insert(find_name(zone.name), slot);
}

void ZoneDirectory::erase(std::int64_t row) {
  const auto at = find_row(row);
  if (at == by_row_.end() || entries_[*at].row != row) return;
  const Slot slot = *at;
  const auto named = find_name(name_of(entries_[slot]));
  CHECK(named != by_name_.end() && *named == slot);
  by_name_.erase(named);
  by_row_.erase(at);
  free_.push_back(slot);
  unused_names_ += entries_[slot].name_size;
  entries_[slot].name_at = kNoName;
  if (unused_names_ > kUnusedNamesMax && unused_names_ > names_.size() / 2) compact_names();
}

Page<std::int64_t> ZoneDirectory::find(const ZoneQuery& query,
                                       const std::vector<std::int64_t>* rows) const {
  Page<std::int64_t> page;
  // A name that has to be there exactly is looked up.
  const bool is_exact = query.name && query.name->match == TextMatch::kExact && !query.match_any;
  if (is_exact && rows == nullptr) {
    const auto at = find_name(query.name->value);
    if (at == by_name_.end() || name_of(entries_[*at]) != query.name->value) return page;
    const std::vector<std::int64_t> only = {entries_[*at].row};
    std::vector<bool> unused;
    page.total = match(query, &only, unused);
    if (page.total != 0) PageFiller(page, query.paging).take(only.front());
    return page;
  }
  std::vector<bool> matches;
  page.total = match(query, rows, matches);
  if (query.paging.per_page == 0 || page.total == 0) return page;
  PageFiller filler(page, query.paging);
  const auto take = [&](Slot slot) { return !matches[slot] || filler.take(entries_[slot].row); };
  switch (query.order) {
    case ZoneQuery::Order::kCreated:
      walk(by_row_, query.descending, take);
      break;
    case ZoneQuery::Order::kName:
      walk(by_name_, query.descending, take);
      break;
    case ZoneQuery::Order::kStatus: {
      const std::vector<model::ZoneStatus> statuses(std::begin(kStatuses), std::end(kStatuses));
      walk(statuses, query.descending, [&](model::ZoneStatus status) {
        return walk(by_row_, false,
                    [&](Slot slot) { return entries_[slot].status != status || take(slot); });
      });
      break;
    }
  }
  return page;
}

std::uint64_t ZoneDirectory::match(const ZoneQuery& query, const std::vector<std::int64_t>* rows,
                                   std::vector<bool>& matches) const {
  matches.assign(entries_.size(), false);
  std::optional<std::uint32_t> account;
  if (query.account) {
    const auto known = accounts_.find(*query.account);
    if (known == accounts_.end()) return 0;
    account = known->second;
  }
  std::uint64_t count = 0;
  const auto test_for = [&](const ZoneQuery& wanted, Slot slot) {
    const Entry& entry = entries_[slot];
    if (account && entry.account != *account) return;
    if (!admits(wanted, name_of(entry), entry.status, entry.type) || matches[slot]) return;
    matches[slot] = true;
    ++count;
  };
  const auto test = [&](Slot slot) { test_for(query, slot); };
  const bool is_text =
      query.name && query.name->match == TextMatch::kContains && !query.name->value.empty();
  if (rows == nullptr && is_text) {
    ZoneQuery rest = query;
    rest.name.reset();
    const bool is_all = !query.match_any || (!rest.status && rest.types.empty());
    const ZoneQuery any;
    for_each_containing(query.name->value,
                        [&](Slot slot) { test_for(query.match_any ? any : rest, slot); });
    if (is_all) return count;
    for (const Slot slot : by_row_) test_for(rest, slot);
    return count;
  }
  if (rows == nullptr) {
    for (const Slot slot : by_row_) test(slot);
    return count;
  }
  for (const std::int64_t row : *rows) {
    const auto at = find_row(row);
    if (at != by_row_.end() && entries_[*at].row == row) test(*at);
  }
  return count;
}

template <typename Visit>
void ZoneDirectory::for_each_containing(std::string_view text, const Visit& visit) const {
  auto place = places_.begin();
  std::size_t at = 0;
  while ((at = find_text(names_, text, at)) != std::string_view::npos) {
    // The name that it begins in: seldom far behind the last one when many names have it.
    std::ptrdiff_t step = 1;
    while (step < places_.end() - place && place[step].at <= at) step *= 2;
    const auto end = place + std::min(step, places_.end() - place);
    place =
        std::upper_bound(place + step / 2, end, at,
                         [](std::size_t wanted, NamePlace other) { return wanted < other.at; }) -
        1;
    const Entry& entry = entries_[place->slot];
    const bool is_within = at + text.size() <= std::size_t{place->at} + entry.name_size;
    if (entry.name_at == place->at && is_within) visit(place->slot);
    if (++place == places_.end()) return;
    at = place->at;
  }
}

ZoneDirectory::Entry ZoneDirectory::make_entry(const Zone& zone, Slot slot) {
  CHECK(names_.size() + zone.name.size() < kNoName);
  const Entry entry{zone.row,
                    static_cast<std::uint32_t>(names_.size()),
                    static_cast<std::uint16_t>(zone.name.size()),
                    zone.status,
                    zone.type,
                    account_number(zone.account)};
  names_ += zone.name;
  places_.push_back({entry.name_at, slot});
  return entry;
}

std::uint32_t ZoneDirectory::account_number(const model::Id& account) {
  return accounts_.emplace(account, static_cast<std::uint32_t>(accounts_.size())).first->second;
}

std::vector<ZoneDirectory::Slot>::const_iterator ZoneDirectory::find_row(std::int64_t row) const {
  return std::lower_bound(
      by_row_.begin(), by_row_.end(), row,
      [this](Slot slot, std::int64_t wanted) { return entries_[slot].row < wanted; });
}

std::vector<ZoneDirectory::Slot>::const_iterator ZoneDirectory::find_name(
    std::string_view name) const {
  return std::lower_bound(
      by_name_.begin(), by_name_.end(), name,
      [this](Slot slot, std::string_view wanted) { return name_of(entries_[slot]) < wanted; });
}

void ZoneDirectory::compact_names() {
  std::string names;
  names.reserve(names_.size() - unused_names_);
  places_.clear();
  for (const Slot slot : by_row_) {
    Entry& entry = entries_[slot];
    const auto at = static_cast<std::uint32_t>(names.size());
    names += name_of(entry);
    entry.name_at = at;
    places_.push_back({at, slot});
  }
  names_ = std::move(names);
  unused_names_ = 0;
}

}  // namespace brink::ctl::store
