#include "dataplane/tls/reasons.h"

#include "dataplane/tls/handles.h"

namespace brink::tls {
namespace {

Failure failure_of_reason(int reason) noexcept {
  if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    return failure_of_alert(static_cast<std::uint8_t>(reason - SSL_AD_REASON_OFFSET));
  }
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return Failure::kVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_UNKNOWN_CIPHER_RETURNED:
    case SSL_R_DH_KEY_TOO_SMALL:
      return Failure::kCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return Failure::kProtocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return Failure::kNoCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return Failure::kCertificate;
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_DECRYPTION_FAILED:
      return Failure::kRecordForged;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return Failure::kTruncated;
    case ERR_R_MALLOC_FAILURE:
      return Failure::kMemory;
    case ERR_R_INTERNAL_ERROR:
      return Failure::kInternal;
    default:
      return Failure::kMalformed;
  }
}

}  // namespace

Failure failure_of_alert(std::uint8_t alert) noexcept {
  switch (alert) {
    case SSL_AD_PROTOCOL_VERSION:
      return Failure::kVersion;
    case SSL_AD_INSUFFICIENT_SECURITY:
      return Failure::kCipher;
    case SSL_AD_NO_APPLICATION_PROTOCOL:
      return Failure::kProtocol;
    case SSL_AD_UNRECOGNIZED_NAME:
      return Failure::kUnknownName;
    case SSL_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return Failure::kPeerRejectedUs;
    default:
      return Failure::kPeerAlert;
  }
}

Failure take_failure() noexcept {
  Failure failure = Failure::kInternal;
  while (const unsigned long error = ERR_get_error()) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) continue;
    failure = failure_of_reason(ERR_GET_REASON(error));
    break;
  }
  ERR_clear_error();
  return failure;
}

Verification verification_of(long code) noexcept {
  switch (code) {
    case X509_V_OK:
      return Verification::kGood;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Verification::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Verification::kNotYetValid;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return Verification::kSelfSigned;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
      return Verification::kUntrusted;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Verification::kNameMismatch;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
      return Verification::kBadSignature;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return Verification::kWrongPurpose;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return Verification::kTooWeak;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return Verification::kChainTooLong;
    default:
      return Verification::kOther;
  }
}

}  // namespace brink::tls
