#include "worker/service/request_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/base/strings.h"
#include "common/constraint/constraint_message.h"
#include "common/kv/block_hash.h"
#include "worker/constraint/request_constraint.h"
#include "worker/sampling/sampler_order.h"
#include "worker/service/field_checks.h"

namespace baton::worker {
namespace {

constexpr size_t kTextBytesPerTokenMax = 1024;

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
  if (message.request_id().size() > kNameBytesMax) return BadField("request_id", "is too long");
  if (message.cache_salt().size() > kNameBytesMax) return BadField("cache_salt", "is too long");
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
  ASSIGN_OR_RETURN(request.params, sampling_.Read(message.sampling()));
  RETURN_IF_ERROR(ReadResume(message, request));
  RETURN_IF_ERROR(ReadConstraint(message, request));
  switch (message.prompt_case()) {
    case v1::GenerateRequest::kTokens: {
      const auto& ids = message.tokens().ids();
      RETURN_IF_ERROR(SetPrompt(request, {ids.begin(), ids.end()}, message.cache_salt()));
      break;
    }
    case v1::GenerateRequest::kText:
      if (model_.tokenizer == nullptr)
        return BadField("text", "needs a tokenizer, and there is none");
      if (message.text().size() >
          kTextBytesPerTokenMax * static_cast<size_t>(model_.max_model_len)) {
        return BadField("text",
                        absl::StrCat("has ", message.text().size(), " bytes: far more than ",
                                     model_.max_model_len, " tokens"));
      }
      break;
    case v1::GenerateRequest::PROMPT_NOT_SET:
      return BadField("prompt", "is missing: set tokens or text");
  }
  return request;
}

absl::Status RequestReader::SetPrompt(GenerationRequest& request, std::vector<TokenId> tokens,
                                      std::string_view cache_salt) const {
  if (tokens.empty()) return BadField("prompt", "is empty");
  const auto vocab = static_cast<TokenId>(model_.vocab_size);
  const auto unknown =
      std::find_if(tokens.begin(), tokens.end(), [vocab](TokenId id) { return id >= vocab; });
  if (unknown != tokens.end()) {
    return sampling_.CheckToken(*unknown,
                                absl::StrCat("tokens.ids[", unknown - tokens.begin(), "]"));
  }
  if (static_cast<size_t>(request.resumed_tokens) >= tokens.size()) {
    return BadField("resumed_tokens",
                    absl::StrCat("is ", request.resumed_tokens, " of ", tokens.size(),
                                 " prompt tokens; at least one must be prompt"));
  }
  const auto logprobs = static_cast<size_t>(request.params.prompt_logprobs.value_or(0));
  if (logprobs * tokens.size() > kPromptLogprobsMax) {
    return BadField("sampling.prompt_logprobs",
                    absl::StrCat("asks for ", logprobs, " of each of ", tokens.size(), " tokens; ",
                                 kPromptLogprobsMax, " of a prompt at most"));
  }
  request.chain_root = BlockChainRoot({.model_digest = model_.digest,
                                       .block_size = static_cast<uint32_t>(model_.block_size),
                                       .cache_salt = cache_salt});
  request.block_hashes =
      HashBlocks(request.chain_root, tokens, static_cast<uint32_t>(model_.block_size));
  request.prompt = std::move(tokens);
  return absl::OkStatus();
}

absl::Status RequestReader::ReadConstraint(const v1::GenerateRequest& message,
                                           GenerationRequest& request) const {
  if (!message.has_constraint()) return absl::OkStatus();
  if (model_.tokenizer == nullptr)
    return BadField("constraint", "needs a tokenizer, and there is none");
  ASSIGN_OR_RETURN(ConstraintSpec spec, FromMessage(message.constraint()));
  for (const std::vector<TokenId>& marker : spec.start_after) {
    for (const TokenId token : marker) {
      RETURN_IF_ERROR(sampling_.CheckToken(token, "constraint.start_after"));
    }
  }
  request.constraint = std::make_shared<RequestConstraint>(std::move(spec), request.choices);
  return absl::OkStatus();
}

absl::Status RequestReader::ReadResume(const v1::GenerateRequest& message,
                                       GenerationRequest& request) const {
  if (message.resumed_tokens() == 0) {
    if (message.sampler_state().empty()) return absl::OkStatus();
    return BadField("sampler_state", "is set, but no output is resumed");
  }
  if (!IsSamplerState(request.params, message.sampler_state())) {
    return BadField("sampler_state", "is not that of output with these samplers");
  }
  request.sampler_state = message.sampler_state();
  RETURN_IF_ERROR(CheckCount("resumed_tokens", message.resumed_tokens()));
  if (!message.has_tokens()) return BadField("resumed_tokens", "needs a prompt of token ids");
  if (request.choices != 1) return BadField("n", "must be 1 when output is resumed");
  if (!message.sampling().has_seed()) {
    return BadField("sampling.seed", "is missing: resumed output needs the seed it began with");
  }
  request.resumed_tokens = static_cast<int32_t>(message.resumed_tokens());
  if (request.params.max_tokens > 0 && request.resumed_tokens >= request.params.max_tokens) {
    return BadField("resumed_tokens", absl::StrCat("is ", request.resumed_tokens,
                                                   ", which max_tokens=", request.params.max_tokens,
                                                   " leaves nothing to add to"));
  }
  return absl::OkStatus();
}

}  // namespace baton::worker
