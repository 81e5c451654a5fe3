#include "l7/proxy/head/zone_fields.h"

#include "l7/http1/head_writer.h"
#include "l7/http2/head_writer.h"

namespace brink::l7::proxy {

using http::FieldName;

bool ZoneFields::replaces(FieldName name) const noexcept {
  return (name == FieldName::strict_transport_security && has(route::kHsts)) ||
         (name == FieldName::x_content_type_options && has(route::kNosniff));
}

template <typename Writer>
void ZoneFields::write(Writer& writer) const noexcept {
  if (has(route::kHsts)) {
    writer.begin_field(http::text_of(FieldName::strict_transport_security));
    writer.raw("max-age=");
    writer.number(max_age_s_);
    if (has(route::kHstsSubdomains)) writer.raw("; includeSubDomains");
    if (has(route::kHstsPreload)) writer.raw("; preload");
    writer.end_field();
  }
  if (has(route::kNosniff)) {
    writer.field(http::text_of(FieldName::x_content_type_options), "nosniff");
  }
}

template void ZoneFields::write(http1::HeadWriter&) const noexcept;
template void ZoneFields::write(http2::HeadWriter&) const noexcept;

}  // namespace brink::l7::proxy
