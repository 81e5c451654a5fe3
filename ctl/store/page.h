// Pages of a list whose SQL is put together from fixed fragments. Private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "ctl/store/query.h"
#include "ctl/store/sqlite.h"

namespace brink::ctl::store {

inline std::int64_t offset_of(const Paging& paging) {
  const std::uint64_t page = paging.page == 0 ? 0 : paging.page - 1;
  const std::uint64_t limit =
      (std::uint64_t{1} << 62) / std::max<std::uint64_t>(paging.per_page, 1);
  return static_cast<std::int64_t>(std::min(page, limit) * paging.per_page);
}

// A page of `SELECT columns from order`. `bind` fills in the parameters of `from`; the last two of
// the statement, ?8 and ?9, page it.
template <typename T, typename Bind, typename Read>
Page<T> page_of(Database& database, const std::string& columns, const std::string& from,
                const std::string& order, const Paging& paging, Bind bind, Read read) {
  Page<T> page;
  auto total = database.prepare("SELECT count(*) " + from);
  bind(*total);
  if (total->step()) page.total = static_cast<std::uint64_t>(total->integer(0));
  auto select =
      database.prepare("SELECT " + columns + " " + from + " " + order + " LIMIT ?8 OFFSET ?9");
  bind(*select);
  select->bind(8, static_cast<std::int64_t>(paging.per_page)).bind(9, offset_of(paging));
  while (select->step()) page.items.push_back(read(*select));
  return page;
}

}  // namespace brink::ctl::store
