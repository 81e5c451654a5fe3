#include "dataplane/snapshot/name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "dataplane/snapshot/snapshot_fixture.h"

namespace brink::snapshot {
namespace {

TEST(NameKeyText, AcceptsHostNamesAndRefusesTheRest) {
  const base::HashKey hash_key = key_of_seed(3);
  NameKey from_text;
  NameKey from_wire;
  const Bytes bytes = wire_name("www.example.com");
  set_key(from_wire, hash_key, bytes.data(), bytes.size(), bytes.size());
  for (const char* text : {"www.example.com", "WWW.Example.Com."}) {
    ASSERT_TRUE(set_key_from_text(from_text, hash_key, text));
    EXPECT_EQ(from_text.hash, from_wire.hash);
    EXPECT_EQ(from_text.size, from_wire.size);
  }
  const std::string label63(63, 'a');
  EXPECT_TRUE(set_key_from_text(from_text, hash_key, label63 + ".example"));
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string("a b"),
        "a" + label63 + ".example", std::string(254, 'a'), std::string("a\\.b"),
        std::string("a\n")}) {
    EXPECT_FALSE(set_key_from_text(from_text, hash_key, text)) << text;
  }
}

TEST(NameKeySizes, EverySizeIsPaddedWithZeros) {
  const base::HashKey hash_key = key_of_seed(4);
  for (std::size_t size = 3; size <= 255; ++size) {
    Bytes name;
    while (name.size() + 1 < size) {
      std::size_t label = std::min<std::size_t>(63, size - name.size() - 2);
      if (size - name.size() - 2 - label == 1) --label;
      name.push_back(static_cast<std::uint8_t>(label));
      name.insert(name.end(), label, 'X');
    }
    name.push_back(0);
    ASSERT_EQ(wire_name_size(name), size);
    NameKey key;
    std::memset(&key, 0xee, sizeof key);
    set_key(key, hash_key, name.data(), size, size);
    for (std::size_t i = 0; i < 32; ++i) ASSERT_EQ(key.bytes[size + i], 0) << size;
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(key.bytes[i], name[i] == 'X' ? 'x' : name[i]);
    }
  }
}

}  // namespace
}  // namespace brink::snapshot
