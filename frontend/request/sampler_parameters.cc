// The body fields of samplers that OpenAI does not have.
#include <simdjson.h>

#include <limits>

#include "frontend/request/parameter.h"
#include "frontend/request/sampler_rules.h"

namespace baton::frontend {
namespace {

using Field = const JsonField&;
using Request = GenerationRequest&;
using S = SamplerOptions;

template <auto Member>
void ReadNumber(Field field, Request request) {
  request.samplers.*Member = field.Number();
}
template <auto Member>
void ReadInt(Field field, Request request) {
  request.samplers.*Member = field.Int();
}

// A list of names, or a text with a letter for each.
void ReadOrder(Field field, Request request) {
  if (field.value().is_string()) {
    request.samplers.order = SamplersOfLetters(*field.String());
  } else if (const auto names = field.StringList()) {
    request.samplers.order = SamplersOfNames(*names);
  }
}

// [id or text, bias or false].
bool ReadBiasPair(Field item, Request request) {
  simdjson::dom::array pair;
  simdjson::dom::element token;
  simdjson::dom::element bias;
  if (item.value().get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
      pair.at(0).get(token) != simdjson::SUCCESS || pair.at(1).get(bias) != simdjson::SUCCESS) {
    return false;
  }
  float value = -std::numeric_limits<float>::infinity();
  if (bool banned = true; bias.get(banned) != simdjson::SUCCESS || banned) {
    double number = 0;
    if (bias.get(number) != simdjson::SUCCESS) return false;
    value = static_cast<float>(number);
  }
  uint64_t id = 0;
  std::string_view text;
  if (token.get(id) == simdjson::SUCCESS && id <= std::numeric_limits<TokenId>::max()) {
    request.samplers.biases.emplace_back(static_cast<TokenId>(id), value);
    return true;
  }
  if (token.get(text) != simdjson::SUCCESS) return false;
  request.samplers.biases.emplace_back(std::string(text), value);
  return true;
}

// {"id": bias} as OpenAI has it, or llama.cpp's [[id or text, bias or false]…].
void ReadLogitBias(Field field, Request request) {
  if (!field.value().is_array()) {
    field.VisitMembers([&request](std::string_view key, Field value) {
      if (const auto bias = value.Number()) {
        request.sampling.logit_bias.emplace_back(std::string(key), *bias);
      }
    });
    return;
  }
  bool all_pairs = true;
  field.VisitItems([&](Field item) { all_pairs &= ReadBiasPair(item, request); });
  // Neither form: refused as what OpenAI asks for.
  if (!all_pairs) field.VisitMembers([](std::string_view, Field) {});
}

constexpr Support kSupported = Support::kSupported;

constexpr Parameter kSamplers[] = {
    {"logit_bias", kSupported, ReadLogitBias},

    // vLLM's.
    {"allowed_token_ids", kSupported,
     [](Field f, Request r) { r.samplers.allowed_token_ids = f.IntList(); }},
    {"bad_words", kSupported,
     [](Field f, Request r) {
       if (auto words = f.StringList()) r.samplers.bad_words = *std::move(words);
     }},
    {"logprob_token_ids", kSupported,
     [](Field f, Request r) {
       if (auto ids = f.IntList()) r.samplers.logprob_token_ids = *std::move(ids);
     }},
    {"prompt_logprobs", kSupported,
     [](Field f, Request r) { r.samplers.prompt_logprobs = ReadLogprobCount(f, r); }},

    // llama.cpp's.
    {"dry_allowed_length", kSupported, ReadInt<&S::dry_allowed_length>},
    {"dry_base", kSupported, ReadNumber<&S::dry_base>},
    {"dry_multiplier", kSupported, ReadNumber<&S::dry_multiplier>},
    {"dry_penalty_last_n", kSupported, ReadInt<&S::dry_penalty_last_n>},
    {"dry_sequence_breakers", kSupported,
     [](Field f, Request r) { r.samplers.dry_sequence_breakers = f.StringList(); }},
    {"dynatemp_exponent", kSupported, ReadNumber<&S::dynatemp_exponent>},
    {"dynatemp_range", kSupported, ReadNumber<&S::dynatemp_range>},
    {"min_keep", kSupported, ReadInt<&S::min_keep>},
    {"mirostat", kSupported, ReadInt<&S::mirostat>},
    {"mirostat_eta", kSupported, ReadNumber<&S::mirostat_eta>},
    {"mirostat_tau", kSupported, ReadNumber<&S::mirostat_tau>},
    {"n_probs", kSupported, ReadInt<&S::n_probs>},
    {"post_sampling_probs", kSupported,
     [](Field f, Request r) { r.samplers.post_sampling_probs = f.Bool().value_or(false); }},
    {"repeat_last_n", kSupported, ReadInt<&S::repeat_last_n>},
    {"repeat_penalty", kSupported, ReadNumber<&S::repeat_penalty>},
    {"samplers", kSupported, ReadOrder},
    {"top_n_sigma", kSupported, ReadNumber<&S::top_n_sigma>},
    {"typical_p", kSupported, ReadNumber<&S::typical_p>},
    {"xtc_probability", kSupported, ReadNumber<&S::xtc_probability>},
    {"xtc_threshold", kSupported, ReadNumber<&S::xtc_threshold>},
};

}  // namespace

absl::Span<const Parameter> SamplerParameters() { return kSamplers; }

std::optional<int64_t> ReadLogprobCount(Field field, Request request) {
  if (field.value().is_number() || field.value().is_bool()) return field.Int();
  const std::string& path = field.path();
  request.unreadable_count = {.field = path.substr(path.rfind('.') + 1),
                              .value = DescribeInput(field.value())};
  return std::nullopt;
}

}  // namespace baton::frontend
