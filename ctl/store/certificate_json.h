// A certificate to and from the one column that keeps it. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "ctl/model/certificate.h"

namespace brink::ctl::store {

std::string to_json_text(const model::Certificate& certificate);
// Throws Failure when the text is not one of these.
model::Certificate certificate_from_json(std::string_view text);

}  // namespace brink::ctl::store
