// Sequences of normalizers, pre-tokenizers and post-processors: each works on what the one before
// left.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

template <typename Component>
using Parts = std::vector<std::unique_ptr<const Component>>;

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(Parts<Normalizer> parts) : parts_(std::move(parts)) {}

  std::string_view Normalize(std::string_view text, std::string& storage) const override {
    std::string_view current = text;
    for (const auto& part : parts_) {
      std::string next;
      const std::string_view result = part->Normalize(current, next);
      if (result.data() != next.data() || next.empty()) {
        current = result;
        continue;
      }
      storage = std::move(next);
      current = storage;
    }
    return current;
  }

 private:
  const Parts<Normalizer> parts_;
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(Parts<PreTokenizer> parts) : parts_(std::move(parts)) {}

  void Cut(PieceBuffer& pieces) const override {
    for (const auto& part : parts_) part->Cut(pieces);
  }
  bool byte_level() const override { return !parts_.empty() && parts_.back()->byte_level(); }

 private:
  const Parts<PreTokenizer> parts_;
};

class FramingSequence : public TokenFraming {
 public:
  explicit FramingSequence(Parts<TokenFraming> parts) : parts_(std::move(parts)) {}

  void Surround(SpecialTokenFrame& frame) const override {
    for (const auto& part : parts_) part->Surround(frame);
  }

 private:
  const Parts<TokenFraming> parts_;
};

template <typename Component>
absl::StatusOr<Parts<Component>> MakeParts(const ComponentConfig& config, std::string_view key,
                                           const ComponentFactories<Component>& factories,
                                           const ComponentRegistry& registry) {
  ASSIGN_OR_RETURN(const std::vector<ComponentConfig> items, config.List(key));
  Parts<Component> parts;
  for (const ComponentConfig& item : items) {
    ASSIGN_OR_RETURN(std::unique_ptr<const Component> part, factories.Make(item, registry));
    parts.push_back(std::move(part));
  }
  return parts;
}

absl::StatusOr<std::unique_ptr<const Normalizer>> MakeNormalizer(
    const ComponentConfig& config, const ComponentRegistry& registry) {
  ASSIGN_OR_RETURN(Parts<Normalizer> parts,
                   MakeParts(config, "normalizers", registry.normalizers, registry));
  return std::make_unique<NormalizerSequence>(std::move(parts));
}

absl::StatusOr<std::unique_ptr<const PreTokenizer>> MakePreTokenizer(
    const ComponentConfig& config, const ComponentRegistry& registry) {
  ASSIGN_OR_RETURN(Parts<PreTokenizer> parts,
                   MakeParts(config, "pretokenizers", registry.pre_tokenizers, registry));
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    // Whatever follows would have to see the letters that stand for bytes.
    if (parts[i]->byte_level()) return config.Unsupported("ByteLevel before another pre-tokenizer");
  }
  return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

absl::StatusOr<std::unique_ptr<const TokenFraming>> MakeFraming(const ComponentConfig& config,
                                                                const ComponentRegistry& registry) {
  ASSIGN_OR_RETURN(Parts<TokenFraming> parts,
                   MakeParts(config, "processors", registry.post_processors, registry));
  return std::make_unique<FramingSequence>(std::move(parts));
}

}  // namespace

absl::Status Register_sequence(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.normalizers.Add("Sequence", MakeNormalizer));
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("Sequence", MakePreTokenizer));
  return registry.post_processors.Add("Sequence", MakeFraming);
}

}  // namespace baton
