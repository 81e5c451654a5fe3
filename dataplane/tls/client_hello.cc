// From a ClientHello to a host. It happens before the library looks at anything else of the
// message, tickets included, so that no session is resumed in another host's name or for other
// client authorities than it was made for.
#include <algorithm>
#include <array>
#include <optional>

#include "dataplane/base/bytes.h"
#include "dataplane/tls/engine_state.h"
#include "dataplane/tls/host.h"
#include "dataplane/tls/reasons.h"

namespace brink::tls {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kHostNameType = 0;
constexpr int kClientChainMax = 8;
constexpr long kClientChainBytesMax = 32 * 1024;

struct NameBuffer {
  std::array<char, kNameMax> text;
  std::size_t size = 0;

  [[nodiscard]] std::string_view view() const { return {text.data(), size}; }
};

constexpr bool belongs_into_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool set_name(std::span<const std::uint8_t> raw, NameBuffer& name) noexcept {
  if (!raw.empty() && raw.back() == '.') raw = raw.first(raw.size() - 1);
  if (raw.empty() || raw.size() > kNameMax) return false;
  for (const std::uint8_t octet : raw) {
    const char c = static_cast<char>(octet >= 'A' && octet <= 'Z' ? octet + 32 : octet);
    if (!belongs_into_a_name(c)) return false;
    name.text[name.size++] = c;
  }
  return true;
}

// RFC 6066 3: a list of which one entry, of the one type that there is, is allowed. False:
// malformed.
bool read_name(std::span<const std::uint8_t> extension, NameBuffer& name) noexcept {
  base::ByteReader list(extension);
  const std::uint16_t list_size = list.u16();
  if (!list.ok() || list_size != list.remaining() || list.u8() != kHostNameType) return false;
  const std::uint16_t size = list.u16();
  const auto raw = list.bytes(size);
  return list.ok() && list.remaining() == 0 && set_name(raw, name);
}

}  // namespace

int StreamParts::refuse(Stream& stream, Failure failure, int* alert, int number) noexcept {
  stream.failure_ = failure;
  *alert = number;
  return SSL_CLIENT_HELLO_ERROR;
}

int StreamParts::on_client_hello(SSL* ssl, int* alert, void*) {
  Stream& stream = of(ssl);
  NameBuffer name;
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) == 1 &&
      !read_name({extension, size}, name)) {
    return refuse(stream, Failure::kMalformed, alert, SSL_AD_DECODE_ERROR);
  }
  const HostSettings* settings = stream.source_->find(name.view(), stream.user_);
  if (settings == nullptr) {
    return refuse(stream, Failure::kUnknownName, alert, SSL_AD_UNRECOGNIZED_NAME);
  }
  SSL_CTX* context = state_of(stream).host(*settings);
  if (context == nullptr || !become(ssl, stream, context, name.view())) {
    return refuse(stream, Failure::kMaterial, alert, SSL_AD_INTERNAL_ERROR);
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

bool StreamParts::become(SSL* ssl, Stream& stream, SSL_CTX* context,
                         std::string_view name) noexcept {
  const Host& host = Host::of(context);
  if (SSL_set_SSL_CTX(ssl, context) == nullptr) return false;
  std::array<std::uint8_t, SSL_MAX_SID_CTX_LENGTH> scope;
  state_of(stream).digest(
      {name, {reinterpret_cast<const char*>(host.audience.data()), host.audience.size()}}, scope);
  stream.asked_for_certificate_ = host.client_auth != ClientAuth::kOff;
  switch (host.client_auth) {
    case ClientAuth::kOff:
      SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
      break;
    case ClientAuth::kOptional:
      SSL_set_verify(ssl, SSL_VERIFY_PEER, on_client_certificate);
      break;
    case ClientAuth::kRequired:
      SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      break;
  }
  SSL_set_verify_depth(ssl, kClientChainMax);
  SSL_set_max_cert_list(ssl, kClientChainBytesMax);
  return SSL_set_min_proto_version(ssl, host.min_version) == 1 &&
         SSL_set_max_proto_version(ssl, host.max_version) == 1 &&
         SSL_set_session_id_context(ssl, scope.data(), scope.size()) == 1;
}

// Of a host whose clients may show a bad certificate: the first thing that is wrong with it is
// kept, and the handshake goes on.
int StreamParts::on_client_certificate(int good, X509_STORE_CTX* verifying) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verifying, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Stream& stream = of(ssl);
  if (good != 1 && stream.first_verify_error_ == X509_V_OK) {
    stream.first_verify_error_ = X509_STORE_CTX_get_error(verifying);
  }
  X509_STORE_CTX_set_error(verifying, stream.first_verify_error_);
  return 1;
}

void StreamParts::on_progress(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0) return;
  const int number = value & 0xff;
  if (number == SSL_AD_CLOSE_NOTIFY || number == SSL_AD_USER_CANCELLED ||
      number == SSL_AD_NO_RENEGOTIATION) {
    return;
  }
  of(ssl).alert_ = static_cast<std::uint8_t>(number);
}

}  // namespace brink::tls
