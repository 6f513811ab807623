// The identifiers that travel between components, each a type of its own so that none is passed
// for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <utility>

namespace baton {

// An integer that only compares and hashes. `Tag` makes each instantiation a distinct type.
template <typename Tag, typename Value>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Value value) : value_(value) {}

  constexpr Value value() const { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;
  template <typename H>
  friend H AbslHashValue(H h, StrongId id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  Value value_{};
};

// A token of the model's vocabulary. Plain, because arrays of them are what the wire carries.
using TokenId = uint32_t;

// A physical block of the KV cache of one worker.
using BlockId = StrongId<struct BlockIdTag, int32_t>;

// Chained hash of a block of tokens: see common/kv/block_hash.h.
using BlockHash = StrongId<struct BlockHashTag, uint64_t>;

// The life of a worker process: random at start, so that a restart is never mistaken for the same.
using Epoch = StrongId<struct EpochTag, uint64_t>;

// One request inside one worker, unique for the life of its process.
using RequestKey = StrongId<struct RequestKeyTag, uint64_t>;

// One sequence (choice) of a request inside one worker, unique for the life of its process.
using SequenceId = StrongId<struct SequenceIdTag, uint64_t>;

}  // namespace baton

template <typename Tag, typename Value>
struct std::hash<baton::StrongId<Tag, Value>> {
  size_t operator()(baton::StrongId<Tag, Value> id) const { return std::hash<Value>()(id.value()); }
};
