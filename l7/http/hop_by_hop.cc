#include "l7/http/hop_by_hop.h"

#include "l7/http/chars.h"

namespace brink::l7::http {

bool is_always_hop_by_hop(FieldName id) noexcept {
  switch (id) {
    case FieldName::connection:
    case FieldName::keep_alive:
    case FieldName::proxy_authenticate:
    case FieldName::proxy_authentication_info:
    case FieldName::proxy_authorization:
    case FieldName::proxy_connection:
    case FieldName::te:
    case FieldName::trailer:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
      return true;
    default:
      return false;
  }
}

namespace {

void mark_named(Fields& fields, std::string_view option) noexcept {
  for (Field& field : fields) {
    if (field.name_size == option.size() && equals_ignoring_case(fields.name(field), option)) {
      field.flags |= kFieldHopByHop;
    }
  }
}

// Applies the options of one Connection value; `budget` counts down over all of them.
bool apply_options(Fields& fields, std::string_view list, std::size_t& budget,
                   ConnectionOptions& out) noexcept {
  while (!list.empty()) {
    const std::string_view option = take_list_item(list);
    if (budget-- == 0) return false;
    if (option.empty()) continue;  // RFC 9110 5.6.1.2: empty list elements are ignored
    if (!all_of_class(option, kCharToken)) return false;
    if (equals_ignoring_case(option, "close")) {
      out.close = true;
    } else if (equals_ignoring_case(option, "keep-alive")) {
      out.keep_alive = true;
    } else {
      out.upgrade |= equals_ignoring_case(option, "upgrade");
      mark_named(fields, option);
    }
  }
  return true;
}

}  // namespace

ConnectionOptions mark_hop_by_hop(Fields& fields) noexcept {
  ConnectionOptions options;
  std::size_t budget = kMaxConnectionOptions;
  for (Field& field : fields) {
    if (is_always_hop_by_hop(field.id)) field.flags |= kFieldHopByHop;
    if (field.id != FieldName::connection) continue;
    if (!apply_options(fields, fields.value(field), budget, options)) {
      options.valid = false;
      return options;
    }
  }
  return options;
}

}  // namespace brink::l7::http
