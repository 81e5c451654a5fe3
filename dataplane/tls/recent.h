// Recent: a bounded map that forgets what was used least recently. Cold: it allocates an entry.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace brink::tls {

template <typename K, typename V, typename Hash>
class Recent {
 public:
  explicit Recent(std::size_t max) : max_(max == 0 ? 1 : max) {}

  // Null if it is not there; the value stays until another is put.
  V* find(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }

  // Replaces what is there. True through `evicted`: another made room.
  V& put(const K& key, V value, bool& evicted) {
    evicted = false;
    if (V* old = find(key); old != nullptr) {
      *old = std::move(value);
      return *old;
    }
    if (order_.size() >= max_) {
      index_.erase(order_.back().first);
      order_.pop_back();
      evicted = true;
    }
    order_.emplace_front(key, std::move(value));
    index_.emplace(key, order_.begin());
    return order_.front().second;
  }

  void erase(const K& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }

  template <typename Predicate>
  void erase_if(Predicate predicate) {
    for (auto at = order_.begin(); at != order_.end();) {
      const auto here = at++;
      if (!predicate(here->first)) continue;
      index_.erase(here->first);
      order_.erase(here);
    }
  }

  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  using Order = std::list<std::pair<K, V>>;
  std::size_t max_;
  Order order_;  // most recently used first
  std::unordered_map<K, typename Order::iterator, Hash> index_;
};

}  // namespace brink::tls
