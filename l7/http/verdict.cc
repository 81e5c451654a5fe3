#include "l7/http/verdict.h"

#include <array>

namespace brink::l7::http {

std::uint16_t status_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::ok:
    case Verdict::incomplete:
      return 0;
    case Verdict::bad_request_line:
    case Verdict::bad_status_line:
    case Verdict::bad_target:
    case Verdict::bad_version:
    case Verdict::bad_field_name:
    case Verdict::bad_field_value:
    case Verdict::obs_fold:
    case Verdict::bare_cr_or_lf:
    case Verdict::host_missing:
    case Verdict::host_duplicate:
    case Verdict::host_invalid:
    case Verdict::host_mismatch:
    case Verdict::length_invalid:
    case Verdict::length_duplicate:
    case Verdict::length_and_coding:
    case Verdict::coding_invalid:
    case Verdict::coding_on_http_1_0:
    case Verdict::connection_invalid:
    case Verdict::pseudo_field_unknown:
    case Verdict::pseudo_field_duplicate:
    case Verdict::pseudo_field_missing:
    case Verdict::pseudo_field_misplaced:
    case Verdict::method_invalid:
    case Verdict::scheme_invalid:
    case Verdict::connection_field:
    case Verdict::status_invalid:
    case Verdict::length_mismatch:
    case Verdict::body_unexpected:
    case Verdict::trailers_not_last:
    case Verdict::too_many_interim:
      return 400;
    case Verdict::target_too_long:
      return 414;
    case Verdict::expectation_failed:
      return 417;
    case Verdict::head_too_large:
    case Verdict::too_many_fields:
      return 431;
    case Verdict::method_not_implemented:
    case Verdict::coding_not_implemented:
      return 501;
    case Verdict::version_not_supported:
      return 505;
  }
  return 400;
}

std::string_view name_of(Verdict verdict) noexcept {
  static constexpr std::array<std::string_view, kVerdictCount> kNames = {
      "ok",
      "incomplete",
      "bad_request_line",
      "bad_status_line",
      "bad_target",
      "target_too_long",
      "method_not_implemented",
      "bad_version",
      "version_not_supported",
      "head_too_large",
      "too_many_fields",
      "bad_field_name",
      "bad_field_value",
      "obs_fold",
      "bare_cr_or_lf",
      "host_missing",
      "host_duplicate",
      "host_invalid",
      "host_mismatch",
      "length_invalid",
      "length_duplicate",
      "length_and_coding",
      "coding_invalid",
      "coding_not_implemented",
      "coding_on_http_1_0",
      "connection_invalid",
      "expectation_failed",
      "pseudo_field_unknown",
      "pseudo_field_duplicate",
      "pseudo_field_missing",
      "pseudo_field_misplaced",
      "method_invalid",
      "scheme_invalid",
      "connection_field",
      "status_invalid",
      "length_mismatch",
      "body_unexpected",
      "trailers_not_last",
      "too_many_interim",
  };
  return kNames[static_cast<std::size_t>(verdict)];
}

}  // namespace brink::l7::http
