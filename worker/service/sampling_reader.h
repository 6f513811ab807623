// Checks SamplingParams field by field and turns them into what the samplers take. The parts that
// need the tokenizer are left to the caller: breakers of DRY, tokens of infill.
//
//   SamplingReader reader(model);
//   ASSIGN_OR_RETURN(SamplingParams params, reader.Read(message.sampling()));
//
// Threading: immutable; any thread. Ownership: the model outlives it.
// Errors:    INVALID_ARGUMENT naming the field.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/inference.pb.h"
#include "worker/sampling_params/sampling_params.h"
#include "worker/service/served_model.h"

namespace baton::worker {

class SamplingReader {
 public:
  static constexpr size_t kListLengthMax = 1024;    // stop ids, bad words
  static constexpr size_t kSequenceLengthMax = 64;  // tokens of a bad word

  explicit SamplingReader(const ServedModel& model) : model_(model) {}

  // A missing seed is drawn.
  absl::StatusOr<SamplingParams> Read(const v1::SamplingParams& message) const;

  // INVALID_ARGUMENT naming `field` for an id outside of the vocabulary.
  absl::Status CheckToken(uint32_t token, std::string_view field) const;

 private:
  absl::Status ReadLimits(const v1::SamplingParams& message, SamplingParams& params) const;
  absl::Status ReadPenalties(const v1::SamplingParams& message, SamplingParams& params) const;
  absl::Status ReadTruncations(const v1::SamplingParams& message, SamplingParams& params) const;
  absl::Status ReadDry(const v1::DrySampling& message, DryParams& params) const;
  absl::Status ReadMirostat(const v1::MirostatSampling& message, MirostatParams& params) const;
  absl::Status ReadThinking(const v1::ThinkingBudget& message, SamplingParams& params) const;
  absl::Status ReadLogprobs(const v1::SamplingParams& message, SamplingParams& params) const;
  absl::Status ReadTokenLists(const v1::SamplingParams& message, SamplingParams& params) const;
  // Sequences of tokens, none of them empty.
  absl::StatusOr<std::vector<std::vector<TokenId>>> ReadSequences(
      const google::protobuf::RepeatedPtrField<v1::TokenIds>& messages,
      std::string_view field) const;
  absl::Status ReadBiases(const v1::SamplingParams& message, SamplingParams& params) const;

  const ServedModel& model_;
};

}  // namespace baton::worker
