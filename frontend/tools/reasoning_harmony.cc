// gpt-oss: the analysis channel, which HarmonySplitter reads.
#include <utility>

#include "frontend/tools/reasoning_format.h"

namespace baton::frontend {

void Register_reasoning_harmony(ReasoningFormatRegistry& registry) {
  registry.Add({.names = {"openai_gptoss", "gpt_oss"},
                .openers = {"<|start|>", "<|channel|>", "<|constrain|>", "<|message|>"},
                .closers = {"<|end|>", "<|call|>", "<|return|>"},
                .template_signs = {{"<|channel|>", "<|message|>", "<|start|>"}},
                .in_channels = true});
}

}  // namespace baton::frontend
