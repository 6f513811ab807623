// Tokenizer::FromSentencePiece: reads tokenizer.model, a protocol buffer with the messages
// ModelProto { SentencePiece pieces = 1; TrainerSpec = 2; NormalizerSpec = 3 } of sentencepiece.
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/tokenizer/sentence_piece_source.h"
#include "common/text/tokenizer/tokenizer.h"
#include "common/text/tokenizer/tokenizer_parts.h"
#include "common/text/tokenizer/tokenizer_source.h"

namespace baton {
namespace {

constexpr size_t kPiecesMax = size_t{1} << 24;

absl::Status Malformed(std::string_view what) {
  return InvalidArgument("load tokenizer: tokenizer.model: " + std::string(what));
}

// One field of a message: a number, or bytes.
struct Field {
  uint32_t number = 0;
  uint64_t value = 0;      // varint, or the bits of a fixed-width number
  std::string_view bytes;  // length-delimited
};

// Reads the fields of one message, front to back.
//
// Threading: thread-compatible. Ownership: a view of the message.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : rest_(message) {}

  bool done() const { return rest_.empty(); }

  absl::StatusOr<Field> Next() {
    ASSIGN_OR_RETURN(const uint64_t tag, Varint());
    Field field;
    field.number = static_cast<uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0: {
        ASSIGN_OR_RETURN(field.value, Varint());
        return field;
      }
      case 1:
        return Fixed(8, field);
      case 2: {
        ASSIGN_OR_RETURN(const uint64_t size, Varint());
        if (size > rest_.size()) return Malformed("a field reaches beyond its message");
        field.bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return field;
      }
      case 5:
        return Fixed(4, field);
      default:
        return Malformed("not a protocol buffer");
    }
  }

 private:
  absl::StatusOr<uint64_t> Varint() {
    uint64_t value = 0;
    for (uint32_t i = 0; i < 10 && i < rest_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(rest_[i]);
      value |= uint64_t{byte & 0x7Fu} << (7 * i);
      if (byte >= 0x80) continue;
      rest_.remove_prefix(i + 1);
      return value;
    }
    return Malformed("not a protocol buffer");
  }

  absl::StatusOr<Field> Fixed(size_t size, Field field) {
    if (rest_.size() < size) return Malformed("a field reaches beyond its message");
    std::memcpy(&field.value, rest_.data(), size);
    rest_.remove_prefix(size);
    return field;
  }

  std::string_view rest_;
};

struct TrainerSpec {
  uint64_t model_type = 1;  // unigram
  bool space_as_suffix = false;
  int32_t unk_id = 0;
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  int32_t pad_id = -1;
};

absl::StatusOr<SentencePieceSource::Entry> ReadEntry(std::string_view message) {
  SentencePieceSource::Entry entry = {{}, 0, SentencePieceSource::Type::kNormal};
  for (FieldReader reader(message); !reader.done();) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.number == 1) entry.text = field.bytes;
    if (field.number == 2) {
      const auto bits = static_cast<uint32_t>(field.value);
      std::memcpy(&entry.score, &bits, sizeof(bits));
    }
    if (field.number == 3) {
      if (field.value < 1 || field.value > 6) return Malformed("a piece of unknown type");
      entry.type = static_cast<SentencePieceSource::Type>(field.value);
    }
  }
  return entry;
}

absl::StatusOr<TrainerSpec> ReadTrainerSpec(std::string_view message) {
  TrainerSpec spec;
  for (FieldReader reader(message); !reader.done();) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    const auto number = static_cast<int32_t>(field.value);
    switch (field.number) {
      case 3:
        spec.model_type = field.value;
        break;
      case 24:
        spec.space_as_suffix = field.value != 0;
        break;
      case 40:
        spec.unk_id = number;
        break;
      case 41:
        spec.bos_id = number;
        break;
      case 42:
        spec.eos_id = number;
        break;
      case 43:
        spec.pad_id = number;
        break;
      default:
        break;
    }
  }
  return spec;
}

absl::Status ReadNormalizerSpec(std::string_view message, SentencePieceSource& model) {
  for (FieldReader reader(message); !reader.done();) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.number == 2) model.charsmap = field.bytes;
    if (field.number == 3) model.add_dummy_prefix = field.value != 0;
    if (field.number == 4) model.remove_extra_spaces = field.value != 0;
    if (field.number == 5) model.escape_spaces = field.value != 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainerSpec> ReadModel(std::string_view bytes, SentencePieceSource& model) {
  TrainerSpec spec;
  model.remove_extra_spaces = true;  // unless the file says otherwise
  for (FieldReader reader(bytes); !reader.done();) {
    ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.number == 1) {
      if (model.entries.size() == kPiecesMax) return Malformed("too many pieces");
      ASSIGN_OR_RETURN(const SentencePieceSource::Entry entry, ReadEntry(field.bytes));
      model.entries.push_back(entry);
    }
    if (field.number == 2) {
      ASSIGN_OR_RETURN(spec, ReadTrainerSpec(field.bytes));
    }
    if (field.number == 3) RETURN_IF_ERROR(ReadNormalizerSpec(field.bytes, model));
  }
  if (model.entries.empty()) return Malformed("it has no pieces");
  if (spec.model_type != 1 && spec.model_type != 2 && spec.model_type != 4) {
    return Unimplemented(absl::StrCat("load tokenizer: tokenizer.model: model_type=",
                                      spec.model_type, ", known: 1 (unigram), 2 (BPE), 4 (char)"));
  }
  model.model = static_cast<SentencePieceSource::Model>(spec.model_type);
  model.space_as_suffix = spec.space_as_suffix;
  return spec;
}

std::optional<TokenId> IdIn(int32_t id, const SentencePieceSource& model) {
  if (id < 0 || static_cast<size_t>(id) >= model.entries.size()) return std::nullopt;
  return static_cast<TokenId>(id);
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> Tokenizer::FromSentencePiece(
    std::string_view bytes, const TokenizerConfig& config) {
  SentencePieceSource model;
  ASSIGN_OR_RETURN(const TrainerSpec spec, ReadModel(bytes, model));
  TokenizerSource source;
  model.unk_id = source.unk_id = IdIn(spec.unk_id, model);
  source.bos_id = IdIn(spec.bos_id, model);
  source.eos_id = IdIn(spec.eos_id, model);
  source.pad_id = IdIn(spec.pad_id, model);
  RETURN_IF_ERROR(FillFromSentencePiece(model, source));
  // Further tokens, such as those that fine-tuning added.
  for (const AddedToken& token : config.added_tokens) {
    if (token.id >= model.entries.size()) source.added.push_back(token);
  }
  ASSIGN_OR_RETURN(TokenizerParts parts, BuildTokenizer(std::move(source)));
  RETURN_IF_ERROR(ApplyRoles(config, parts));
  // Llama adds BOS where the file does not say; T5 has none and adds EOS.
  if (parts.bos_id && config.add_bos_token.value_or(true)) {
    parts.frame.before.push_back(*parts.bos_id);
  }
  if (parts.eos_id && config.add_eos_token.value_or(!parts.bos_id)) {
    parts.frame.after.push_back(*parts.eos_id);
  }
  return std::make_unique<const Tokenizer>(std::move(parts));
}

}  // namespace baton
