#include "frontend/chat/python_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>

#include "common/base/status_macros.h"
#include "frontend/chat/filters.h"
#include "frontend/chat/operators.h"
#include "frontend/chat/python_repr.h"
#include "frontend/chat/python_text.h"

namespace baton::frontend::internal {
namespace {

constexpr int kWidthMax = 10'000;

// How one value is to be written, in the terms that both syntaxes share.
struct Spec {
  std::string fill = " ";
  char align = '\0';  // '<', '>', '^', '=' (fill behind the sign); '\0': by type
  char sign = '-';
  bool alternate = false;
  char grouping = '\0';
  int width = 0;
  int precision = -1;
  char type = '\0';
};

// Reads decimal digits at `at`, moving it on; 0 when there are none.
absl::StatusOr<int> ReadNumber(std::string_view text, size_t& at) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data() + at, end, number);
  if (result.ec == std::errc::result_out_of_range || number > kWidthMax) {
    return ValueError({"too many decimal digits in format string"});
  }
  if (result.ec == std::errc()) at = static_cast<size_t>(result.ptr - text.data());
  return number;
}

std::string Grouped(const std::string& digits, char separator) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(separator);
    out.push_back(digits[i]);
  }
  return out;
}

std::string Padded(const Spec& spec, const std::string& sign, const std::string& body,
                   char default_align) {
  const size_t length = CodePointCount(sign) + CodePointCount(body);
  const auto width = static_cast<size_t>(spec.width);
  const size_t missing = width > length ? width - length : 0;
  const char align = spec.align == '\0' ? default_align : spec.align;
  const size_t before = align == '^' ? missing / 2 : align == '<' ? 0 : missing;
  std::string front;
  for (size_t i = 0; i < before; ++i) front.append(spec.fill);
  std::string back;
  for (size_t i = before; i < missing; ++i) back.append(spec.fill);
  return align == '=' ? sign + front + body + back : front + sign + body + back;
}

