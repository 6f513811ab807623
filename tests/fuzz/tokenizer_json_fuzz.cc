// tokenizer.json and tokenizer_config.json.
#include "common/text/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/use_tokenizer.h"

namespace baton {

void FuzzOneInput(std::string_view input) {
  UseTokenizer(Tokenizer::FromJson(input, {}));
  const auto config = ParseTokenizerConfig(input);
  if (!config.ok()) PromiseRefusal(config.status());
}

}  // namespace baton
