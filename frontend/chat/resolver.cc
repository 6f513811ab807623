#include "frontend/chat/resolver.h"

#include <map>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "common/base/status_macros.h"
#include "frontend/chat/ast_walk.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/lexer.h"

namespace baton::frontend::internal {
namespace {

constexpr int kSlotsMax = 60'000;

// One activation at run time: the template or a macro.
struct FunctionScope {
  int level;
  int slot_count = 0;
};

struct Scope {
  Scope* parent;
  FunctionScope* function;
  std::map<std::string, uint16_t, std::less<>> slots;
};

// Where a filter or test that does not exist is an error at once, or only when it is reached.
enum class Strictness { kStrict, kLenient };

bool Mentions(const Body& body, std::string_view name) {
  bool found = false;
  Walk(body, nullptr, [&](const Expression& node) {
    if (node.kind == ExpressionKind::kName) {
      found = found || static_cast<const NameExpression&>(node).name == name;
    }
  });
  return found;
}

class Resolver {
 public:
  explicit Resolver(TemplateTree& tree) : tree_(tree) {}

  absl::Status Run() {
    FunctionScope function{0};
    Scope root{nullptr, &function, {}};
    DeclareStores(root, tree_.body);
    RETURN_IF_ERROR(ResolveBody(tree_.body, root, Strictness::kStrict));
    if (too_many_slots_) return SyntaxError(1, "the template has too many variables");
    tree_.slot_count = static_cast<uint16_t>(function.slot_count);
    return absl::OkStatus();
  }

 private:
  uint16_t Declare(Scope& scope, const std::string& name) {
    const auto [entry, added] =
        scope.slots.try_emplace(name, static_cast<uint16_t>(scope.function->slot_count));
    if (added && ++scope.function->slot_count > kSlotsMax) {
      too_many_slots_ = true;
      scope.function->slot_count = 0;
    }
    return entry->second;
  }

  void DeclareTarget(Scope& scope, const Target& target) {
    if (target.kind == Target::Kind::kName) Declare(scope, target.name);
    for (const Target& part : target.parts) DeclareTarget(scope, part);
  }

  // Declares what the statements of one scope assign, through the branches of `if`.
  void DeclareStores(Scope& scope, const Body& body) {
    for (const StatementPtr& statement : body) {
      switch (statement->kind) {
        case StatementKind::kSet:
          DeclareTarget(scope, static_cast<const SetStatement&>(*statement).target);
          break;
        case StatementKind::kSetBlock:
          DeclareTarget(scope, static_cast<const SetBlockStatement&>(*statement).target);
          break;
        case StatementKind::kMacro:
          DeclareTarget(scope, static_cast<const MacroStatement&>(*statement).target);
          break;
        case StatementKind::kIf: {
          const auto& branch = static_cast<const IfStatement&>(*statement);
          for (const auto& [condition, inner] : branch.branches) DeclareStores(scope, inner);
          DeclareStores(scope, branch.otherwise);
          break;
        }
        default:
          break;
      }
    }
  }

  // Resolves `body` in a scope of its own below `outer`, in which `declare` adds names first.
  template <typename DeclareNames>
  absl::Status ResolveScoped(Body& body, Scope& outer, SlotRange& range, DeclareNames declare) {
    Scope scope{&outer, outer.function, {}};
    range.first = static_cast<uint16_t>(outer.function->slot_count);
    declare(scope);
    DeclareStores(scope, body);
    range.last = static_cast<uint16_t>(outer.function->slot_count);
    return ResolveBody(body, scope, Strictness::kStrict);
  }

  absl::Status ResolveBody(Body& body, Scope& scope, Strictness strictness) {
    for (const StatementPtr& statement : body) {
      RETURN_IF_ERROR(ResolveStatement(*statement, scope, strictness));
    }
    return absl::OkStatus();
  }

