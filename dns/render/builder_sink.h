// BuilderSink: a ChangeSink that fills a snapshot::Builder, for full images. It takes new zones and
// names only, a zone before those below it; dropping fails. One thread; the builder outlives it.
#pragma once

#include <map>
#include <string>

#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/change_sink.h"

namespace brink::dns::render {

class BuilderSink : public snapshot::ChangeSink {
 public:
  explicit BuilderSink(snapshot::Builder& builder) : builder_(builder) {}

  base::Result<void> put_zone(Name apex, std::uint32_t serial,
                              std::span<const std::uint8_t> negative) override;
  base::Result<void> use_zone(Name apex) override;
  base::Result<void> drop_zone(Name apex) override;
  base::Result<void> put_name(Name name, const snapshot::NameContents& contents) override;
  base::Result<void> drop_name(Name name) override;

 private:
  base::Result<void> lend_ds(Name name, std::span<const snapshot::Rrset> rrsets);

  snapshot::Builder& builder_;
  std::map<std::string, std::uint32_t> zones_;  // lower-case apex -> the builder's index
  std::uint32_t current_ = 0;
};

}  // namespace brink::dns::render
