// A chat template, compiled once and rendered for every request.
//
// The language is Jinja under the environment of transformers: white space control by block,
// break and continue, {% generation %}, raise_exception, strftime_now, tojson without HTML
// escapes, and a sandbox that hides whatever would change a value. A render is pure but for the
// time it is given, and bounded by RenderLimits, so that templates need not be trusted.
//
//   ASSIGN_OR_RETURN(ChatTemplate tmpl, ChatTemplate::Compile(source));
//   ASSIGN_OR_RETURN(std::string prompt, tmpl.Render(input, RenderLimits()));
//
// Threading: immutable; Render may run on any number of threads.
// Ownership: owns the compiled tree; a render borrows its input for the call.
// Errors:    INVALID_ARGUMENT. Compile: "chat template: line <n>: ...". Render: the words of
//            raise_exception, or "chat template: line <n>: <Python's class>: ...".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/strings.h"
#include "frontend/chat/content_format.h"
#include "frontend/chat/render_limits.h"
#include "nlohmann/json_fwd.hpp"

namespace baton::frontend {

namespace internal {
struct TemplateTree;
class RenderContext;
class Value;
}  // namespace internal

// What one render works on. Pointers may be null where stated and are borrowed.
struct ChatTemplateInput {
  const nlohmann::ordered_json* messages = nullptr;   // an array; required
  const nlohmann::ordered_json* tools = nullptr;      // null: `none` in the template
  const nlohmann::ordered_json* documents = nullptr;  // null: `none` in the template
  const nlohmann::ordered_json* kwargs = nullptr;     // an object of further variables, or null
  // The special tokens that the tokenizer names: {"bos_token", "<s>"}, ...
  std::vector<std::pair<std::string, std::string>> special_tokens;
  bool add_generation_prompt = false;
  // Leaves the last message open, so that the model goes on with it.
  bool continue_final_message = false;
  WallTime now;
};

class ChatTemplate {
 public:
  static constexpr size_t kSourceBytesMax = 4u << 20;

  static absl::StatusOr<ChatTemplate> Compile(std::string_view source);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  absl::StatusOr<std::string> Render(const ChatTemplateInput& input,
                                     const RenderLimits& limits) const;

  // How the template wants message content that consists of parts.
  ContentFormat content_format() const { return content_format_; }
  // The template handles the role `developer` itself.
  bool mentions_developer_role() const { return mentions_developer_role_; }
  // The template reads this variable: which of a caller's kwargs have any effect.
  bool Reads(std::string_view variable) const { return variables_.contains(variable); }

 private:
  ChatTemplate();

  absl::StatusOr<std::string> RenderMessages(const ChatTemplateInput& input,
                                             const nlohmann::ordered_json& messages,
                                             const RenderLimits& limits) const;
  absl::StatusOr<std::string> RenderContinuation(const ChatTemplateInput& input,
                                                 const RenderLimits& limits) const;
  absl::StatusOr<std::vector<internal::Value>> BindVariables(
      internal::RenderContext& context, const ChatTemplateInput& input,
      const nlohmann::ordered_json& messages) const;

  std::unique_ptr<internal::TemplateTree> tree_;
  absl::flat_hash_map<std::string, size_t, StringHash, StringEqual> variables_;
  ContentFormat content_format_ = ContentFormat::kString;
  bool mentions_developer_role_ = false;
  bool mentions_content_ = false;
};

}  // namespace baton::frontend
