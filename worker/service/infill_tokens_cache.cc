#include "worker/service/infill_tokens_cache.h"

#include <string_view>
#include <vector>

namespace baton::worker {

std::shared_ptr<const InfillTokens> InfillTokensCache::Find() {
  MutexLock lock(mutex_);
  return made_;
}

std::shared_ptr<const InfillTokens> InfillTokensCache::Make() {
  if (auto known = Find()) return known;
  std::vector<std::string_view> texts(tokenizer_.vocab_size());
  for (TokenId token = 0; token < texts.size(); ++token) {
    if (!tokenizer_.IsSpecial(token)) texts[token] = tokenizer_.TokenBytes(token);
  }
  auto made = std::make_shared<const InfillTokens>(texts, tokenizer_.eos_id());
  MutexLock lock(mutex_);
  made_ = made;
  return made;
}

}  // namespace baton::worker
