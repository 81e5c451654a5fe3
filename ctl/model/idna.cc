// International names (RFC 5890, RFC 5891, UTS 46 without transitional processing), by libidn2.
#include <idn2.h>

#include <memory>

#include "ctl/model/name.h"

namespace brink::ctl::model {
namespace {

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// Label by label: wildcards and underscores stand beside international labels.
std::string label_to_ascii(std::string_view label) {
  const std::string given(label);
  if (is_ascii(given) || given.find('\\') != std::string::npos) return given;
  char* made = nullptr;
  const int status = idn2_to_ascii_8z(given.c_str(), &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, decltype(&idn2_free)> text(made, &idn2_free);
  return status == IDN2_OK ? std::string(text.get()) : given;
}

}  // namespace

std::string to_ascii(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  while (true) {
    const std::size_t dot = text.find('.');
    out += label_to_ascii(text.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    out += '.';
    text.remove_prefix(dot + 1);
  }
}

}  // namespace brink::ctl::model
