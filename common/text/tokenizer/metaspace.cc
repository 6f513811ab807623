// Metaspace in its two places: a visible letter for spaces, also before the first word, and back.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"
#include "common/text/tokenizer/literal_pattern.h"
#include "common/text/tokenizer/split_pattern.h"

namespace baton {
namespace {

enum class Prepend { kAlways, kFirst, kNever };

struct MetaspaceOptions {
  std::string replacement;
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

class MetaspacePreTokenizer : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(const MetaspaceOptions& options)
      : options_(options), pattern_(options.replacement) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    RETURN_IF_ERROR(pieces.RewritePieces(
        [this](std::string_view text, bool front, std::string& out) { Mark(text, front, out); }));
    if (!options_.split) return absl::OkStatus();
    return CutByPattern(pattern_, SplitBehavior::kMergedWithNext, false, pieces);
  }
  bool marks_front() const override { return options_.prepend == Prepend::kFirst; }

 private:
  void Mark(std::string_view text, bool front, std::string& out) const {
    const bool marked = text.substr(0, 1) == " " ||
                        text.substr(0, options_.replacement.size()) == options_.replacement;
    if (!marked &&
        (options_.prepend == Prepend::kAlways || (options_.prepend == Prepend::kFirst && front))) {
      out.append(options_.replacement);
    }
    for (const char c : text) {
      if (c == ' ') {
        out.append(options_.replacement);
      } else {
        out.push_back(c);
      }
    }
  }

  const MetaspaceOptions options_;
  const LiteralPattern pattern_;
};

class MetaspaceDecoder : public TokenDecoder {
 public:
  explicit MetaspaceDecoder(const MetaspaceOptions& options) : options_(options) {}

  void Decode(std::vector<std::string>& tokens) const override {
    const bool drop_in_first = options_.prepend != Prepend::kNever;
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string text;
      const std::string& token = tokens[i];
      for (size_t at = 0; at < token.size();) {
        if (token.compare(at, options_.replacement.size(), options_.replacement) != 0) {
          text.push_back(token[at++]);
          continue;
        }
        if (i > 0 || !drop_in_first) text.push_back(' ');
        at += options_.replacement.size();
      }
      tokens[i] = std::move(text);
    }
  }
  DecodeScope scope() const override { return DecodeScope::kFirst; }

 private:
  const MetaspaceOptions options_;
};

absl::StatusOr<MetaspaceOptions> ReadOptions(const ComponentConfig& config) {
  MetaspaceOptions options;
  ASSIGN_OR_RETURN(options.replacement, config.Char("replacement"));
  ASSIGN_OR_RETURN(const std::string scheme, config.StringOr("prepend_scheme", "always"));
  ASSIGN_OR_RETURN(options.split, config.BoolOr("split", true));
  // The older field, which says less.
  ASSIGN_OR_RETURN(const bool add_prefix_space, config.BoolOr("add_prefix_space", true));
  if (scheme == "first") {
    options.prepend = Prepend::kFirst;
  } else if (scheme == "never") {
    options.prepend = Prepend::kNever;
  } else if (scheme != "always") {
    return config.Invalid("unknown prepend_scheme " + scheme);
  }
  if (!add_prefix_space && config.Has("prepend_scheme") && options.prepend != Prepend::kNever) {
    return config.Invalid("add_prefix_space contradicts prepend_scheme");
  }
  if (!add_prefix_space) options.prepend = Prepend::kNever;
  return options;
}

absl::StatusOr<std::unique_ptr<const PreTokenizer>> MakePreTokenizer(const ComponentConfig& config,
                                                                     const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const MetaspaceOptions options, ReadOptions(config));
  return std::make_unique<MetaspacePreTokenizer>(options);
}

absl::StatusOr<std::unique_ptr<const TokenDecoder>> MakeDecoder(const ComponentConfig& config,
                                                                const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const MetaspaceOptions options, ReadOptions(config));
  return std::make_unique<MetaspaceDecoder>(options);
}

}  // namespace

absl::Status Register_metaspace(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("Metaspace", MakePreTokenizer));
  return registry.decoders.Add("Metaspace", MakeDecoder);
}

}  // namespace baton
