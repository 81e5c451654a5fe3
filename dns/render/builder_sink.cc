#include "dns/render/builder_sink.h"

#include <algorithm>

#include "dns/zone/text.h"

namespace brink::dns::render {
namespace {

zone::Wire key_of(std::span<const std::uint8_t> name) {
  return zone::lower_name({reinterpret_cast<const char*>(name.data()), name.size()});
}

}  // namespace

base::Result<void> BuilderSink::put_zone(Name apex, std::uint32_t serial,
                                         std::span<const std::uint8_t> negative) {
  const auto added = builder_.add_zone(apex, serial, negative);
  if (!added) return added.error();
  current_ = zones_[key_of(apex)] = added.value();
  return {};
}

base::Result<void> BuilderSink::use_zone(Name apex) {
  const auto zone = zones_.find(key_of(apex));
  if (zone == zones_.end()) {
    return base::Error{"the zone was not put", zone::name_to_text(key_of(apex)), ""};
  }
  current_ = zone->second;
  return {};
}

base::Result<void> BuilderSink::drop_zone(Name apex) {
  return base::Error{"nothing can be dropped from a new image", zone::name_to_text(key_of(apex)),
                     ""};
}

base::Result<void> BuilderSink::drop_name(Name name) {
  return drop_zone(name);
}

base::Result<void> BuilderSink::put_name(Name name, const snapshot::NameContents& contents) {
  if (!contents.parent_side) {
    return builder_.add_name(current_, name, contents.rrsets, contents.route, contents.cut);
  }
  // The builder takes the DS set from the parent zone's delegation.
  std::vector<snapshot::Rrset> own, ds;
  for (const snapshot::Rrset& set : contents.rrsets) {
    (set.type == zone::kTypeDs ? ds : own).push_back(set);
  }
  auto added = builder_.add_name(current_, name, own, contents.route, contents.cut);
  return added ? lend_ds(name, ds) : added;
}

base::Result<void> BuilderSink::lend_ds(Name name, std::span<const snapshot::Rrset> rrsets) {
  for (zone::Wire up = key_of(name); up.size() > 1;) {
    up.erase(0, 1U + static_cast<unsigned char>(up[0]));
    const auto parent = zones_.find(up);
    if (parent != zones_.end()) return builder_.add_name(parent->second, name, rrsets, {}, true);
  }
  return base::Error{"the parent zone was not put", zone::name_to_text(key_of(name)), ""};
}

}  // namespace brink::dns::render
