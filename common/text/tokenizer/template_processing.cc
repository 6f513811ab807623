// The TemplateProcessing post-processor: special tokens around the text, as a template lists them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/text/tokenizer/component_registry.h"

namespace baton {
namespace {

class TemplateFraming : public TokenFraming {
 public:
  explicit TemplateFraming(SpecialTokenFrame own) : own_(std::move(own)) {}

  void Surround(SpecialTokenFrame& frame) const override {
    frame.before.insert(frame.before.begin(), own_.before.begin(), own_.before.end());
    frame.after.insert(frame.after.end(), own_.after.begin(), own_.after.end());
  }

 private:
  const SpecialTokenFrame own_;
};

// Appends the ids that the file gives for a special token of the template.
absl::Status AppendIds(const ComponentConfig& config, const std::string& token,
                       std::vector<TokenId>& out) {
  ASSIGN_OR_RETURN(const ComponentConfig all, config.Object("special_tokens"));
  ASSIGN_OR_RETURN(const ComponentConfig entry, all.Object(token));
  ASSIGN_OR_RETURN(const std::vector<int64_t> ids, entry.Ints("ids"));
  for (const int64_t id : ids) {
    if (id < 0 || id > UINT32_MAX) return entry.Invalid("token id out of range");
    out.push_back(static_cast<TokenId>(id));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<const TokenFraming>> Make(const ComponentConfig& config,
                                                         const ComponentRegistry&) {
  ASSIGN_OR_RETURN(const std::vector<ComponentConfig> items, config.List("single"));
  SpecialTokenFrame frame;
  bool text_seen = false;
  for (const ComponentConfig& item : items) {
    if (item.Has("Sequence")) {
      if (text_seen) return item.Unsupported("the text twice in a template");
      text_seen = true;
      continue;
    }
    ASSIGN_OR_RETURN(const ComponentConfig special, item.Object("SpecialToken"));
    ASSIGN_OR_RETURN(const std::string token, special.String("id"));
    RETURN_IF_ERROR(AppendIds(config, token, text_seen ? frame.after : frame.before));
  }
  if (!text_seen) return config.Invalid("the template has no place for the text");
  return std::make_unique<TemplateFraming>(std::move(frame));
}

}  // namespace

absl::Status Register_template_processing(ComponentRegistry& registry) {
  return registry.post_processors.Add("TemplateProcessing", Make);
}

}  // namespace baton
