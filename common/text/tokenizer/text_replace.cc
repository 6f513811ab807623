#include "common/text/tokenizer/text_replace.h"

#include <utility>

#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

std::string InsertEverywhere(std::string_view text, std::string_view inserted) {
  std::string result(inserted);
  for (size_t at = 0; at < text.size();) {
    const size_t length = DecodeChar(text.substr(at)).length;
    result.append(text.substr(at, length)).append(inserted);
    at += length;
  }
  return result;
}

}  // namespace

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  if (from.empty()) return InsertEverywhere(text, to);
  std::string result;
  size_t done = 0;
  for (size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, done)) {
    result.append(text.substr(done, at - done)).append(to);
    done = at + from.size();
  }
  return result.append(text.substr(done));
}

std::string CleanUpEnglish(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) {
    if (text.find(from) != std::string::npos) text = ReplaceAll(text, from, to);
  }
  return text;
}

}  // namespace baton
