#include "frontend/generation/fill_in_middle.h"

#include <algorithm>

#include "absl/types/span.h"
#include "common/base/status_macros.h"

namespace baton::frontend {
namespace {

// How a family spells the marks around the parts.
struct Family {
  std::string_view prefix;
  std::string_view suffix;
  std::string_view middle;  // empty: suffix, then prefix, and no mark behind
};

constexpr Family kFamilies[] = {
    {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},     // Qwen, CodeGemma
    {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},           // StarCoder, Granite
    {"<fim-prefix>", "<fim-suffix>", "<fim-middle>"},           // SantaCoder
    {"▁<PRE>", "▁<SUF>", "▁<MID>"},                             // Code Llama
    {"<PRE>", "<SUF>", "<MID>"},                                // the same, as added tokens
    {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},     // DeepSeek
    {"<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"},  // GLM
    {"<|prefix|>", "<|suffix|>", "<|middle|>"},                 // Falcon H1
    {"[PREFIX]", "[SUFFIX]", ""},                               // Codestral
};

// What stands before a project's name and before each file, and what else may end a middle. The
// first spelling that a vocabulary has counts.
constexpr std::string_view kProjectMarks[] = {"<|repo_name|>", "<repo_name>", "<reponame>"};
constexpr std::string_view kFileMarks[] = {"<|file_sep|>", "<|file_separator|>", "<file_sep>",
                                           "<filename>"};
constexpr std::string_view kPadMarks[] = {"<|fim_pad|>", "<fim_pad>", "<fim-pad>"};
constexpr std::string_view kEndMarks[] = {"▁<EOT>", "<EOT>"};

std::optional<TokenId> FindAny(const Tokenizer& tokenizer,
                               absl::Span<const std::string_view> spellings) {
  for (const std::string_view text : spellings) {
    if (const auto id = tokenizer.FindToken(text)) return id;
  }
  return std::nullopt;
}

constexpr std::string_view kProjectName = "myproject\n";
constexpr std::string_view kFileName = "filename\n";
constexpr std::string_view kSnippetRule = "\n\n--- snippet ---\n\n";

void KeepEnd(size_t count, std::vector<TokenId>& ids) {
  if (ids.size() > count) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(count));
}

}  // namespace

std::optional<FillInMiddle> FillInMiddle::Of(const Tokenizer& tokenizer) {
  for (const Family& family : kFamilies) {
    const auto prefix = tokenizer.FindToken(family.prefix);
    const auto suffix = tokenizer.FindToken(family.suffix);
    if (!prefix.has_value() || !suffix.has_value()) continue;
    FillInMiddle marks(tokenizer);
    marks.prefix_ = *prefix;
    marks.suffix_ = *suffix;
    if (!family.middle.empty()) {
      marks.middle_ = tokenizer.FindToken(family.middle);
      if (!marks.middle_.has_value()) continue;
    }
    marks.project_ = FindAny(tokenizer, kProjectMarks);
    marks.file_ = FindAny(tokenizer, kFileMarks);
    for (const auto id : {FindAny(tokenizer, kPadMarks), marks.project_, marks.file_,
                          FindAny(tokenizer, kEndMarks)}) {
      if (id.has_value()) marks.stop_ids_.push_back(*id);
    }
    return marks;
  }
  return std::nullopt;
}

absl::Status FillInMiddle::AppendText(std::string_view text, std::vector<TokenId>& ids) const {
  ASSIGN_OR_RETURN(const std::vector<TokenId> more,
                   tokenizer_.Encode(text, {.add_special_tokens = false, .parse_special = false}));
  ids.insert(ids.end(), more.begin(), more.end());
  return absl::OkStatus();
}

absl::Status FillInMiddle::AppendFiles(const std::vector<InfillParts::File>& files,
                                       std::vector<TokenId>& ids) const {
  if (project_.has_value()) {
    ids.push_back(*project_);
    RETURN_IF_ERROR(AppendText(kProjectName, ids));
  }
  for (const InfillParts::File& file : files) {
    if (file_.has_value()) {
      ids.push_back(*file_);
      RETURN_IF_ERROR(AppendText(file.name + "\n", ids));
    } else {
      RETURN_IF_ERROR(AppendText(kSnippetRule, ids));
    }
    RETURN_IF_ERROR(AppendText(file.text, ids));
  }
  if (!file_.has_value()) return absl::OkStatus();
  ids.push_back(*file_);
  return AppendText(kFileName, ids);
}

absl::StatusOr<std::vector<TokenId>> FillInMiddle::Encode(const InfillParts& parts,
                                                          const InfillOptions& options) const {
  std::vector<TokenId> ids;
  if (options.add_special_tokens) {
    ASSIGN_OR_RETURN(ids, tokenizer_.Encode("", {.add_special_tokens = true}));
  }
  std::vector<TokenId> suffix;
  RETURN_IF_ERROR(AppendText(parts.suffix, suffix));
  std::vector<TokenId> prefix = parts.prefix;
  std::vector<TokenId> files;
  if (options.always_names || !parts.files.empty()) {
    RETURN_IF_ERROR(AppendFiles(parts.files, files));
  }

  constexpr size_t kMarks = 3;
  const size_t used = ids.size() + kMarks;
  size_t room = options.tokens_max > used ? options.tokens_max - used : 0;
  // A suffix is cut to its quarter only where both do not fit.
  const size_t quarter = room / 4;
  const size_t beside_prefix = room > prefix.size() ? room - prefix.size() : 0;
  suffix.resize(std::min(suffix.size(), std::max(quarter, beside_prefix)));
  room -= suffix.size();
  KeepEnd(room, prefix);
  KeepEnd(room - prefix.size(), files);

  ids.insert(ids.end(), files.begin(), files.end());
  const auto append = [&ids](TokenId mark, const std::vector<TokenId>& part) {
    ids.push_back(mark);
    ids.insert(ids.end(), part.begin(), part.end());
  };
  if (!middle_.has_value()) append(suffix_, suffix);
  append(prefix_, prefix);
  if (!middle_.has_value()) return ids;
  append(suffix_, suffix);
  ids.push_back(*middle_);
  return ids;
}

}  // namespace baton::frontend