  void ResolveName(NameExpression& name, Scope& scope) {
    for (const Scope* s = &scope; s != nullptr; s = s->parent) {
      const auto found = s->slots.find(name.name);
      if (found == s->slots.end()) continue;
      const int up = scope.function->level - s->function->level;
      name.slots.push_back(SlotReference{static_cast<uint16_t>(up), found->second});
    }
    const auto [entry, added] =
        context_index_.try_emplace(name.name, static_cast<uint32_t>(tree_.context_names.size()));
    if (added) tree_.context_names.push_back(name.name);
    name.context_index = entry->second;
  }

  void ResolveTarget(Target& target, Scope& scope) {
    if (target.kind == Target::Kind::kName) target.slot = Declare(scope, target.name);
    if (target.object != nullptr) ResolveName(*target.object, scope);
    for (Target& part : target.parts) ResolveTarget(part, scope);
  }

  absl::Status Resolve(const ExpressionPtr& node, Scope& scope, Strictness strictness) {
    return node == nullptr ? absl::OkStatus() : ResolveExpression(*node, scope, strictness);
  }

  absl::Status ResolveExpression(Expression& node, Scope& scope, Strictness strictness) {
    if (node.kind == ExpressionKind::kName) {
      ResolveName(static_cast<NameExpression&>(node), scope);
      return absl::OkStatus();
    }
    if (node.kind == ExpressionKind::kConditional) strictness = Strictness::kLenient;
    if (node.kind == ExpressionKind::kFilter) {
      auto& filter = static_cast<FilterExpression&>(node);
      filter.function = FindFilter(filter.name);
      if (filter.function == nullptr && strictness == Strictness::kStrict) {
        return SyntaxError(node.line, "No filter named '" + filter.name + "'.");
      }
    }
    if (node.kind == ExpressionKind::kTest) {
      auto& test = static_cast<TestExpression&>(node);
      test.function = FindTest(test.name);
      if (test.function == nullptr && strictness == Strictness::kStrict) {
        return SyntaxError(node.line, "No test named '" + test.name + "'.");
      }
    }
    absl::Status status;
    ForEachChild(node, [&](Expression& child) {
      if (status.ok()) status = ResolveExpression(child, scope, strictness);
    });
    return status;
  }

