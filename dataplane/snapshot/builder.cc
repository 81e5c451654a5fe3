#include "dataplane/snapshot/builder.h"

namespace brink::snapshot {
namespace {

// What names and empty names leave behind while they are put is freed this often.
constexpr std::uint32_t kOperationsBetween = 4096;
constexpr std::uint32_t kBucketsAtOnce = 1U << 20;

}  // namespace

Builder::Builder(const base::HashKey& hash_key, const ImageOptions& options, std::uint64_t names)
    : image_(Image::create(hash_key, options, names)) {
  if (!image_) return;
  writer_.emplace(image_.value());
  writer_->begin(options.generation);
}

template <typename Step>
base::Result<void> Builder::run(const Step& step) {
  if (!image_) return image_.error();
  auto result = step(*writer_);
  // A zone that waits for its apex cannot be interrupted.
  if (result && ++operations_ >= kOperationsBetween && writer_->check()) free_garbage();
  return result;
}

void Builder::free_garbage() {
  operations_ = 0;
  Garbage garbage = writer_->pause();
  while (!garbage.empty()) garbage = writer_->release(std::move(garbage));
  while (writer_->maintain(kBucketsAtOnce)) {
  }
}

base::Result<void> Builder::put_zone(Name apex, const ZoneContents& contents) {
  return run([&](Writer& writer) { return writer.put_zone(apex, contents); });
}

base::Result<void> Builder::use_zone(Name apex) {
  return run([&](Writer& writer) { return writer.use_zone(apex); });
}

base::Result<void> Builder::drop_zone(Name apex) {
  return run([&](Writer& writer) { return writer.drop_zone(apex); });
}

base::Result<void> Builder::put_name(Name name, const NameContents& contents) {
  return run([&](Writer& writer) { return writer.put_name(name, contents); });
}

base::Result<void> Builder::drop_name(Name name) {
  return run([&](Writer& writer) { return writer.drop_name(name); });
}

base::Result<void> Builder::put_denial(Name owner, std::span<const std::uint8_t> blob) {
  return run([&](Writer& writer) { return writer.put_denial(owner, blob); });
}

base::Result<void> Builder::drop_denial(Name owner) {
  return run([&](Writer& writer) { return writer.drop_denial(owner); });
}

base::Result<void> Builder::put_value(Key key, std::span<const std::uint8_t> value) {
  return run([&](Writer& writer) { return writer.put_value(key, value); });
}

base::Result<void> Builder::drop_value(Key key) {
  return run([&](Writer& writer) { return writer.drop_value(key); });
}

base::Result<void> Builder::clear_values(Key prefix) {
  return run([&](Writer& writer) { return writer.clear_values(prefix); });
}

base::Result<Image> Builder::finish(std::uint64_t version, std::uint64_t created_unix_ns,
                                    std::uint64_t token) {
  if (!image_) return image_.error();
  if (auto checked = writer_->check(); !checked) return checked.error();
  Garbage garbage = writer_->commit(version, created_unix_ns, token);
  while (!garbage.empty()) garbage = writer_->release(std::move(garbage));
  return std::move(image_);
}

}  // namespace brink::snapshot
