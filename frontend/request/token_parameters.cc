// The body fields of requests of tokens, and what their sampling_params have on top of what other
// endpoints take. What the render endpoint answers is all supported, whatever it is good for.
#include <simdjson.h>

#include <limits>

#include "frontend/request/parameter.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;

// The parser has made it there.
TokenLevelInput& TokenLevel(Request request) { return *request.token_level; }

std::vector<TokenId> AsTokens(const std::vector<int64_t>& numbers) {
  std::vector<TokenId> ids;
  ids.reserve(numbers.size());
  constexpr int64_t kIdMax = std::numeric_limits<TokenId>::max();  // outside every vocabulary
  for (const int64_t number : numbers) {
    ids.push_back(static_cast<TokenId>(number < 0 || number > kIdMax ? kIdMax : number));
  }
  return ids;
}

void ReadTokenIds(Field field, Request request) {
  const auto numbers = field.IntList();
  if (!numbers.has_value()) return;
  if (numbers->empty()) {
    field.Problem("too_short", "List should have at least 1 item after validation, not 0",
                  "'field_type': 'List', 'min_length': 1, 'actual_length': 0");
    return;
  }
  for (const int64_t number : *numbers) {
    if (number >= 0) continue;
    field.Problem("value_error", "Value error, token_ids must not contain negative values",
                  "'error': ValueError('token_ids must not contain negative values')");
    return;
  }
  request.completion.prompts.push_back({AsTokens(*numbers)});
}

void ReadOutputMode(Field field, Request request) {
  const auto mode = field.String();
  if (!mode.has_value()) return;
  TokenLevel(request).wants_text = *mode == "text";
  if (*mode == "text" || *mode == "tokens") return;
  field.Problem("literal_error", "Input should be 'tokens' or 'text'",
                "'expected': \"'tokens' or 'text'\"");
}

// OpenAI's bound of four is not vLLM's.
void ReadStops(Field field, Request request) {
  if (field.value().is_string()) {
    request.sampling.stop = {*field.String()};
  } else if (auto list = field.StringList()) {
    request.sampling.stop = *std::move(list);
  }
}

template <auto Member>
void ReadIds(Field field, Request request) {
  if (const auto numbers = field.IntList()) TokenLevel(request).*Member = AsTokens(*numbers);
}

// What only a renderer says, or a parser reads.
void PassOver(Field, Request) {}

bool IsNull(Field field) { return field.IsNull(); }

constexpr Support kSupported = Support::kSupported;
constexpr Support kHint = Support::kHint;
constexpr Support kUnsupported = Support::kUnsupported;
using T = TokenLevelInput;

constexpr Parameter kTokens[] = {
    {"token_ids", kSupported, ReadTokenIds},
    {"sampling_params", kSupported, PassOver},  // the parser reads its members
    {"output_mode", kSupported, ReadOutputMode},
    {"reasoning_ended", kSupported,
     [](Field f, Request r) { TokenLevel(r).reasoning_ended = f.Bool(); }},
    {"token_offsets", kSupported, PassOver},
    {"reasoning_parser_kwargs", kSupported, PassOver},
    {"features", kUnsupported, nullptr, IsNull},
    {"content_parts", kUnsupported},
};

constexpr Parameter kTokenSampling[] = {
    {"stop", kSupported, ReadStops},
    {"logprobs", kSupported, [](Field f, Request r) { r.output.logprobs = f.Int(); }},
    {"prompt_logprobs", kSupported,
     [](Field f, Request r) { r.samplers.prompt_logprobs = f.Int(); }},
    {"detokenize", kSupported,
     [](Field f, Request r) { TokenLevel(r).detokenize = f.Bool().value_or(true); }},

    // Ours: what a rendered request needs to end where its answer would have ended.
    {"quiet_stop_token_ids", kSupported, ReadIds<&T::quiet_stop_ids>},
    {"kept_special_token_ids", kSupported, ReadIds<&T::kept_special_tokens>},

    // How vLLM's engine hands its outputs over.
    {"output_kind", kSupported, PassOver},
    {"skip_clone", kSupported, PassOver},
    {"skip_reading_prefix_cache", kSupported, PassOver},
    {"flat_logprobs", kHint},
    {"output_text_buffer_length", kHint},
    {"prompt_logprob_start", kHint},
    {"extra_args", kHint},

    {"prompt_logprob_token_ids", kUnsupported},
    {"trace_decode_token_ids", kUnsupported},
    {"watermarking", kUnsupported},
};

}  // namespace

absl::Span<const Parameter> TokenParameters() { return kTokens; }

absl::Span<const Parameter> TokenSamplingParameters() { return kTokenSampling; }

}  // namespace baton::frontend
