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
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
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
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
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
    case 530:
      return "Edge Error";
    default:
      return "Unknown";
  }
}

}  // namespace brink::l7::http
