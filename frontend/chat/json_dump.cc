#include "frontend/chat/json_dump.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "common/base/status_macros.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"
#include "frontend/chat/render_context.h"

namespace baton::frontend::internal {
namespace {

constexpr int kDepthMax = 200;

void AppendUnicodeEscape(std::string& out, char32_t unit) {
  constexpr char kHex[] = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kHex[(unit >> shift) & 15]);
}

// The escape of a character that JSON does not allow in a string, or null.
const char* ShortEscape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\f':
      return "\\f";
    case '\b':
      return "\\b";
    default:
      return nullptr;
  }
}

void AppendString(std::string& out, std::string_view text, bool ensure_ascii) {
  out.push_back('"');
  size_t plain = 0;  // start of the run that needs no escape
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const char* escape = ShortEscape(text[at]);
    if (escape == nullptr && byte >= 0x20 && (byte < 0x7F || !ensure_ascii)) {
      ++at;
      continue;
    }
    out.append(text.substr(plain, at - plain));
    if (escape != nullptr) {
      out.append(escape);
      ++at;
    } else if (byte < 0x80) {
      AppendUnicodeEscape(out, byte);
      ++at;
    } else {
      const char32_t c = CodePointAt(text, at);
      if (c >= 0x10000) {
        AppendUnicodeEscape(out, 0xD800 + ((c - 0x10000) >> 10));
        AppendUnicodeEscape(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
      } else {
        AppendUnicodeEscape(out, c);
      }
      at += SequenceLength(text, at);
    }
    plain = at;
  }
  out.append(text.substr(plain)).push_back('"');
}

std::string FloatText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return FloatRepr(value);
}

class JsonDumper {
 public:
  JsonDumper(RenderContext& context, const JsonDumpOptions& options, std::string& out)
      : context_(context), options_(options), out_(out) {}

  absl::Status Dump(const Value& value, int depth) {
    if (depth > kDepthMax) return ValueError({"JSON nested deeper than 200 levels"});
    RETURN_IF_ERROR(context_.Charge(1));
    if (out_.size() > options_.bytes_max) {
      return PythonError("limit exceeded", {"tojson makes too much text"});
    }
    switch (value.kind()) {
      case Kind::kNone:
        out_.append("null");
        return absl::OkStatus();
      case Kind::kBool:
        out_.append(value.bool_value() ? "true" : "false");
        return absl::OkStatus();
      case Kind::kInt:
      case Kind::kBigInt:
        out_.append(IntegerText(value.integer()));
        return absl::OkStatus();
      case Kind::kFloat:
        out_.append(FloatText(value.real()));
        return absl::OkStatus();
      case Kind::kString:
        AppendString(out_, value.text(), options_.ensure_ascii);
        return absl::OkStatus();
      case Kind::kList:
      case Kind::kTuple:
        return DumpItems(value.items(), depth);
      case Kind::kDict:
        return DumpDict(value.dict(), depth);
      default:
        return TypeError({"Object of type ", TypeName(value), " is not JSON serializable"});
    }
  }

 private:
  void NewLine(int depth) {
    if (!options_.indent.has_value()) return;
    out_.push_back('\n');
    for (int i = 0; i < depth; ++i) out_.append(*options_.indent);
  }

  absl::Status DumpItems(absl::Span<const Value> items, int depth) {
    out_.push_back('[');
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.append(options_.item_separator);
      NewLine(depth + 1);
      RETURN_IF_ERROR(Dump(items[i], depth + 1));
    }
    if (!items.empty()) NewLine(depth);
    out_.push_back(']');
    return absl::OkStatus();
  }

  absl::Status AppendKey(const Value& key) {
    switch (key.kind()) {
      case Kind::kString:
        AppendString(out_, key.text(), options_.ensure_ascii);
        return absl::OkStatus();
      case Kind::kNone:
        out_.append("\"null\"");
        return absl::OkStatus();
      case Kind::kBool:
        out_.append(key.bool_value() ? "\"true\"" : "\"false\"");
        return absl::OkStatus();
      case Kind::kInt:
      case Kind::kBigInt:
        out_.append("\"").append(IntegerText(key.integer())).append("\"");
        return absl::OkStatus();
      case Kind::kFloat:
        out_.append("\"").append(FloatText(key.real())).append("\"");
        return absl::OkStatus();
      default:
        return TypeError({"keys must be str, int, float, bool or None, not ", TypeName(key)});
    }
  }

  absl::Status DumpDict(const Dict& dict, int depth) {
    std::vector<DictEntry> sorted;
    const DictEntry* entries = dict.entries;
    if (options_.sort_keys && dict.size > 1) {
      sorted.assign(dict.entries, dict.entries + dict.size);
      RETURN_IF_ERROR(SortByKey(sorted));
      entries = sorted.data();
    }
    out_.push_back('{');
    for (uint32_t i = 0; i < dict.size; ++i) {
      if (i > 0) out_.append(options_.item_separator);
      NewLine(depth + 1);
      RETURN_IF_ERROR(AppendKey(entries[i].key));
      out_.append(options_.key_separator);
      RETURN_IF_ERROR(Dump(entries[i].value, depth + 1));
    }
    if (dict.size > 0) NewLine(depth);
    out_.push_back('}');
    return absl::OkStatus();
  }

  absl::Status SortByKey(std::vector<DictEntry>& entries) {
    std::vector<Value> keys;
    for (const DictEntry& entry : entries) keys.push_back(entry.key);
    ASSIGN_OR_RETURN(const std::vector<size_t> order,
                     SortedOrder(context_, keys, /*reverse=*/false));
    std::vector<DictEntry> sorted;
    for (const size_t i : order) sorted.push_back(entries[i]);
    entries = std::move(sorted);
    return absl::OkStatus();
  }

  RenderContext& context_;
  const JsonDumpOptions& options_;
  std::string& out_;
};

}  // namespace

absl::Status DumpJson(RenderContext& context, const Value& value, const JsonDumpOptions& options,
                      std::string& out) {
  return JsonDumper(context, options, out).Dump(value, 0);
}

}  // namespace baton::frontend::internal
