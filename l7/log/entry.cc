#include "l7/log/entry.h"

#include <algorithm>

namespace brink::l7::log {

void Notes::put(Text which, std::string_view text) noexcept {
  const auto i = static_cast<std::size_t>(which);
  const std::size_t size = std::min<std::size_t>(text.size(), kTextMax[i]);
  cut_ |= size < text.size();
  std::memcpy(texts_.data() + place(which), text.data(), size);
  size_[i] = static_cast<std::uint16_t>(size);
}

std::size_t packed_size(const Notes& notes) noexcept {
  std::size_t size = sizeof(Entry);
  for (std::size_t i = 0; i < kTextCount; ++i) size += notes.get(static_cast<Text>(i)).size();
  return size;
}

void pack(const Entry& entry, const Notes& notes, std::span<std::byte> out) noexcept {
  Entry head = entry;
  if (notes.cut()) head.flags |= kTextCut;
  std::byte* at = out.data() + sizeof head;
  for (std::size_t i = 0; i < kTextCount; ++i) {
    const std::string_view text = notes.get(static_cast<Text>(i));
    head.text_size[i] = static_cast<std::uint16_t>(text.size());
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  std::memcpy(out.data(), &head, sizeof head);
}

EntryView unpack(std::span<const std::byte> packed) noexcept {
  EntryView view;
  std::memcpy(&view.entry, packed.data(), sizeof view.entry);
  const char* at = reinterpret_cast<const char*>(packed.data()) + sizeof view.entry;
  for (std::size_t i = 0; i < kTextCount; ++i) {
    view.texts[i] = {at, view.entry.text_size[i]};
    at += view.entry.text_size[i];
  }
  return view;
}

}  // namespace brink::l7::log
