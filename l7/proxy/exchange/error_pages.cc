#include "l7/proxy/exchange/error_pages.h"

#include <optional>
#include <string>

#include "l7/http/status.h"
#include "l7/page/page.h"
#include "l7/proxy/head/http_date.h"
#include "l7/route/certificate_lookup.h"

namespace brink::l7::proxy {
namespace {

using route::PageKind;

// Of the errors that zones have pages for; empty: it is none of them.
std::optional<PageKind> kind_of(const EdgeErrorInfo& info) noexcept {
  if (info.type >= 1000) return PageKind::kRefusal;
  if (info.status >= 500) return PageKind::kServer;
  return {};
}

}  // namespace

// The text with placeholders; empty: there is none.
std::string_view ErrorPages::page_text(const Exchange& exchange,
                                       const EdgeErrorInfo& info) const noexcept {
  const auto kind = kind_of(info);
  if (kind && !exchange.route.zone_name().empty()) {
    const auto table = route::find_zone_table(*turn_.view, exchange.host.text());
    const std::string_view own = table ? table->error_page(*kind) : std::string_view();
    if (!own.empty()) return own;
  }
  const std::string* const common = turn_.config.error_page == nullptr
                                        ? nullptr
                                        : turn_.config.error_page->load(std::memory_order_acquire);
  return common == nullptr ? std::string_view() : std::string_view(*common);
}

std::string_view ErrorPages::write(const Exchange& exchange, EdgeError error) noexcept {
  const EdgeErrorInfo& info = info_of(error);
  const std::string_view text = page_text(exchange, info);
  if (text.empty()) return {};
  const base::IpText address = clients_[exchange.client].address.text();
  const HttpDate date = http_date(turn_.unix_s());
  return page::write_page(text,
                          {.code = info.type,
                           .status = info.status,
                           .title = http::reason_of(info.status),
                           .message = info.text,
                           .ray = exchange.ray_text(),
                           .address = address.view(),
                           .host = exchange.host.text(),
                           .time = date.view()},
                          room_);
}

}  // namespace brink::l7::proxy