std::string InBase(WideInt value, int base, bool upper) {
  char digits[80];
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), static_cast<uint64_t>(value), base);
  std::string text(digits, end.ptr);
  if (upper)
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string SignOf(const Spec& spec, bool negative) {
  if (negative) return "-";
  return spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string FormatInteger(const Spec& spec, WideInt value) {
  const WideInt magnitude = value < 0 ? -value : value;
  std::string sign = SignOf(spec, value < 0);
  std::string body;
  switch (spec.type) {
    case 'x':
    case 'X':
      body = InBase(magnitude, 16, spec.type == 'X');
      if (spec.alternate) sign.append(spec.type == 'X' ? "0X" : "0x");
      break;
    case 'o':
      body = InBase(magnitude, 8, false);
      if (spec.alternate) sign.append("0o");
      break;
    case 'b':
      body = InBase(magnitude, 2, false);
      if (spec.alternate) sign.append("0b");
      break;
    default:
      body = InBase(magnitude, 10, false);
      if (spec.grouping != '\0') body = Grouped(body, spec.grouping);
  }
  return Padded(spec, sign, body, '>');
}

std::string FormatReal(const Spec& spec, double value) {
  const bool negative = std::signbit(value);
  const double magnitude = std::fabs(value);
  std::string body;
  if (!std::isfinite(value)) {
    body = std::isnan(value) ? "nan" : "inf";
  } else if (spec.type == '\0' && spec.precision < 0) {
    body = FloatRepr(magnitude);
  } else {
    const bool percent = spec.type == '%';
    const char type = percent ? 'f' : spec.type == '\0' ? 'g' : spec.type;
    const char format[] = {'%',
                           spec.alternate ? '#' : '.',
                           spec.alternate ? '.' : '*',
                           spec.alternate ? '*' : type,
                           spec.alternate ? type : '\0',
                           '\0'};
    const int precision = spec.precision < 0 ? 6 : std::min(spec.precision, 300);
    char text[700];
    std::snprintf(text, sizeof(text), format, precision, percent ? magnitude * 100 : magnitude);
    body = text;
    if (percent) body.push_back('%');
  }
  if (spec.grouping != '\0') {
    const size_t whole = body.find_first_not_of("0123456789");
    const std::string rest = whole == std::string::npos ? "" : body.substr(whole);
    body = Grouped(body.substr(0, whole), spec.grouping) + rest;
  }
  return Padded(spec, SignOf(spec, negative), body, '>');
}

std::string FormatText(const Spec& spec, std::string_view text) {
  if (spec.precision >= 0) {
    text = text.substr(0, ByteOffset(text, static_cast<size_t>(spec.precision)));
  }
  return Padded(spec, "", std::string(text), '<');
}

// Takes what putting `value` in place of a field costs; containers take theirs as they are written.
absl::Status ChargeField(RenderContext& context, const Value& value) {
  return context.ChargeText(value.string() ? value.text().size() : 0);
}

bool IsOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// ---- "%s" % values ----

class PercentFormatter {
 public:
  PercentFormatter(RenderContext& context, const Value& format, const Value& values)
      : context_(context), format_(format.text()), escapes_(format.markup()), values_(values) {}

  absl::StatusOr<Value> Run() {
    RETURN_IF_ERROR(context_.ChargeText(format_.size()));
    while (at_ < format_.size()) {
      const size_t percent = format_.find('%', at_);
      out_.append(format_.substr(at_, percent - at_));
      if (percent == std::string_view::npos) break;
      at_ = percent + 1;
      RETURN_IF_ERROR(context_.Charge(1));
      RETURN_IF_ERROR(Conversion());
      if (!context_.arena().Fits(out_.size())) return context_.Reserve(out_.size());
    }
    const bool may_stay = values_.is(Kind::kDict) || values_.is(Kind::kList) ||
                          values_.is(Kind::kRange) || values_.undefined();
    const bool unused =
        values_.is(Kind::kTuple) ? used_ < values_.items().size() : used_ == 0 && !may_stay;
    if (unused) return TypeError({"not all arguments converted during string formatting"});
    return NewText(context_, out_);
  }

 private:
  absl::StatusOr<Value> NextValue() {
    if (!values_.is(Kind::kTuple)) {
      if (used_++ == 0) return values_;
    } else if (used_ < values_.items().size()) {
      return values_.items()[used_++];
    }
    return TypeError({"not enough arguments for format string"});
  }

  absl::StatusOr<int> WidthOrPrecision() {
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      ASSIGN_OR_RETURN(const Value value, NextValue());
      if (!value.integral()) return TypeError({"* wants int"});
      return static_cast<int>(std::clamp<WideInt>(value.integer(), 0, kWidthMax));
    }
    return ReadNumber(format_, at_);
  }

  absl::Status Conversion() {
    std::optional<Value> named;
    if (at_ < format_.size() && format_[at_] == '(') {
      const size_t close = format_.find(')', at_);
      if (close == std::string_view::npos) return ValueError({"incomplete format key"});
      if (!values_.is(Kind::kDict)) return TypeError({"format requires a mapping"});
      const std::string_view key = format_.substr(at_ + 1, close - at_ - 1);
      const Value* found = values_.dict().Find(key);
      if (found == nullptr) return PythonError("KeyError", {"'", key, "'"});
      named = *found;
      at_ = close + 1;
    }
    Spec spec;
    spec.align = '>';
    while (at_ < format_.size() && IsOneOf(format_[at_], "-+ #0")) ReadFlag(spec, format_[at_++]);
    ASSIGN_OR_RETURN(spec.width, WidthOrPrecision());
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      ASSIGN_OR_RETURN(spec.precision, WidthOrPrecision());
    }
    while (at_ < format_.size() && IsOneOf(format_[at_], "hlL")) ++at_;
    if (at_ >= format_.size()) return ValueError({"incomplete format"});
    spec.type = format_[at_++];
    if (spec.type == '%') {
      out_.push_back('%');
      return absl::OkStatus();
    }
    if (!named.has_value()) {
      ASSIGN_OR_RETURN(named, NextValue());
    }
    RETURN_IF_ERROR(ChargeField(context_, *named));
    RETURN_IF_ERROR(context_.ChargeCodePoints(static_cast<size_t>(spec.width)));
    return Append(spec, *named);
  }

  static void ReadFlag(Spec& spec, char flag) {
    if (flag == '-') spec.align = '<';
    if (flag == '+' || (flag == ' ' && spec.sign == '-')) spec.sign = flag;
    if (flag == '#') spec.alternate = true;
    if (flag == '0' && spec.align != '<') {
      spec.fill = "0";
      spec.align = '=';
    }
  }

  absl::Status Append(Spec spec, const Value& value) {
    const auto type = std::string(1, spec.type);
    if (IsOneOf(spec.type, "sra")) {
      if (spec.align == '=') spec.align = '>';
      spec.fill = " ";
      std::string text = spec.type == 's' ? Str(context_, value) : Repr(context_, value);
      const bool safe = !escapes_ || (spec.type == 's' && value.markup());
      if (!safe) text = std::string(EscapeHtml(context_, Value::String(text)).text());
      out_.append(FormatText(spec, text));
      return absl::OkStatus();
    }
    if (spec.type == 'c') {
      std::string text;
      if (value.integral()) {
        const WideInt code = value.integer();
        if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
          return PythonError("OverflowError", {"%c arg not in range(0x110000)"});
        }
        AppendCodePoint(text, static_cast<char32_t>(code));
      }
      if (value.string()) text = value.text();
      if (CodePointCount(text) != 1) return TypeError({"%c requires int or char"});
      out_.append(FormatText(spec, text));
      return absl::OkStatus();
    }
    if (value.undefined()) return UndefinedError(value);
    if (!value.number()) {
      return TypeError({"%", type, " format: a real number is required, not ", TypeName(value)});
    }
    if (IsOneOf(spec.type, "diu")) {
      spec.type = 'd';
      Value integer = value;
      if (value.is(Kind::kFloat)) {
        if (!std::isfinite(value.real())) {
          return PythonError("OverflowError", {"cannot convert float to integer"});
        }
        constexpr double kFar = 1e30;
        ASSIGN_OR_RETURN(integer,
                         MakeInteger(static_cast<WideInt>(std::clamp(value.real(), -kFar, kFar))));
      }
      out_.append(FormatInteger(spec, integer.integer()));
    } else if (IsOneOf(spec.type, "xXo")) {
      if (!value.integral()) {
        return TypeError({"%", type, " format: an integer is required, not ", TypeName(value)});
      }
      out_.append(FormatInteger(spec, value.integer()));
    } else if (IsOneOf(spec.type, "eEfFgG")) {
      out_.append(FormatReal(spec, value.real()));
    } else {
      return ValueError({"unsupported format character '", type, "'"});
    }
    return absl::OkStatus();
  }

  RenderContext& context_;
  const std::string_view format_;
  const bool escapes_;
  const Value& values_;
  size_t at_ = 0;
  size_t used_ = 0;
  std::string out_;
};

