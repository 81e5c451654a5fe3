// compact: a fresh image of what one generation sees, without versions and without waste, made
// while workers read and the writer writes. Cold; a thread of its own, which keeps the generation
// pinned meanwhile (it is a reader: nothing that it may see is freed).
#pragma once

#include "dataplane/base/result.h"
#include "dataplane/snapshot/image.h"

namespace brink::snapshot {

// Fails where there is no memory.
base::Result<Image> compact(const Pinned& from, const ImageOptions& options);

}  // namespace brink::snapshot
