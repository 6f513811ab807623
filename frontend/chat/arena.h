// Bump allocator of one template render: everything a render makes dies with it, at once.
//
// Values are trivially copyable and point into an arena, so the evaluator neither counts
// references nor frees. A soft limit bounds the sum of all bytes: an allocation that crosses it
// still succeeds and sets exhausted(), which the evaluator checks at every step. Operations that
// can multiply sizes ask Fits() first, so a render never exceeds the limit by more than its input.
//
// Threading: owned by the render that made it.
// Ownership: pointers are valid until the arena dies; no destructor of a contained object runs,
//            hence only trivially destructible types are allowed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace baton::frontend::internal {

class RenderArena {
 public:
  explicit RenderArena(size_t bytes_max) : bytes_max_(bytes_max) {}
  RenderArena(const RenderArena&) = delete;
  RenderArena& operator=(const RenderArena&) = delete;

  void* Allocate(size_t bytes, size_t alignment) {
    const size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes > capacity_) return AllocateInNewChunk(bytes);
    used_ = start + bytes;
    return chunk_ + start;
  }

  template <typename T>
  T* AllocateArray(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(Allocate(count * sizeof(T), alignof(T)));
  }

  template <typename T, typename... Args>
  T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (Allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }

  std::string_view Copy(std::string_view text) {
    char* copy = static_cast<char*>(Allocate(text.size(), 1));
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  // Returns `left` followed by `right`. The newest result is extended in place, so that a template
  // which collects its output in one variable stays linear.
  std::string_view Concat(std::string_view left, std::string_view right) {
    const size_t bytes = left.size() + right.size();
    const bool newest = left.data() != nullptr && left.data() + left.size() == text_end_;
    if (!newest || right.size() > text_room_) {
      text_room_ = bytes < kGrowingBytes ? 0 : bytes;
      char* copy = static_cast<char*>(Allocate(bytes + text_room_, 1));
      if (!left.empty()) std::memcpy(copy, left.data(), left.size());
      left = {copy, left.size()};
      text_end_ = copy + left.size();
      text_room_ += right.size();
    }
    if (!right.empty()) std::memcpy(text_end_, right.data(), right.size());
    text_end_ += right.size();
    text_room_ -= right.size();
    return {left.data(), bytes};
  }

  // True when `bytes` more would stay within the limit.
  bool Fits(size_t bytes) const { return bytes <= bytes_max_ && total_ <= bytes_max_ - bytes; }
  bool exhausted() const { return total_ > bytes_max_; }
  // For an operation that cannot fail and would have made too much.
  void Exhaust() { total_ = bytes_max_ + 1; }

 private:
  static constexpr size_t kChunkBytes = 32 * 1024;
  static constexpr size_t kGrowingBytes = 256;  // a text of this length gets as much room again

  void* AllocateInNewChunk(size_t bytes) {
    const size_t size = std::max(bytes, kChunkBytes);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    total_ += size;
    // A large object gets a chunk of its own and the open chunk stays open.
    if (bytes > kChunkBytes / 4 && capacity_ - used_ > kChunkBytes / 4) return chunks_.back().get();
    chunk_ = chunks_.back().get();
    capacity_ = size;
    used_ = bytes;
    return chunk_;
  }

  const size_t bytes_max_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* chunk_ = nullptr;
  size_t used_ = 0;
  size_t capacity_ = 0;
  size_t total_ = 0;

  // Where the newest text of Concat ends, and how many bytes behind it are free.
  char* text_end_ = nullptr;
  size_t text_room_ = 0;
};

}  // namespace baton::frontend::internal