// ---- "{}".format(values) ----

absl::StatusOr<Spec> ReadSpec(std::string_view text) {
  Spec spec;
  size_t at = 0;
  const auto peek = [&](size_t ahead) {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  };
  const size_t fill = text.empty() ? 0 : SequenceLength(text, 0);
  if (fill > 0 && fill < text.size() && IsOneOf(text[fill], "<>=^")) {
    spec.fill = text.substr(0, fill);
    spec.align = text[fill];
    at = fill + 1;
  } else if (IsOneOf(peek(0), "<>=^") && peek(0) != '\0') {
    spec.align = text[at++];
  }
  if (peek(0) != '\0' && IsOneOf(peek(0), "+- ")) spec.sign = text[at++];
  if (peek(0) == '#') {
    spec.alternate = true;
    ++at;
  }
  if (peek(0) == '0' && spec.align == '\0') {
    spec.fill = "0";
    spec.align = '=';
    ++at;
  }
  ASSIGN_OR_RETURN(spec.width, ReadNumber(text, at));
  if (peek(0) == ',' || peek(0) == '_') spec.grouping = text[at++];
  if (peek(0) == '.') {
    ++at;
    ASSIGN_OR_RETURN(spec.precision, ReadNumber(text, at));
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) return ValueError({"Invalid format specifier"});
  return spec;
}

