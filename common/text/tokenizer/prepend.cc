// The Prepend normalizer: a string before every piece of text that is not empty.
#include <memory>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

class PrependNormalizer : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}

  absl::StatusOr<std::string_view> Normalize(std::string_view text,
                                             std::string& storage) const override {
    if (text.empty()) return text;
    storage.assign(prefix_).append(text);
    return std::string_view(storage);
  }

  size_t FrontAfter(std::string_view, size_t front) const override {
    return front == 0 ? 0 : prefix_.size() + front;
  }

 private:
  const std::string prefix_;
};

absl::StatusOr<std::unique_ptr<const Normalizer>> Make(const ComponentConfig& config,
                                                       const ComponentRegistry&) {
  ASSIGN_OR_RETURN(std::string prefix, config.String("prepend"));
  return std::make_unique<PrependNormalizer>(std::move(prefix));
}

}  // namespace

absl::Status Register_prepend(ComponentRegistry& registry) {
  return registry.normalizers.Add("Prepend", Make);
}

}  // namespace baton
