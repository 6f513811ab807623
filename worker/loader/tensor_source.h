// The tensors of a checkpoint, whatever its format: names, shapes, and bytes as they lie in the
// files. Nothing is converted here; packers read the source format directly.
//
//   const SourceTensor* q = source.Find("model.layers.0.self_attn.q_proj.weight");
//
// Implementations check everything that a file claims when it is opened: a SourceTensor's bytes are
// there, and are as many as shape and format say.
//
// Threading: immutable after it was opened.
// Ownership: owns the files' mappings; names and bytes are views that live as long as the source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/types/span.h"
#include "worker/tensor/shape.h"
#include "worker/tensor/weight_format.h"

namespace baton::worker {

struct SourceTensor {
  std::string_view name;
  std::string_view file;   // base name, for messages
  std::string_view dtype;  // as the file calls it: "BF16", "Q4_1"
  // Empty for a type that packers cannot read: the tensor is there, using it is an error.
  std::optional<WeightFormat> format;
  Shape shape;             // outermost first, as in PyTorch
  std::string_view bytes;  // no alignment
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;

  // In the order of the files.
  absl::Span<const SourceTensor> tensors() const { return tensors_; }

  // nullptr when there is none of that name.
  const SourceTensor* Find(std::string_view name) const;

  // What the checkpoint is called in messages.
  virtual std::string_view description() const = 0;

 protected:
  // False if the name is taken.
  bool Add(const SourceTensor& tensor);

 private:
  std::vector<SourceTensor> tensors_;
  std::unordered_map<std::string_view, size_t> index_;  // name -> position in tensors_
};

}  // namespace baton::worker
