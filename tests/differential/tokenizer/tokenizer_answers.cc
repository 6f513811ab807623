// Answers what our tokenizer makes of strings, for compare.py.
//
//   tokenizer_answers FILE [plain | ids] < requests > answers
//
// A request is a 32-bit length and as many bytes: a text, or with `ids` the ids themselves. With
// `plain` nothing is put around texts, and special tokens in them are text, as sentencepiece and
// tiktoken take them. An answer is the number of ids and the ids (all ones and no ids when encoding
// failed), then twice a length and a text: decoded with special tokens and without. Decoding id by
// id, in a stream, must give the same; if it does not, the program says so and exits with 3.
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

std::vector<TokenId> IdsIn(const std::string& bytes) {
  std::vector<TokenId> ids(bytes.size() / sizeof(TokenId));
  std::memcpy(ids.data(), bytes.data(), ids.size() * sizeof(TokenId));
  return ids;
}

// Appends both texts of the ids; false when a stream gives others.
bool AppendDecoded(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                   std::string& answer) {
  for (const SpecialTokens special : {SpecialTokens::kKeep, SpecialTokens::kSkip}) {
    const std::string decoded = tokenizer.Decode(ids, special);
    if (DecodeInSteps(tokenizer, ids, special) != decoded) return false;
    Append(static_cast<uint32_t>(decoded.size()), answer);
    answer += decoded;
  }
  return true;
}

int Main(int argc, char** argv) {
  const std::string_view mode = argc == 3 ? argv[2] : "";
  if (argc < 2 || argc > 3 || (argc == 3 && mode != "plain" && mode != "ids")) {
    std::cerr << "usage: tokenizer_answers FILE [plain | ids]\n";
    return 1;
  }
  const bool plain = mode == "plain";
  const EncodeOptions options = {.add_special_tokens = !plain, .parse_special = !plain};
  const auto tokenizer = LoadTokenizerForTest(argv[1]);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status() << "\n";
    return 2;
  }
  std::string request;
  std::string answer;
  while (ReadRequest(request)) {
    answer.clear();
    absl::StatusOr<std::vector<TokenId>> encoded =
        mode == "ids" ? IdsIn(request) : (*tokenizer)->Encode(request, options);
    const std::vector<TokenId> ids = encoded.value_or(std::vector<TokenId>());
    Append(encoded.ok() ? static_cast<uint32_t>(ids.size()) : UINT32_MAX, answer);
    answer.append(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(TokenId));
    if (!AppendDecoded(**tokenizer, ids, answer)) {
      std::cerr << "streaming differs for: " << request << "\n";
      return 3;
    }
    std::fwrite(answer.data(), 1, answer.size(), stdout);
  }
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
