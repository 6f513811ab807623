#include "worker/service/request_reader.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/kv/block_hash.h"

namespace baton::worker {
namespace {

constexpr uint32_t kCountMax = 1u << 30;
constexpr size_t kTextBytesPerTokenMax = 1024;

absl::Status Bad(std::string_view field, std::string_view message) {
  return WithField(InvalidArgument(absl::StrCat(ToAbsl(field), " ", ToAbsl(message))), field);
}

// A number within [low, high], which excludes NaN.
absl::Status CheckRange(std::string_view field, float value, float low, float high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return Bad(field, absl::StrCat("is ", value, "; it must be from ", low, " to ", high));
}

absl::Status CheckCount(std::string_view field, uint32_t value, uint32_t max = kCountMax) {
  if (value <= max) return absl::OkStatus();
  return Bad(field, absl::StrCat("is ", value, "; at most ", max));
}

uint64_t RandomSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

bool ServedModel::Serves(std::string_view name) const {
  return name.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status RequestReader::CheckTarget(const v1::GenerateRequest& message) const {
  if (message.epoch() != 0 && message.epoch() != model_.epoch.value()) {
    return Aborted(absl::StrCat("generate: epoch=", message.epoch(), "/", model_.epoch.value(),
                                ": the worker was started again"));
  }
  if (!model_.Serves(message.model())) {
    return WithField(NotFound(absl::StrCat("model is unknown: ", message.model().substr(0, 128),
                                           "; served: ", model_.names.front())),
                     "model");
  }
  if (message.request_id().size() > kNameBytesMax) return Bad("request_id", "is too long");
  if (message.cache_salt().size() > kNameBytesMax) return Bad("cache_salt", "is too long");
  return absl::OkStatus();
}

absl::StatusOr<GenerationRequest> RequestReader::Read(const v1::GenerateRequest& message) const {
  RETURN_IF_ERROR(CheckTarget(message));
  GenerationRequest request;
  request.request_id = message.request_id();
  RETURN_IF_ERROR(CheckCount("n", message.n(), 4096));
  request.choices = std::max<int32_t>(1, static_cast<int32_t>(message.n()));
  RETURN_IF_ERROR(CheckCount("choice_offset", message.choice_offset()));
  request.choice_offset = static_cast<int32_t>(message.choice_offset());
  request.priority = message.priority();
  request.lease = message.lease();
  RETURN_IF_ERROR(ReadSampling(message.sampling(), request.params));
  RETURN_IF_ERROR(ReadResume(message, request));
  switch (message.prompt_case()) {
    case v1::GenerateRequest::kTokens: {
      const auto& ids = message.tokens().ids();
      RETURN_IF_ERROR(SetPrompt(request, {ids.begin(), ids.end()}, message.cache_salt()));
      break;
    }
    case v1::GenerateRequest::kText:
      if (model_.tokenizer == nullptr) return Bad("text", "needs a tokenizer, and there is none");
      if (message.text().size() >
          kTextBytesPerTokenMax * static_cast<size_t>(model_.max_model_len)) {
        return Bad("text", absl::StrCat("has ", message.text().size(), " bytes: far more than ",
                                        model_.max_model_len, " tokens"));
      }
      break;
    case v1::GenerateRequest::PROMPT_NOT_SET:
      return Bad("prompt", "is missing: set tokens or text");
  }
  return request;
}

absl::Status RequestReader::SetPrompt(GenerationRequest& request, std::vector<TokenId> tokens,
                                      std::string_view cache_salt) const {
  if (tokens.empty()) return Bad("prompt", "is empty");
  const auto vocab = static_cast<TokenId>(model_.vocab_size);
  const auto unknown =
      std::find_if(tokens.begin(), tokens.end(), [vocab](TokenId id) { return id >= vocab; });
  if (unknown != tokens.end()) {
    return CheckToken(*unknown, absl::StrCat("tokens.ids[", unknown - tokens.begin(), "]"));
  }
  if (static_cast<size_t>(request.resumed_tokens) >= tokens.size()) {
    return Bad("resumed_tokens", absl::StrCat("is ", request.resumed_tokens, " of ", tokens.size(),
                                              " prompt tokens; at least one must be prompt"));
  }
  request.chain_root = BlockChainRoot({.model_digest = model_.digest,
                                       .block_size = static_cast<uint32_t>(model_.block_size),
                                       .cache_salt = cache_salt});
  request.block_hashes =
      HashBlocks(request.chain_root, tokens, static_cast<uint32_t>(model_.block_size));
  request.prompt = std::move(tokens);
  return absl::OkStatus();
}

absl::Status RequestReader::CheckToken(uint32_t token, std::string_view field) const {
  if (token < static_cast<uint32_t>(model_.vocab_size)) return absl::OkStatus();
  return Bad(field,
             absl::StrCat("is ", token, "; the vocabulary has ", model_.vocab_size, " tokens"));
}

absl::Status RequestReader::ReadSampling(const v1::SamplingParams& message,
                                         SamplingParams& params) const {
  params.temperature = message.has_temperature() ? message.temperature() : 1.0f;
  params.top_p = message.has_top_p() ? message.top_p() : 1.0f;
  params.min_p = message.min_p();
  params.repetition_penalty =
      message.has_repetition_penalty() ? message.repetition_penalty() : 1.0f;
  params.presence_penalty = message.presence_penalty();
  params.frequency_penalty = message.frequency_penalty();
  RETURN_IF_ERROR(CheckRange("sampling.temperature", params.temperature, 0.0f, 100.0f));
  RETURN_IF_ERROR(CheckRange("sampling.top_p", params.top_p, 0.0f, 1.0f));
  if (params.top_p == 0.0f) return Bad("sampling.top_p", "is 0; it must be above 0");
  RETURN_IF_ERROR(CheckRange("sampling.min_p", params.min_p, 0.0f, 1.0f));
  RETURN_IF_ERROR(
      CheckRange("sampling.repetition_penalty", params.repetition_penalty, 1e-3f, 1e3f));
  RETURN_IF_ERROR(CheckRange("sampling.presence_penalty", params.presence_penalty, -2.0f, 2.0f));
  RETURN_IF_ERROR(CheckRange("sampling.frequency_penalty", params.frequency_penalty, -2.0f, 2.0f));
  RETURN_IF_ERROR(CheckCount("sampling.top_k", message.top_k()));
  RETURN_IF_ERROR(CheckCount("sampling.max_tokens", message.max_tokens()));
  RETURN_IF_ERROR(CheckCount("sampling.min_tokens", message.min_tokens()));
  if (message.max_tokens() > 0 && message.min_tokens() > message.max_tokens()) {
    return Bad("sampling.min_tokens", absl::StrCat("is ", message.min_tokens(),
                                                   ", above max_tokens=", message.max_tokens()));
  }
  params.top_k = static_cast<int32_t>(message.top_k());
  params.max_tokens = static_cast<int32_t>(message.max_tokens());
  params.min_tokens = static_cast<int32_t>(message.min_tokens());
  params.seed = message.has_seed() ? message.seed() : RandomSeed();
  params.ignore_eos = message.ignore_eos();
  if (message.has_logprobs()) {
    RETURN_IF_ERROR(CheckCount("sampling.logprobs", message.logprobs(), kLogprobsMax));
    params.logprobs = static_cast<int32_t>(message.logprobs());
  }
  return ReadTokenLists(message, params);
}

absl::Status RequestReader::ReadTokenLists(const v1::SamplingParams& message,
                                           SamplingParams& params) const {
  if (message.logit_bias().size() > static_cast<size_t>(model_.vocab_size)) {
    return Bad("sampling.logit_bias", "has too many entries");
  }
  if (static_cast<size_t>(message.stop_token_ids().size()) > kListLengthMax) {
    return Bad("sampling.stop_token_ids", "has too many entries");
  }
  for (const auto& [token, bias] : message.logit_bias()) {
    RETURN_IF_ERROR(CheckToken(token, "sampling.logit_bias"));
    RETURN_IF_ERROR(CheckRange("sampling.logit_bias", bias, -100.0f, 100.0f));
    params.logit_bias.emplace_back(token, bias);
  }
  std::sort(params.logit_bias.begin(), params.logit_bias.end());
  for (uint32_t token : message.stop_token_ids()) {
    RETURN_IF_ERROR(CheckToken(token, "sampling.stop_token_ids"));
    params.stop_token_ids.push_back(token);
  }
  return absl::OkStatus();
}

absl::Status RequestReader::ReadResume(const v1::GenerateRequest& message,
                                       GenerationRequest& request) const {
  if (!message.sampler_state().empty()) {
    return Bad("sampler_state", "is set, but no sampler of this worker has state");
  }
  if (message.resumed_tokens() == 0) return absl::OkStatus();
  RETURN_IF_ERROR(CheckCount("resumed_tokens", message.resumed_tokens()));
  if (!message.has_tokens()) return Bad("resumed_tokens", "needs a prompt of token ids");
  if (request.choices != 1) return Bad("n", "must be 1 when output is resumed");
  if (!message.sampling().has_seed()) {
    return Bad("sampling.seed", "is missing: resumed output needs the seed it began with");
  }
  request.resumed_tokens = static_cast<int32_t>(message.resumed_tokens());
  if (request.params.max_tokens > 0 && request.resumed_tokens >= request.params.max_tokens) {
    return Bad("resumed_tokens", absl::StrCat("is ", request.resumed_tokens,
                                              ", which max_tokens=", request.params.max_tokens,
                                              " leaves nothing to add to"));
  }
  return absl::OkStatus();
}

}  // namespace baton::worker
