// Checks a GenerateRequest field by field and turns it into what the engine takes.
//
//   RequestReader reader(model);
//   ASSIGN_OR_RETURN(GenerationRequest request, reader.Read(message));
//   reader.SetPrompt(request, tokens);                 // for a text prompt, once it is tokenised
//
// Threading: immutable; any thread. Ownership: the model outlives it.
// Errors:    INVALID_ARGUMENT naming the field, NOT_FOUND for another model, ABORTED for another
//            epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/inference.pb.h"
#include "worker/engine/generation_request.h"
#include "worker/service/sampling_reader.h"
#include "worker/service/served_model.h"

namespace baton::worker {

class RequestReader {
 public:
  static constexpr size_t kNameBytesMax = 512;           // request id, salt
  static constexpr size_t kPromptLogprobsMax = 4 << 20;  // of all tokens of a prompt

  explicit RequestReader(const ServedModel& model) : model_(model), sampling_(model) {}

  // Everything but a text prompt: then `prompt` is empty. A missing seed is drawn.
  absl::StatusOr<GenerationRequest> Read(const v1::GenerateRequest& message) const;

  // Gives the request its tokens and their block hashes. `cache_salt` is the message's.
  absl::Status SetPrompt(GenerationRequest& request, std::vector<TokenId> tokens,
                         std::string_view cache_salt) const;

 private:
  absl::Status CheckTarget(const v1::GenerateRequest& message) const;
  absl::Status ReadConstraint(const v1::GenerateRequest& message, GenerationRequest& request) const;
  absl::Status ReadResume(const v1::GenerateRequest& message, GenerationRequest& request) const;

  const ServedModel& model_;
  const SamplingReader sampling_;
};

}  // namespace baton::worker
