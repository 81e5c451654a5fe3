#include "dataplane/tls/types.h"

namespace brink::tls {
namespace {

constexpr std::string_view kFailureNames[] = {
#define X(enumerator, name, help) name,
    BRINK_TLS_FAILURES(X)
#undef X
};
constexpr std::string_view kVerificationNames[] = {
#define X(enumerator, name, help) name,
    BRINK_TLS_VERIFICATIONS(X)
#undef X
};

}  // namespace

std::string_view name_of(Failure failure) noexcept {
  return kFailureNames[static_cast<std::size_t>(failure)];
}

std::string_view name_of(Verification verification) noexcept {
  return kVerificationNames[static_cast<std::size_t>(verification)];
}

std::string_view name_of(Version version) noexcept {
  switch (version) {
    case Version::kTls12:
      return "TLSv1.2";
    case Version::kTls13:
      return "TLSv1.3";
  }
  return "";
}

std::string_view name_of(Alpn protocol) noexcept {
  switch (protocol) {
    case Alpn::kNone:
      return "";
    case Alpn::kHttp11:
      return "http/1.1";
    case Alpn::kH2:
      return "h2";
    case Alpn::kDot:
      return "dot";
  }
  return "";
}

}  // namespace brink::tls