absl::StatusOr<std::string> FormatValue(RenderContext& context, const Value& value,
                                        std::string_view spec_text) {
  if (spec_text.empty()) return Str(context, value);
  ASSIGN_OR_RETURN(Spec spec, ReadSpec(spec_text));
  RETURN_IF_ERROR(context.ChargeCodePoints(static_cast<size_t>(spec.width)));
  const std::string code(1, spec.type);
  const auto unknown_code = [&]() -> absl::Status {
    return ValueError(
        {"Unknown format code '", code, "' for object of type '", TypeName(value), "'"});
  };
  if (value.string()) {
    if (spec.type != '\0' && spec.type != 's') return unknown_code();
    if (spec.align == '=')
      return ValueError({"'=' alignment not allowed in string format specifier"});
    return FormatText(spec, value.text());
  }
  if (value.is(Kind::kBool) && spec.type == '\0') return FormatText(spec, Str(context, value));
  if (value.integral()) {
    if (spec.type != '\0' && IsOneOf(spec.type, "eEfFgG%")) return FormatReal(spec, value.real());
    if (spec.type != '\0' && !IsOneOf(spec.type, "dxXobn")) return unknown_code();
    return FormatInteger(spec, value.integer());
  }
  if (value.is(Kind::kFloat)) {
    if (spec.type != '\0' && !IsOneOf(spec.type, "eEfFgG%n")) return unknown_code();
    return FormatReal(spec, value.real());
  }
  return TypeError({"unsupported format string passed to ", TypeName(value), ".__format__"});
}

class BraceFormatter {
 public:
  BraceFormatter(RenderContext& context, const Arguments& arguments, const Dict* mapping,
                 bool escapes)
      : context_(context), arguments_(arguments), mapping_(mapping), escapes_(escapes) {}

  absl::StatusOr<std::string> Run(std::string_view format, int depth) {
    if (depth > 2) return ValueError({"Max string recursion exceeded"});
    RETURN_IF_ERROR(context_.ChargeText(format.size()));
    std::string out;
    for (size_t at = 0; at < format.size();) {
      RETURN_IF_ERROR(context_.Charge(1));
      const size_t brace = format.find_first_of("{}", at);
      out.append(format.substr(at, brace - at));
      if (brace == std::string_view::npos) break;
      if (brace + 1 < format.size() && format[brace + 1] == format[brace]) {
        out.push_back(format[brace]);
        at = brace + 2;
        continue;
      }
      if (format[brace] == '}') {
        return ValueError({"Single '}' encountered in format string"});
      }
      size_t close = brace + 1;
      for (int open = 1; close < format.size(); ++close) {
        if (format[close] == '{') ++open;
        if (format[close] == '}' && --open == 0) break;
      }
      if (close >= format.size()) return ValueError({"expected '}' before end of string"});
      ASSIGN_OR_RETURN(const std::string field,
                       Field(format.substr(brace + 1, close - brace - 1), depth));
      out.append(field);
      at = close + 1;
      if (!context_.arena().Fits(out.size())) return context_.Reserve(out.size());
    }
    return out;
  }

 private:
  absl::StatusOr<std::string> Field(std::string_view field, int depth) {
    const size_t colon = field.find(':');
    std::string_view name = field.substr(0, colon);
    const std::string_view raw_spec =
        colon == std::string_view::npos ? std::string_view() : field.substr(colon + 1);
    char conversion = 's';
    bool converts = false;
    if (const size_t mark = name.find('!'); mark != std::string_view::npos) {
      if (mark + 2 != name.size()) return ValueError({"expected ':' after conversion specifier"});
      conversion = name[mark + 1];
      converts = true;
      name = name.substr(0, mark);
    }
    std::string number;
    if (name.empty()) {
      number = std::to_string(automatic_++);
      name = number;
    } else if (name.find_first_not_of("0123456789") == std::string_view::npos) {
      numbered_ = true;
    }
    if (numbered_ && automatic_ > 0) {
      return ValueError(
          {"cannot switch from manual field specification to automatic field numbering"});
    }
    ASSIGN_OR_RETURN(Value value, Look(name));
    RETURN_IF_ERROR(ChargeField(context_, value));
    std::string spec(raw_spec);
    if (raw_spec.find('{') != std::string_view::npos) {
      ASSIGN_OR_RETURN(spec, Run(raw_spec, depth + 1));
    }
    if (converts)
      value = NewText(context_, conversion == 's' ? Str(context_, value) : Repr(context_, value));
    if (escapes_ && value.markup() && !converts) {
      if (spec.empty()) return std::string(value.text());
      return ValueError({"Format specifier ", spec, " given, but Markup does not define one"});
    }
    ASSIGN_OR_RETURN(std::string text, FormatValue(context_, value, spec));
    if (escapes_) text = std::string(EscapeHtml(context_, Value::String(text)).text());
    return text;
  }

