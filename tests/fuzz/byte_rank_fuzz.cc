// tekken.json and tiktoken files.
#include "common/text/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/use_tokenizer.h"

namespace baton {

void FuzzOneInput(std::string_view input) {
  UseTokenizer(Tokenizer::FromTekken(input, {}));
  UseTokenizer(Tokenizer::FromTiktoken(input, {}));
}

}  // namespace baton
