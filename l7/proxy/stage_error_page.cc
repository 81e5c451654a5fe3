// Which page an error is told with: the zone's own, else the operator's, else the edge's.
#include "l7/http/status.h"
#include "l7/page/page.h"
#include "l7/proxy/http_date.h"
#include "l7/proxy/stage.h"
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
std::string_view Stage::page_text(const Exchange& exchange,
                                  const EdgeErrorInfo& info) const noexcept {
  const auto kind = kind_of(info);
  if (kind && !exchange.route.zone_name().empty()) {
    const auto table = route::find_zone_table(*view_, exchange.host.text());
    const std::string_view own = table ? table->error_page(*kind) : std::string_view();
    if (!own.empty()) return own;
  }
  const std::string* const common =
      config_.error_page == nullptr ? nullptr : config_.error_page->load(std::memory_order_acquire);
  return common == nullptr ? std::string_view() : std::string_view(*common);
}

// The page; empty: the edge's own has to do.
std::string_view Stage::custom_page(const Exchange& exchange, EdgeError error) noexcept {
  const EdgeErrorInfo& info = info_of(error);
  const std::string_view text = page_text(exchange, info);
  if (text.empty()) return {};
  const base::IpText address = clients_[exchange.client].address.text();
  const HttpDate date =
      http_date((now_.time_since_epoch() + config_.wall_offset) / std::chrono::seconds(1));
  return page::write_page(text,
                          {.code = info.type,
                           .status = info.status,
                           .title = http::reason_of(info.status),
                           .message = info.text,
                           .ray = exchange.ray_text(),
                           .address = address.view(),
                           .host = exchange.host.text(),
                           .time = date.view()},
                          page_);
}

}  // namespace brink::l7::proxy
