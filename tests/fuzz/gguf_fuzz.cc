// GGUF files: header, metadata, the tokenizer among them, tensors, and the model that they make.
#include <string>

#include "common/gguf/gguf_file.h"
#include "common/text/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/open_checkpoint.h"
#include "tests/fuzz/use_tokenizer.h"

namespace baton {

void FuzzOneInput(std::string_view input) {
  const auto file = GgufFile::Parse(std::string(input), "fuzz.gguf");
  if (!file.ok()) return PromiseRefusal(file.status());
  size_t bytes = 0;
  for (const GgufTensor& tensor : file->tensors()) bytes += file->TensorBytes(tensor).size();
  Promise(bytes <= input.size(), "tensors inside the file");
  UseTokenizer(Tokenizer::FromGguf(file->metadata()));
  static const worker::FuzzFolder folder;
  worker::UseCheckpoint(folder.Write("model.gguf", input));
}

}  // namespace baton
