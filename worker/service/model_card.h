// What a frontend needs to serve the model without its weights: tokenizer, chat template and
// configuration files, cut into messages.
//
// Threading: immutable. Ownership: owns the bytes of its files.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/common.pb.h"
#include "common/text/tokenizer/tokenizer.h"

namespace baton::worker {

class ModelCard {
 public:
  static constexpr size_t kPieceBytesMax = 1 << 20;

  struct File {
    std::string name;
    std::string bytes;
  };

  explicit ModelCard(std::vector<File> files);

  // Of the names and contents of all files: 32 hex digits.
  const std::string& digest() const { return digest_; }

  // Message `index` of the card: 0 is the header. REQUIRES: index < message_count().
  v1::ModelCardChunk Message(size_t index, const v1::ModelInfo& model) const;
  size_t message_count() const { return 1 + pieces_.size(); }

  const File* Find(std::string_view name) const;

  // From whichever file tells; NOT_FOUND if the card has none.
  absl::StatusOr<std::unique_ptr<const Tokenizer>> MakeTokenizer() const;

 private:
  struct Piece {
    size_t file = 0;
    size_t offset = 0;
    size_t size = 0;
    bool last = false;
  };

  const std::vector<File> files_;  // sorted by name
  std::vector<Piece> pieces_;
  std::string digest_;
};

}  // namespace baton::worker
