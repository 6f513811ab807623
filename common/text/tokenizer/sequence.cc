// Sequences of normalizers, pre-tokenizers, post-processors and decoders: each works on what the
// one before left.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/byte_letters.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

template <typename Component>
using Parts = std::vector<std::unique_ptr<const Component>>;

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(Parts<Normalizer> parts) : parts_(std::move(parts)) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    // Two buffers in turn: a part may return its input, or a piece of it.
    std::string spare;
    std::string_view current = text;
    bool in_storage = false;
    for (const auto& part : parts_) {
      std::string& target = in_storage ? spare : storage;
      ASSIGN_OR_RETURN(const std::string_view result, part->Normalize(current, target));
      const bool rewritten = result.data() == target.data();
      current = result;
      if (current.size() > NormalizedBytesMax(text.size())) {
        return absl::InvalidArgumentError("tokenize: normalizers make the text too long");
      }
      if (rewritten) in_storage = !in_storage;
    }
    const bool in_spare = !spare.empty() && current.data() >= spare.data() &&
                          current.data() <= spare.data() + spare.size();
    if (!in_spare) return current;
    storage.assign(current);
    return std::string_view(storage);
  }

  size_t FrontAfter(std::string_view text, size_t front) const override {
    std::string current(text);
    for (const auto& part : parts_) {
      front = part->FrontAfter(current, front);
      std::string storage;
      const auto next = part->Normalize(current, storage);
      if (!next.ok()) return front;
      current = std::string(*next);
    }
    return front;
  }

 private:
  const Parts<Normalizer> parts_;
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(Parts<PreTokenizer> parts) : parts_(std::move(parts)) {}

  absl::Status Cut(PieceBuffer& pieces) const override {
    for (const auto& part : parts_) RETURN_IF_ERROR(part->Cut(pieces));
    return absl::OkStatus();
  }
  bool byte_level() const override { return !parts_.empty() && parts_.back()->byte_level(); }
  bool marks_front() const override {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const auto& part) { return part->marks_front(); });
  }

 private:
  const Parts<PreTokenizer> parts_;
};

class DecoderSequence : public TokenDecoder {
 public:
  explicit DecoderSequence(Parts<TokenDecoder> parts) : parts_(std::move(parts)) {}

  void Decode(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) part->Decode(tokens);
  }
  DecodeScope scope() const override { return DecodeScope::kList; }
  void AppendParts(std::vector<const TokenDecoder*>& parts) const override {
    for (const auto& part : parts_) part->AppendParts(parts);
  }

 private:
  const Parts<TokenDecoder> parts_;
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
    // Whatever follows sees the letters that stand for bytes.
    if (parts[i]->byte_level()) parts[i] = std::make_unique<ByteLetters>(std::move(parts[i]));
  }
  return std::make_unique<PreTokenizerSequence>(std::move(parts));
}

absl::StatusOr<std::unique_ptr<const TokenFraming>> MakeFraming(const ComponentConfig& config,
                                                                const ComponentRegistry& registry) {
  ASSIGN_OR_RETURN(Parts<TokenFraming> parts,
                   MakeParts(config, "processors", registry.post_processors, registry));
  return std::make_unique<FramingSequence>(std::move(parts));
}

absl::StatusOr<std::unique_ptr<const TokenDecoder>> MakeDecoder(const ComponentConfig& config,
                                                                const ComponentRegistry& registry) {
  ASSIGN_OR_RETURN(Parts<TokenDecoder> parts,
                   MakeParts(config, "decoders", registry.decoders, registry));
  return std::make_unique<DecoderSequence>(std::move(parts));
}

}  // namespace

absl::Status Register_sequence(ComponentRegistry& registry) {
  RETURN_IF_ERROR(registry.normalizers.Add("Sequence", MakeNormalizer));
  RETURN_IF_ERROR(registry.pre_tokenizers.Add("Sequence", MakePreTokenizer));
  RETURN_IF_ERROR(registry.decoders.Add("Sequence", MakeDecoder));
  return registry.post_processors.Add("Sequence", MakeFraming);
}

}  // namespace baton
