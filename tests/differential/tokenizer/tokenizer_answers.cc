// Answers what our tokenizer makes of strings, for compare.py.
//
//   tokenizer_answers FILE [plain] < requests > answers
//
// With `plain` nothing is put around texts, and special tokens in them are text, as sentencepiece
// and tiktoken take them. A request is a 32-bit length and as many bytes. An answer is the number
// of ids and the ids (all ones and no ids when encoding failed), then twice a length and a text:
// decoded with special tokens and without. Decoding id by id, in a stream, must give the same; if
// it does not, the program says so and exits with 3.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/tokenizer/incremental_detokenizer.h"
#include "tests/unit/common/text/text_test_data.h"

namespace baton {
namespace {

bool ReadRequest(std::string& text) {
  uint32_t size = 0;
  if (std::fread(&size, sizeof(size), 1, stdin) != 1) return false;
  text.resize(size);
  return std::fread(text.data(), 1, size, stdin) == size;
}

void Append(uint32_t value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string DecodeInSteps(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                          SpecialTokens special) {
  IncrementalDetokenizer detokenizer(tokenizer, special);
  std::string text;
  for (const TokenId id : ids) detokenizer.Push(id, text);
  detokenizer.Finish(text);
  return text;
}

int Main(int argc, char** argv) {
  const bool plain = argc == 3 && std::string_view(argv[2]) == "plain";
  if (argc != 2 && !plain) {
    std::cerr << "usage: tokenizer_answers FILE [plain]\n";
    return 1;
  }
  const EncodeOptions options = {.add_special_tokens = !plain, .parse_special = !plain};
  const auto tokenizer = LoadTokenizerForTest(argv[1]);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status() << "\n";
    return 2;
  }
  std::string text;
  std::string answer;
  while (ReadRequest(text)) {
    answer.clear();
    const auto encoded = (*tokenizer)->Encode(text, options);
    const std::vector<TokenId> ids = encoded.value_or(std::vector<TokenId>());
    Append(encoded.ok() ? static_cast<uint32_t>(ids.size()) : UINT32_MAX, answer);
    answer.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(TokenId));
    for (const SpecialTokens special : {SpecialTokens::kKeep, SpecialTokens::kSkip}) {
      const std::string decoded = (*tokenizer)->Decode(ids, special);
      if (DecodeInSteps(**tokenizer, ids, special) != decoded) {
        std::cerr << "streaming differs for: " << text << "\n";
        return 3;
      }
      Append(static_cast<uint32_t>(decoded.size()), answer);
      answer += decoded;
    }
    std::fwrite(answer.data(), 1, answer.size(), stdout);
  }
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
