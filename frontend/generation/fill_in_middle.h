// Prompts for text between a prefix and a suffix, in the form that a model was trained on.
//
// Models mark the parts with tokens of their own; which ones, and in which order the parts come,
// is a table of families (fill_in_middle.cc). Other files of a project go in front.
//
//   const auto fim = FillInMiddle::Of(*model.tokenizer);   // nullopt: the model was not trained so
//   ASSIGN_OR_RETURN(std::vector<TokenId> prompt, fim->Encode({.prefix = …, .suffix = …},
//   options));
//
// Threading: a value; pure functions. Ownership: refers to the tokenizer.
// Errors:    those of the tokenizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/text/tokenizer/tokenizer.h"

namespace baton::frontend {

struct InfillParts {
  struct File {
    std::string name;
    std::string text;
  };
  std::vector<TokenId> prefix = {};
  std::string suffix = {};
  std::vector<File> files = {};  // others of the project, the nearest last
};

struct InfillOptions {
  bool add_special_tokens = true;
  bool always_names = false;  // of project and file, without other files too, as llama.cpp does
  // At most so many: of the suffix a quarter is kept, from its beginning; of the prefix the end;
  // the files take what is left.
  size_t tokens_max = SIZE_MAX;
};

class FillInMiddle {
 public:
  // The marks of the tokenizer's family.
  static std::optional<FillInMiddle> Of(const Tokenizer& tokenizer);

  absl::StatusOr<std::vector<TokenId>> Encode(const InfillParts& parts,
                                              const InfillOptions& options) const;

  // What ends the middle besides the model's own end: padding, the next file, the next project.
  const std::vector<TokenId>& stop_ids() const { return stop_ids_; }

 private:
  explicit FillInMiddle(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  absl::Status AppendFiles(const std::vector<InfillParts::File>& files,
                           std::vector<TokenId>& ids) const;
  absl::Status AppendText(std::string_view text, std::vector<TokenId>& ids) const;

  const Tokenizer& tokenizer_;
  TokenId prefix_ = 0;
  TokenId suffix_ = 0;
  std::optional<TokenId> middle_;  // absent: suffix, then prefix, and nothing behind
  std::optional<TokenId> project_;
  std::optional<TokenId> file_;
  std::vector<TokenId> stop_ids_;
};

}  // namespace baton::frontend
