#include "l7/http/status.h"

namespace brink::l7::http {

std::string_view reason_of(std::uint16_t status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 301:
      return "Moved Permanently";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 508:
      return "Loop Detected";
    case 520:
      return "Origin Error";
    case 521:
      return "Origin Down";
    case 522:
      return "Origin Connection Timeout";
    case 523:
      return "Origin Unreachable";
    case 524:
      return "Origin Response Timeout";
    case 525:
      return "TLS Handshake With The Origin Failed";
    case 526:
      return "Origin Certificate Not Trusted";
    case 530:
      return "Edge Error";
    default:
      return "Unknown";
  }
}

}  // namespace brink::l7::http
