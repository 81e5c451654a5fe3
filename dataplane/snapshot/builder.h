// Builder: makes an image from nothing, for those who have no readers yet. Cold; one thread.
#pragma once

#include <optional>

#include "dataplane/snapshot/change_sink.h"
#include "dataplane/snapshot/image.h"
#include "dataplane/snapshot/writer.h"

namespace brink::snapshot {

class Builder : public ChangeSink {
 public:
  // `names`: how many are expected. Where there is no memory at all, every call below fails.
  explicit Builder(const base::HashKey& hash_key, const ImageOptions& options = {},
                   std::uint64_t names = 0);

  base::Result<void> put_zone(Name apex, const ZoneContents& contents) override;
  base::Result<void> use_zone(Name apex) override;
  base::Result<void> drop_zone(Name apex) override;
  base::Result<void> put_name(Name name, const NameContents& contents) override;
  base::Result<void> drop_name(Name name) override;
  base::Result<void> put_denial(Name owner, std::span<const std::uint8_t> blob) override;
  base::Result<void> drop_denial(Name owner) override;
  base::Result<void> put_value(Key key, std::span<const std::uint8_t> value) override;
  base::Result<void> drop_value(Key key) override;
  base::Result<void> clear_values(Key prefix) override;

  // The image; nothing may be called after it. Fails if a zone has no apex.
  base::Result<Image> finish(std::uint64_t version, std::uint64_t created_unix_ns,
                             std::uint64_t token = 0);

 private:
  template <typename Step>
  base::Result<void> run(const Step& step);
  void free_garbage();

  base::Result<Image> image_;
  std::optional<Writer> writer_;  // if there is an image
  std::uint32_t operations_ = 0;  // since the garbage was freed
};

}  // namespace brink::snapshot
