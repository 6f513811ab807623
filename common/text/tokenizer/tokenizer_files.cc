#include "common/text/tokenizer/tokenizer_files.h"

#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/gguf/gguf_file.h"

namespace baton {
namespace {

// A sentencepiece model begins with its first piece, field 1 of the message; a tiktoken file is
// text.
bool IsSentencePiece(std::string_view bytes) { return bytes.starts_with('\x0A'); }

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizerFiles(ModelFileFinder find,
                                                                    const TokenizerConfig& config) {
  if (const std::string* file = find("tokenizer.json")) return Tokenizer::FromJson(*file, config);
  if (const std::string* file = find("tekken.json")) return Tokenizer::FromTekken(*file, config);
  if (const std::string* file = find("tokenizer.model")) {
    return IsSentencePiece(*file) ? Tokenizer::FromSentencePiece(*file, config)
                                  : Tokenizer::FromTiktoken(*file, config);
  }
  if (const std::string* file = find("tiktoken.model")) {
    return Tokenizer::FromTiktoken(*file, config);
  }
  if (const std::string* file = find("metadata.gguf")) {
    ASSIGN_OR_RETURN(const GgufFile metadata, GgufFile::Parse(*file, "metadata.gguf"));
    return Tokenizer::FromGguf(metadata.metadata());
  }
  return NotFound(
      "load tokenizer: the model has none of tokenizer.json, tekken.json, tokenizer.model, "
      "tiktoken.model, metadata.gguf");
}

}  // namespace baton