  absl::Status ResolveStatement(Statement& statement, Scope& scope, Strictness strictness) {
    switch (statement.kind) {
      case StatementKind::kOutput:
        for (const OutputPart& part : static_cast<OutputStatement&>(statement).parts) {
          RETURN_IF_ERROR(Resolve(part.expression, scope, strictness));
        }
        return absl::OkStatus();
      case StatementKind::kFor:
        return ResolveFor(static_cast<ForStatement&>(statement), scope, strictness);
      case StatementKind::kIf: {
        auto& branch = static_cast<IfStatement&>(statement);
        for (auto& [condition, body] : branch.branches) {
          RETURN_IF_ERROR(Resolve(condition, scope, Strictness::kLenient));
          RETURN_IF_ERROR(ResolveBody(body, scope, Strictness::kLenient));
        }
        return ResolveBody(branch.otherwise, scope, Strictness::kLenient);
      }
      case StatementKind::kSet: {
        auto& assignment = static_cast<SetStatement&>(statement);
        ResolveTarget(assignment.target, scope);
        return Resolve(assignment.value, scope, strictness);
      }
      case StatementKind::kSetBlock: {
        auto& block = static_cast<SetBlockStatement&>(statement);
        ResolveTarget(block.target, scope);
        RETURN_IF_ERROR(Resolve(block.filter, scope, strictness));
        return ResolveScoped(block.body, scope, block.slots, [](Scope&) {});
      }
      case StatementKind::kMacro: {
        auto& macro = static_cast<MacroStatement&>(statement);
        ResolveTarget(macro.target, scope);
        return ResolveMacro(macro, scope);
      }
      case StatementKind::kCallBlock: {
        auto& block = static_cast<CallBlockStatement&>(statement);
        RETURN_IF_ERROR(ResolveExpression(*block.call, scope, strictness));
        return ResolveMacro(*block.caller, scope);
      }
      case StatementKind::kFilterBlock: {
        auto& block = static_cast<FilterBlockStatement&>(statement);
        RETURN_IF_ERROR(Resolve(block.filter, scope, strictness));
        return ResolveScoped(block.body, scope, block.slots, [](Scope&) {});
      }
      case StatementKind::kWith:
        return ResolveWith(static_cast<WithStatement&>(statement), scope, strictness);
      case StatementKind::kScope: {
        auto& block = static_cast<ScopeStatement&>(statement);
        return ResolveScoped(block.body, scope, block.slots, [](Scope&) {});
      }
      case StatementKind::kBreak:
      case StatementKind::kContinue:
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status ResolveFor(ForStatement& loop, Scope& scope, Strictness strictness) {
    RETURN_IF_ERROR(Resolve(loop.iterable, scope, strictness));
    if (loop.condition != nullptr) {
      Scope condition{&scope, scope.function, {}};
      loop.condition_slots.first = static_cast<uint16_t>(scope.function->slot_count);
      loop.condition_target = CopyNames(loop.target);
      DeclareTarget(condition, loop.condition_target);
      ResolveTarget(loop.condition_target, condition);
      loop.condition_slots.last = static_cast<uint16_t>(scope.function->slot_count);
      RETURN_IF_ERROR(Resolve(loop.condition, condition, Strictness::kStrict));
    }
    const bool mentions_loop = Mentions(loop.body, "loop");
    RETURN_IF_ERROR(ResolveScoped(loop.body, scope, loop.slots, [&](Scope& inner) {
      DeclareTarget(inner, loop.target);
      ResolveTarget(loop.target, inner);
      if (mentions_loop) loop.loop_slot = Declare(inner, "loop");
    }));
    return ResolveScoped(loop.otherwise, scope, loop.otherwise_slots, [](Scope&) {});
  }

  absl::Status ResolveWith(WithStatement& with, Scope& scope, Strictness strictness) {
    for (const auto& [target, value] : with.bindings) {
      RETURN_IF_ERROR(Resolve(value, scope, strictness));
    }
    return ResolveScoped(with.body, scope, with.slots, [&](Scope& inner) {
      for (auto& [target, value] : with.bindings) {
        DeclareTarget(inner, target);
        ResolveTarget(target, inner);
      }
    });
  }

  absl::Status ResolveMacro(MacroStatement& macro, Scope& scope) {
    FunctionScope function{scope.function->level + 1};
    Scope inner{&scope, &function, {}};
    for (const std::string& parameter : macro.parameters) Declare(inner, parameter);
    if (function.slot_count != static_cast<int>(macro.parameters.size())) {
      return SyntaxError(macro.line, "macro '" + macro.name + "' has a parameter twice");
    }
    const auto declare_if_used = [&](const char* name) -> int {
      const bool parameter = inner.slots.contains(name);
      return !parameter && Mentions(macro.body, name) ? Declare(inner, name) : -1;
    };
    macro.varargs_slot = declare_if_used("varargs");
    macro.kwargs_slot = declare_if_used("kwargs");
    macro.caller_slot = declare_if_used("caller");
    DeclareStores(inner, macro.body);
    for (const ExpressionPtr& value : macro.defaults) {
      RETURN_IF_ERROR(Resolve(value, inner, Strictness::kStrict));
    }
    RETURN_IF_ERROR(ResolveBody(macro.body, inner, Strictness::kStrict));
    macro.slot_count = static_cast<uint16_t>(function.slot_count);
    return absl::OkStatus();
  }

  static Target CopyNames(const Target& target) {
    Target copy;
    copy.kind = target.kind;
    copy.line = target.line;
    copy.name = target.name;
    for (const Target& part : target.parts) copy.parts.push_back(CopyNames(part));
    return copy;
  }

  TemplateTree& tree_;
  absl::flat_hash_map<std::string, uint32_t> context_index_;
  bool too_many_slots_ = false;
};

}  // namespace

absl::Status ResolveNames(TemplateTree& tree) { return Resolver(tree).Run(); }

}  // namespace baton::frontend::internal
