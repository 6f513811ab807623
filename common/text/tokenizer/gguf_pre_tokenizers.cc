#include "common/text/tokenizer/gguf_pre_tokenizers.h"

namespace baton {
namespace {

// The columns: names, pre-tokenizer, normalizer, ignore_merges, add_bos. Names are llama.cpp's;
// what they stand for is taken from the tokenizer.json of the models that carry them.
constexpr GgufPreTokenizer kTable[] = {
    {"gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de gigachat a.x-4.0 mellum roberta-bpe mpt "
     "olmo jais trillion granite-docling",
     R"json({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})json", R"json(null)json",
     false, false},
    {"smollm starcoder refact command-r codeshell exaone minerva-7b mellum2",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":true}]})json",
     R"json(null)json", false, false},
    {"llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", true, true},
    {"dbrx smaug-bpe chatglm-bpe",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", false, false},
    {"glm4 glm5",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", true, false},
    {"qwen2 deepseek-r1-qwen kormo",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json({"type":"NFC"})json", false, false},
    {"stablelm2 hunyuan solar-open megrez",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", false, false},
    {"falcon",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[\\p{P}\\$\\+<=>\\^~\\|`]+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", false, false},
    {"deepseek-llm",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[\r\n]"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\s?[!-/:-~！-／：-～‘-‟　-。]+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\s+$"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"[一-龥ࠀ-一가-퟿]+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\p{N}+"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", false, false},
    {"deepseek-coder",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[\r\n]"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\s?\\p{L}+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\s?\\p{P}+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"[一-龥ࠀ-一가-퟿]+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\p{N}"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", false, false},
    {"default",
     R"json({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[\\p{P}\\$\\+<=>\\^~\\|]+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"\\p{N}+"},"behavior":"Isolated"},
{"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated"},
{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})json",
     R"json(null)json", false, false},
};

}  // namespace

const GgufPreTokenizer* FindGgufPreTokenizer(std::string_view name) {
  for (const GgufPreTokenizer& row : kTable) {
    for (std::string_view rest = row.names; !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      if (word == name) return &row;
      rest.remove_prefix(word.size() + (word.size() < rest.size() ? 1 : 0));
    }
  }
  return nullptr;
}

std::string KnownGgufPreTokenizers() {
  std::string names;
  for (const GgufPreTokenizer& row : kTable) {
    if (!names.empty()) names += ' ';
    names += row.names;
  }
  return names;
}

}  // namespace baton
