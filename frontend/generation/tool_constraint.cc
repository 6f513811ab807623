#include "frontend/generation/tool_constraint.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/constraint/json_schema.h"
#include "common/constraint/structural_tag.h"

namespace baton::frontend {

namespace {

using tag::Format;

constexpr std::string_view kAnyArguments = R"({"type":"object"})";

Format One(std::vector<Format> parts) {
  return parts.size() == 1 ? std::move(parts.front()) : tag::Sequence(std::move(parts));
}

// Markup as text and special tokens.
class Markup {
 public:
  explicit Markup(const ModelContext& model) : model_(model) {}

  Format operator()(std::string_view text) const {
    std::vector<Format> parts;
    std::string plain;
    while (!text.empty()) {
      const std::string_view special = SpecialAt(text);
      if (special.empty()) {
        plain += text.front();
        text.remove_prefix(1);
        continue;
      }
      if (!plain.empty()) parts.push_back(tag::Text(std::exchange(plain, {})));
      parts.push_back(tag::Token(std::string(special)));
      text.remove_prefix(special.size());
    }
    if (!plain.empty() || parts.empty()) parts.push_back(tag::Text(plain));
    return One(std::move(parts));
  }

  // The special token that the text begins with, or nothing.
  std::string_view SpecialAt(std::string_view text) const {
    for (const TokenId id : model_.markup_tokens) {
      const std::string_view token = model_.tokenizer->TokenText(id);
      if (text.starts_with(token)) return token;
    }
    return {};
  }

  const ModelContext& model() const { return model_; }

