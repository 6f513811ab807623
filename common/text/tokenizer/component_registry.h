// Which component types of tokenizer.json exist. A new type is one file with a Register_ function
// and one line in components.def.
//
// Threading: immutable once built; RegisteredComponents() is built on first use.
// Errors:    UNIMPLEMENTED from Make for an unknown type, listing those that are known.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/text/tokenizer/component_config.h"
#include "common/text/tokenizer/decoder.h"
#include "common/text/tokenizer/normalizer.h"
#include "common/text/tokenizer/pre_tokenizer.h"
#include "common/text/tokenizer/token_framing.h"

namespace baton {

class ComponentRegistry;

// The factories of one kind of component, by the `type` of the JSON object.
template <typename Component>
class ComponentFactories {
 public:
  using Factory = absl::StatusOr<std::unique_ptr<const Component>> (*)(
      const ComponentConfig& config, const ComponentRegistry& registry);

  // ALREADY_EXISTS when the type is taken.
  absl::Status Add(std::string_view type, Factory factory) {
    if (!factories_.emplace(type, factory).second) {
      return absl::AlreadyExistsError("register tokenizer component: type=" + std::string(type));
    }
    return absl::OkStatus();
  }

  // The component that `config` describes.
  absl::StatusOr<std::unique_ptr<const Component>> Make(const ComponentConfig& config,
                                                        const ComponentRegistry& registry) const {
    const absl::StatusOr<std::string> type = config.Type();
    if (!type.ok()) return type.status();
    const auto it = factories_.find(*type);
    if (it != factories_.end()) return it->second(config, registry);
    std::string known;
    for (const auto& [name, factory] : factories_) known += (known.empty() ? "" : ", ") + name;
    return config.Unsupported("unknown type " + *type + ", known: " + known);
  }

 private:
  std::map<std::string, Factory, std::less<>> factories_;
};

class ComponentRegistry {
 public:
  ComponentFactories<Normalizer> normalizers;
  ComponentFactories<PreTokenizer> pre_tokenizers;
  ComponentFactories<TokenFraming> post_processors;
  ComponentFactories<TokenDecoder> decoders;
};

// Everything in components.def.
const ComponentRegistry& RegisteredComponents();

}  // namespace baton