  absl::StatusOr<Value> Look(std::string_view name) {
    const size_t end = name.find_first_of(".[");
    ASSIGN_OR_RETURN(Value value, Argument(name.substr(0, end)));
    std::string_view rest = end == std::string_view::npos ? "" : name.substr(end);
    while (!rest.empty()) {
      RETURN_IF_ERROR(context_.Charge(1));
      if (rest[0] == '.') {
        const size_t stop = rest.find_first_of(".[", 1);
        const std::string_view part = rest.substr(1, stop - 1);
        ASSIGN_OR_RETURN(value, GetAttribute(context_, value, part, FindMethods(part)));
        rest = stop == std::string_view::npos ? "" : rest.substr(stop);
      } else {
        const size_t close = rest.find(']');
        if (close == std::string_view::npos) return ValueError({"Missing ']' in format string"});
        const std::string_view part = rest.substr(1, close - 1);
        size_t at = 0;
        ASSIGN_OR_RETURN(const int index, ReadNumber(part, at));
        const bool integer = at > 0 && at == part.size();
        ASSIGN_OR_RETURN(
            value, GetItem(context_, value, integer ? Value::Int(index) : Value::String(part)));
        rest = rest.substr(close + 1);
      }
    }
    return value;
  }

  absl::StatusOr<Value> Argument(std::string_view name) {
    size_t at = 0;
    ASSIGN_OR_RETURN(const int index, ReadNumber(name, at));
    if (at == 0 || at != name.size()) {
      RETURN_IF_ERROR(ChargeKeywords(name));
      for (const KeywordArgument& keyword : arguments_.keyword) {
        if (keyword.name == name) return keyword.value;
      }
      const Value* found = mapping_ == nullptr ? nullptr : mapping_->Find(name);
      if (found != nullptr) return *found;
      return PythonError("KeyError", {"'", name, "'"});
    }
    if (static_cast<size_t>(index) < arguments_.positional.size()) {
      return arguments_.positional[static_cast<size_t>(index)];
    }
    return PythonError("IndexError", {"Replacement index ", std::to_string(index),
                                      " out of range for positional args tuple"});
  }

  // Takes what comparing `name` with each keyword costs at worst.
  absl::Status ChargeKeywords(std::string_view name) {
    const size_t each = 1 + (name.size() >> 6);
    return context_.Charge(1 + static_cast<int64_t>((arguments_.keyword.size() >> 3) * each));
  }

  RenderContext& context_;
  const Arguments& arguments_;
  const Dict* const mapping_;
  const bool escapes_;
  int automatic_ = 0;      // fields without a number so far
  bool numbered_ = false;  // there was a field with one
};

}  // namespace

absl::StatusOr<Value> FormatPercent(RenderContext& context, const Value& format,
                                    const Value& values) {
  ASSIGN_OR_RETURN(const Value text, PercentFormatter(context, format, values).Run());
  return format.markup() ? Value::Markup(text.text()) : text;
}

absl::StatusOr<Value> FormatBraces(RenderContext& context, const Value& format,
                                   const Arguments& arguments, const Dict* mapping) {
  BraceFormatter formatter(context, arguments, mapping, format.markup());
  ASSIGN_OR_RETURN(const std::string text, formatter.Run(format.text(), 0));
  return NewText(context, text);
}

}  // namespace baton::frontend::internal
