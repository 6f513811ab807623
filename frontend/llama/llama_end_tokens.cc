#include "frontend/llama/llama_end_tokens.h"

#include <algorithm>
#include <string_view>

namespace baton::frontend {
namespace {

constexpr std::string_view kEnds[] = {
    // Of a text or a turn.
    "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>",
    "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<end_of_utterance>",
    "<eos>", "[EOS]", "[EOT]", "<EOT>", "▁<EOT>", "<｜end▁of▁sentence｜>",
    // Of a middle: padding, the next project, the next file.
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>",
    "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>"};

}  // namespace

std::vector<TokenId> LlamaEndTokens(const ModelContext& model) {
  std::vector<TokenId> ids;
  if (model.eos_id.has_value()) ids.push_back(*model.eos_id);
  for (const std::string_view text : kEnds) {
    if (const auto id = model.tokenizer->FindToken(text)) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace baton::frontend
