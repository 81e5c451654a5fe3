// Which media types gain by compression.
#pragma once

#include <string_view>

namespace brink::l7::compress {

// True for a Content-Type (parameters and case do not count) whose bodies compress well: text, the
// JSON and XML families, scripts, WebAssembly, SVG, icons and fonts that are not packed themselves.
// Not text/event-stream: such a body lives for hours, and would hold an encoder as long.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace brink::l7::compress