 private:
  const ModelContext& model_;
};

const CallSyntax& SyntaxOf(const ChatReply& reply, const ModelContext& model) {
  const ToolFormat& format = *reply.parse.tool_format;
  const bool newer = !format.newer_token.empty() && model.tokenizer->FindToken(format.newer_token);
  return newer ? format.newer_syntax : format.syntax;
}

// One tag per tool that may be called.
std::vector<Format> CallTags(const ToolInput& input, const ChatReply& reply, const Markup& markup,
                             bool only_strict_schemas) {
  const CallSyntax& syntax = SyntaxOf(reply, markup.model());
  std::vector<Format> tags;
  for (const ToolSet::Tool& tool : reply.parse.tools.tools()) {
    if (reply.is_named && tool.name != input.choice_name) continue;
    std::string begin(syntax.call_begin);
    begin += tool.name;
    begin += syntax.after_name;
    const bool any = only_strict_schemas && !tool.strict;
    tags.push_back(tag::Tag(
        markup(begin), tag::JsonSchema(any ? std::string(kAnyArguments) : tool.parameters_json),
        markup(syntax.call_end)));
  }
  return tags;
}

// Calls and nothing else.
Format Calls(const ToolInput& input, const ChatReply& reply, const Markup& markup,
             bool only_strict_schemas) {
  const CallSyntax& syntax = SyntaxOf(reply, markup.model());
  const bool single = reply.is_named || !reply.parse.parallel_calls;
  std::vector<Format> parts;
  if (!syntax.section_begin.empty()) parts.push_back(markup(syntax.section_begin));
  parts.push_back(tag::TagsWithSeparator(CallTags(input, reply, markup, only_strict_schemas),
                                         std::string(syntax.separator),
                                         {.at_least_one = true, .stop_after_first = single}));
  if (!syntax.section_end.empty()) parts.push_back(markup(syntax.section_end));
  return One(std::move(parts));
}

// Text, and calls in it.
Format TextWithCalls(const ToolInput& input, const ChatReply& reply, const Markup& markup) {
  const CallSyntax& syntax = SyntaxOf(reply, markup.model());
  const std::string_view opener = reply.parse.tool_format->openers.front();
  const Format trigger = markup(opener);
  std::vector<Format> tags;
  if (syntax.section_begin.empty()) {
    tags = CallTags(input, reply, markup, true);
  } else {
    tags.push_back(Calls(input, reply, markup, true));
  }
  return tag::TriggeredTags({trigger}, std::move(tags),
                            {.stop_after_first = !reply.parse.parallel_calls});
}

bool AnyStrict(const ToolSet& tools) {
  for (const ToolSet::Tool& tool : tools.tools()) {
    if (tool.strict) return true;
  }
  return false;
}

// Reasoning between its marks, and what comes then; or that at once.
Format MayThinkFirst(const ReasoningFormat& reasoning, const Markup& markup, const Format& behind,
                     Format at_once) {
  const std::string_view closer = reasoning.closers.front();
  return tag::Or({tag::Sequence({markup(reasoning.openers.front()),
                                 tag::AnyText({std::string(closer)}), markup(closer), behind}),
                  std::move(at_once)});
}

// The constraint as a part of a structural tag; absent for what cannot be one.
std::optional<Format> AsFormat(const ConstraintSpec& spec) {
  switch (spec.kind) {
    case ConstraintSpec::Kind::kJsonSchema:
      return tag::JsonSchema(spec.text);
    case ConstraintSpec::Kind::kJsonObject:
      return tag::JsonSchema(std::string(kAnyArguments));
    case ConstraintSpec::Kind::kRegex:
      return tag::Regex(spec.text);
    case ConstraintSpec::Kind::kGrammar:
      return tag::Grammar(spec.text);
    case ConstraintSpec::Kind::kChoice:
    case ConstraintSpec::Kind::kStructuralTag:
      break;
  }
  return std::nullopt;
}

// Lets reasoning come first.
ConstraintSpec AfterReasoning(Format calls, const ReplyPlan& parse, const ModelContext& model,
                              const Markup& markup) {
  const ReasoningFormat* reasoning = parse.reasoning;
  if (reasoning == nullptr || parse.reasoning_start == ReasoningStart::kOutside) {
    return tag::ToSpec(calls);
  }
  Format spaced = tag::Sequence({tag::Regex("\\n{0,2}"), std::move(calls)});
  if (reasoning->in_channels || parse.reasoning_start == ReasoningStart::kInside) {
    ConstraintSpec spec = tag::ToSpec(spaced);
    StartBehindReasoning(parse, model, spec);
    return spec;
  }
  return tag::ToSpec(MayThinkFirst(*reasoning, markup, spaced, spaced));
}

}  // namespace

void StartBehindReasoning(const ReplyPlan& parse, const ModelContext& model, ConstraintSpec& spec) {
  const ReasoningFormat* reasoning = parse.reasoning;
  if (reasoning == nullptr || parse.reasoning_start == ReasoningStart::kOutside) return;
  if (reasoning->in_channels) {
    const auto ids =
        model.tokenizer->Encode("<|channel|>final<|message|>", {.add_special_tokens = false});
    if (ids.ok()) spec.start_after = {*ids};
  } else if (parse.reasoning_start == ReasoningStart::kInside) {
    const std::string_view closer = reasoning->closers.front();
    if (const auto id = model.tokenizer->FindToken(closer)) {
      spec.start_after = {{*id}};
    } else {
      spec.start_after_text = closer;
    }
  } else if (const std::optional<Format> format = AsFormat(spec)) {
    ConstraintSpec either = tag::ToSpec(MayThinkFirst(*reasoning, Markup(model), *format, *format));
    either.layout = spec.layout;
    spec = std::move(either);
  }
}

absl::Status CheckToolSchemas(const ToolInput& input, const ChatReply& reply) {
  const std::vector<ToolSet::Tool>& tools = reply.parse.tools.tools();
  for (size_t i = 0; i < tools.size(); ++i) {
    const bool callable = !reply.is_named || tools[i].name == input.choice_name;
    if (!callable || !(reply.is_enforced || tools[i].strict)) continue;
    const absl::Status status =
        PrepareJsonSchema(tools[i].parameters_json, JsonLayout(),
                          absl::StrCat("tools[", i, "].function.parameters"))
            .status();
    if (!status.ok()) return WithField(status, "tools");
  }
  return absl::OkStatus();
}

std::optional<ConstraintSpec> ToolConstraint(const ToolInput& input, const ChatReply& reply,
                                             const ModelContext& model) {
  if (!reply.has_tools) return std::nullopt;
  const Markup markup(model);
  if (reply.is_enforced) {
    return AfterReasoning(Calls(input, reply, markup, false), reply.parse, model, markup);
  }
  const ToolFormat& format = *reply.parse.tool_format;
  const bool can_be_marked = !format.syntax.empty() && !format.openers.empty();
  if (!can_be_marked || !AnyStrict(reply.parse.tools)) return std::nullopt;
  return AfterReasoning(TextWithCalls(input, reply, markup), reply.parse, model, markup);
}

}  // namespace baton::frontend
