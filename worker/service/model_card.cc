#include "worker/service/model_card.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/check.h"
#include "common/base/status.h"
#include "common/base/status_macros.h"
#include "common/text/tokenizer/tokenizer_files.h"

namespace baton::worker {
namespace {

std::vector<ModelCard::File> SortedByName(std::vector<ModelCard::File> files) {
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

// Each string with its length in front, so that no two cards run into the same bytes.
void Update(XXH3_state_t& state, const std::string& text) {
  const uint64_t size = text.size();
  XXH3_128bits_update(&state, &size, sizeof size);
  XXH3_128bits_update(&state, text.data(), text.size());
}

std::string DigestOf(const std::vector<ModelCard::File>& files) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  for (const ModelCard::File& file : files) {
    Update(*state, file.name);
    Update(*state, file.bytes);
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return absl::StrFormat("%016x%016x", hash.high64, hash.low64);
}

}  // namespace

ModelCard::ModelCard(std::vector<File> files) : files_(SortedByName(std::move(files))) {
  digest_ = DigestOf(files_);
  for (size_t index = 0; index < files_.size(); ++index) {
    const size_t size = files_[index].bytes.size();
    size_t offset = 0;
    do {
      const size_t piece = std::min(kPieceBytesMax, size - offset);
      pieces_.push_back({index, offset, piece, offset + piece == size});
      offset += piece;
    } while (offset < size);
  }
}

v1::ModelCardChunk ModelCard::Message(size_t index, const v1::ModelInfo& model) const {
  BATON_CHECK(index < message_count()) << "ModelCard: message=" << index;
  v1::ModelCardChunk chunk;
  if (index == 0) {
    chunk.mutable_header()->set_card_digest(digest_);
    *chunk.mutable_header()->mutable_model() = model;
    return chunk;
  }
  const Piece& piece = pieces_[index - 1];
  chunk.mutable_piece()->set_file(files_[piece.file].name);
  chunk.mutable_piece()->set_data(files_[piece.file].bytes.substr(piece.offset, piece.size));
  chunk.mutable_piece()->set_last(piece.last);
  return chunk;
}

const ModelCard::File* ModelCard::Find(std::string_view name) const {
  for (const File& file : files_) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> ModelCard::MakeTokenizer() const {
  TokenizerConfig config;
  if (const File* file = Find("tokenizer_config.json"); file != nullptr) {
    ASSIGN_OR_RETURN(config, ParseTokenizerConfig(file->bytes));
  }
  const auto find = [this](std::string_view name) {
    const File* file = Find(name);
    return file != nullptr ? &file->bytes : nullptr;
  };
  return LoadTokenizerFiles(find, config);
}

}  // namespace baton::worker
