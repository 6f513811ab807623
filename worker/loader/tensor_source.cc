#include "worker/loader/tensor_source.h"

namespace baton::worker {

const SourceTensor* TensorSource::Find(std::string_view name) const {
  const auto at = index_.find(name);
  return at == index_.end() ? nullptr : &tensors_[at->second];
}

bool TensorSource::Add(const SourceTensor& tensor) {
  if (!index_.emplace(tensor.name, tensors_.size()).second) return false;
  tensors_.push_back(tensor);
  return true;
}

}  // namespace baton::worker
