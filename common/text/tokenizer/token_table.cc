#include "common/text/tokenizer/token_table.h"

#include <bit>
#include <cstring>

#include "common/base/check.h"

namespace baton {
namespace {

constexpr size_t kInlineBytes = 8;

template <typename T>
uint64_t Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Folds a 128-bit product: every bit of both inputs reaches the result.
uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

constexpr uint64_t kSeed1 = 0x9E3779B97F4A7C15u;
constexpr uint64_t kSeed2 = 0xD6E8FEB86659FD93u;

// 1 to 8 bytes as a number, by loads that may overlap but never leave the string.
uint64_t InlineKey(const char* at, size_t length) {
  if (length >= 4) {
    return Load<uint32_t>(at) | Load<uint32_t>(at + length - 4) << (8 * (length - 4));
  }
  return Load<uint8_t>(at) | Load<uint8_t>(at + length / 2) << (8 * (length / 2)) |
         Load<uint8_t>(at + length - 1) << (8 * (length - 1));
}

// REQUIRES: length > 8.
uint64_t HashKey(const char* at, size_t length) {
  uint64_t hash = length * kSeed1;
  size_t i = 0;
  for (; i + 8 < length; i += 8) hash = Mix(hash ^ Load<uint64_t>(at + i), kSeed2);
  return Mix(hash ^ Load<uint64_t>(at + length - 8), kSeed2);
}

uint64_t KeyOf(std::string_view text) {
  return text.size() <= kInlineBytes ? InlineKey(text.data(), text.size())
                                     : HashKey(text.data(), text.size());
}

uint64_t Spread(uint64_t key, size_t length) { return Mix(key ^ kSeed1, length + kSeed2); }

}  // namespace

void TokenTable::Append(std::string_view text) {
  BATON_CHECK(slots_.empty() && bytes_.size() + text.size() < UINT32_MAX)
      << "token table of " << ends_.size();
  bytes_.append(text);
  ends_.push_back(static_cast<uint32_t>(bytes_.size()));
}

void TokenTable::BuildIndex() {
  const size_t capacity = std::bit_ceil(ends_.size() * 2 + 2);
  slots_.assign(capacity, {0, 0, kNoToken});
  shift_ = 64 - static_cast<uint32_t>(std::countr_zero(capacity));
  for (TokenId id = 0; id < ends_.size(); ++id) Insert(id);
}

void TokenTable::Insert(TokenId id) {
  const std::string_view text = (*this)[id];
  if (text.empty()) return;
  const uint64_t key = KeyOf(text);
  size_t i = Spread(key, text.size()) >> shift_;
  while (slots_[i].length != 0 && (slots_[i].key != key || (*this)[slots_[i].id] != text)) {
    i = (i + 1) & (slots_.size() - 1);
  }
  slots_[i] = {key, static_cast<uint32_t>(text.size()), id};
}

TokenId TokenTable::Find(std::string_view text) const {
  if (text.empty() || slots_.empty()) return kNoToken;
  const uint64_t key = KeyOf(text);
  for (size_t i = Spread(key, text.size()) >> shift_; slots_[i].length != 0;
       i = (i + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[i];
    if (slot.key != key || slot.length != text.size()) continue;
    if (text.size() <= kInlineBytes || (*this)[slot.id] == text) return slot.id;
  }
  return kNoToken;
}

}  // namespace baton
