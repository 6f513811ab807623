// Which models can be had, and their cards.
//
// Threading: thread-safe; both calls wait for an answer, so only threads of our own make them.
// Errors:    UNAVAILABLE when nobody answers in time; NOT_FOUND for an unknown model;
//            FAILED_PRECONDITION for a card that breaks its own rules.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/router.pb.h"

namespace baton::frontend {

// The files of a model card, whole.
struct ModelCard {
  v1::ModelInfo model;
  std::string card_digest;
  std::map<std::string, std::string, std::less<>> files;

  // Null if the card has no such file.
  const std::string* Find(std::string_view file) const {
    const auto it = files.find(file);
    return it == files.end() ? nullptr : &it->second;
  }
};

class ModelSource {
 public:
  virtual ~ModelSource() = default;

  virtual absl::StatusOr<v1::ListModelsReply> ListModels() = 0;
  virtual absl::StatusOr<ModelCard> FetchModelCard(const v1::FetchModelCardRequest& request) = 0;
};

}  // namespace baton::frontend
