#include "worker/service/dry_breaker_cache.h"

#include <optional>
#include <utility>

namespace baton::worker {
namespace {

// How many bytes of `text` the word has from `at` on, where it ends before text does; 0: others.
size_t OverlapAt(std::string_view word, size_t at, std::string_view text) {
  const size_t length = word.size() - at;
  return length < text.size() && text.starts_with(word.substr(at)) ? length : 0;
}

}  // namespace

std::shared_ptr<const DryBreakers> DryBreakerCache::Find(const std::vector<std::string>& strings) {
  MutexLock lock(mutex_);
  const auto entry = made_.find(strings);
  return entry == made_.end() ? nullptr : entry->second;
}

std::shared_ptr<const DryBreakers> DryBreakerCache::Make(const std::vector<std::string>& strings) {
  if (auto known = Find(strings)) return known;
  auto breakers = std::make_shared<DryBreakers>();
  for (const std::string& text : strings) {
    AddString(std::string_view(text).substr(0, kStringBytesMax), *breakers);
  }
  MutexLock lock(mutex_);
  if (made_.size() >= kEntriesMax) made_.clear();
  made_.insert_or_assign(strings, breakers);
  return breakers;
}

void DryBreakerCache::AddString(std::string_view text, DryBreakers& breakers) const {
  if (text.empty()) return;
  std::vector<std::optional<DryBreakers::Tail>> tail_behind(text.size());  // by bytes before it
  const auto tail = [&](size_t overlap) -> const DryBreakers::Tail& {
    std::optional<DryBreakers::Tail>& known = tail_behind[overlap];
    if (!known.has_value()) {
      auto tokens = tokenizer_.Encode(text.substr(overlap),
                                      {.add_special_tokens = false, .parse_special = false});
      known = tokens.ok() ? *std::move(tokens) : DryBreakers::Tail();
      if (known->size() > kTailTokensMax) known->resize(kTailTokensMax);
    }
    return *known;
  };
  for (TokenId token = 0; token < tokenizer_.vocab_size(); ++token) {
    const std::string_view word = tokenizer_.TokenBytes(token);
    if (word.find(text) != std::string_view::npos) {
      breakers.Add(token, {});
      continue;
    }
    for (size_t at = word.find(text[0]); at != std::string_view::npos;
         at = word.find(text[0], at + 1)) {
      if (const size_t overlap = OverlapAt(word, at, text)) breakers.Add(token, tail(overlap));
    }
  }
}

}  // namespace baton::worker
