// sentencepiece's models, wherever they are stored: in its own tokenizer.model, or in GGUF keys.
//
// Threading: a value, for the duration of loading. Ownership: texts are views of the file's bytes.
// Errors:    INVALID_ARGUMENT for a vocabulary that contradicts itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/text/tokenizer/tokenizer_source.h"

namespace baton {

struct SentencePieceSource {
  // As both formats number them.
  enum class Type : uint8_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,
    kUserDefined = 4,
    kUnused = 5,
    kByte = 6,
  };
  struct Entry {
    std::string_view text;
    float score;
    Type type;
  };

  enum class Model : uint8_t { kUnigram = 1, kBpe = 2, kChar = 4 } model = Model::kBpe;
  std::vector<Entry> entries;
  std::string_view charsmap;
  bool add_dummy_prefix = true;
  bool space_as_suffix = false;  // what add_dummy_prefix adds goes to the end
  bool remove_extra_spaces = false;

  // GGUF, as llama.cpp reads it: text may become unused pieces, and user-defined ones are found in
  // it before it is normalized.
  bool as_llama_cpp = false;

  bool escape_spaces = true;
  std::optional<TokenId> unk_id;
};

// Fills model, added tokens and components.
absl::Status FillFromSentencePiece(const SentencePieceSource& model, TokenizerSource& source);

}  // namespace baton
