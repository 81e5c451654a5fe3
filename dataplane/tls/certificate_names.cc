#include "dataplane/tls/certificate_names.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "dataplane/tls/handles.h"

namespace brink::tls {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, ReleasedBy<GENERAL_NAMES_free>>;

std::string lower_case(const ASN1_IA5STRING* name) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)),
                   static_cast<std::size_t>(ASN1_STRING_length(name)));
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return text;
}

}  // namespace

std::vector<std::string> certificate_names(std::span<const std::uint8_t> chain) {
  const ErrorsCleared errors;
  const std::uint8_t* at = chain.data();
  const X509Ptr leaf(d2i_X509(nullptr, &at, static_cast<long>(chain.size())));
  if (!leaf) return {};
  const NamesPtr all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(leaf.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) names.push_back(lower_case(name->d.dNSName));
  }
  return names;
}

bool names_cover(const std::vector<std::string>& names, std::string_view host) noexcept {
  const std::size_t dot = host.find('.');
  const std::string_view above = dot == std::string_view::npos ? "" : host.substr(dot);
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    if (name == host) return true;
    return dot != 0 && !above.empty() && name.starts_with('*') && name.substr(1) == above;
  });
}

}  // namespace brink::tls
