// Strip in its two places: the normalizer takes white space off the ends of a text, the decoder a
// character off the ends of tokens.
#include <algorithm>
#include <memory>
#include <string>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/strip_decoder.h"
#include "common/text/unicode/char_properties.h"
#include "common/text/unicode/utf8.h"

namespace baton {
namespace {

class StripNormalizer : public Normalizer {
 public:
  StripNormalizer(bool left, bool right) : left_(left), right_(right) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text, std::string&) const override {
    return Stripped(text);
  }

  size_t FrontAfter(std::string_view text, size_t front) const override {
    const std::string_view kept = Stripped(text);
    const auto dropped = static_cast<size_t>(kept.data() - text.data());
    return std::min(front - std::min(front, dropped), kept.size());
  }

 private:
  std::string_view Stripped(std::string_view text) const {
    while (left_ && !text.empty()) {
      const Utf8Char first = DecodeChar(text);
      if (!PropertiesOf(first.code).white_space()) break;
      text.remove_prefix(first.length);
    }
    while (right_ && !text.empty()) {
      const Utf8Char last = DecodeLastChar(text);
      if (!PropertiesOf(last.code).white_space()) break;
      text.remove_suffix(last.length);
    }
    return text;
  }

  const bool left_;
  const bool right_;
};

absl::StatusOr<std::unique_ptr<const Normalizer>> MakeNormalizer(const ComponentConfig& config,
                                                                 const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const bool left, config.BoolOr("strip_left", true));
  ASSIGN_OR_RETURN(const bool right, config.BoolOr("strip_right", true));
  return std::make_unique<StripNormalizer>(left, right);
}

absl::StatusOr<std::unique_ptr<const TokenDecoder>> MakeDecoder(const ComponentConfig& config,
                                                                const ComponentRegistry&) {
  ASSIGN_OR_RETURN(std::string content, config.Char("content"));
  ASSIGN_OR_RETURN(const int64_t start, config.IntOr("start", 0));
  ASSIGN_OR_RETURN(const int64_t stop, config.IntOr("stop", 0));
  if (std::min(start, stop) < 0 || std::max(start, stop) > UINT32_MAX) {
    return config.Invalid("start or stop out of range");
  }
  return std::make_unique<StripDecoder>(std::move(content), static_cast<uint32_t>(start),
                                        static_cast<uint32_t>(stop));
}

}  // namespace

void StripDecoder::Decode(std::vector<std::string>& tokens) const {
  for (std::string& token : tokens) {
    size_t begin = 0;
    size_t end = token.size();
    for (uint32_t i = 0; i < start_ && token.compare(begin, content_.size(), content_) == 0; ++i) {
      begin += content_.size();
    }
    // The reference takes from the end of the whole token, and fails where the two ends meet.
    for (uint32_t i = 0; i < stop_ && end >= begin + content_.size() &&
                         token.compare(end - content_.size(), content_.size(), content_) == 0;
         ++i) {
      end -= content_.size();
    }
    token = token.substr(begin, end - begin);
  }
}

absl::Status Register_strip(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.normalizers.Add("Strip", MakeNormalizer));
  return registry.decoders.Add("Strip", MakeDecoder);
}

}  // namespace baton
