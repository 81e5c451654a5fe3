// Owners of a C library's objects: std::unique_ptr<T, base::ReleasedBy<T_free>>.
#pragma once

namespace brink::base {

template <auto kRelease>
struct ReleasedBy {
  template <typename T>
  void operator()(T* object) const noexcept {
    kRelease(object);
  }
};

}  // namespace brink::base
