// Limits, errors and the interface of ChatTemplate; what templates print is in the golden test.
#include "frontend/chat/chat_template.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "common/concurrency/owned_thread.h"
namespace baton::frontend {
namespace {

using nlohmann::ordered_json;

absl::StatusOr<std::string> RenderText(const std::string& source, const RenderLimits& limits = {},
                                       const ordered_json& kwargs = ordered_json::object()) {
  absl::StatusOr<ChatTemplate> compiled = ChatTemplate::Compile(source);
  if (!compiled.ok()) return compiled.status();
  const ordered_json messages = ordered_json::array();
  ChatTemplateInput input;
  input.messages = &messages;
  input.kwargs = &kwargs;
  return compiled->Render(input, limits);
}

std::string ErrorOf(const std::string& source, const RenderLimits& limits = {}) {
  const absl::StatusOr<std::string> text = RenderText(source, limits);
  return text.ok() ? "rendered: " + text->substr(0, 80) : std::string(text.status().message());
}

TEST(ChatTemplateTest, ErrorsNameTheLineAndPythonsClass) {
  EXPECT_EQ(ErrorOf("a\n{{ x.y }}"), "chat template: line 2: UndefinedError: 'x' is undefined");
  EXPECT_EQ(ErrorOf("{% set d = {'a': 1} %}\n\n{{ d.b.c }}"),
            "chat template: line 3: UndefinedError: 'dict object' has no attribute 'b'");
  EXPECT_EQ(ErrorOf("{{ 'a' + 1 }}"),
            "chat template: line 1: TypeError: can only concatenate str (not \"int\") to str");
  EXPECT_EQ(ErrorOf("{% if true %}\n\n{{ 1 }"), "chat template: line 3: unexpected '}'");
  EXPECT_EQ(ErrorOf("{% for x in y %}"),
            "chat template: line 1: Unexpected end of template. Jinja was looking for the "
            "following tags: 'endfor' or 'else'.");
  EXPECT_EQ(ErrorOf("{{ [].append(1) }}"),
            "chat template: line 1: SecurityError: access to attribute 'append' of 'list' object "
            "is unsafe.");
  EXPECT_EQ(ErrorOf("{% include 'x' %}"),
            "chat template: line 1: the tag 'include' is not available in chat templates");
}

TEST(ChatTemplateTest, RaiseExceptionSpeaksForItself) {
  EXPECT_EQ(ErrorOf("{{ raise_exception('roles must alternate') }}"), "roles must alternate");
}

TEST(ChatTemplateTest, ChanceAndBytesAreRefusedWithTheReason) {
  EXPECT_EQ(ErrorOf("{{ [1, 2] | random }}"),
            "chat template: line 1: NotImplementedError: the filter random: the prompt of a "
            "request may not depend on chance");
  EXPECT_EQ(ErrorOf("{{ lipsum() }}"),
            "chat template: line 1: NotImplementedError: lipsum() makes random text: the prompt of "
            "a request may not depend on chance");
  EXPECT_EQ(ErrorOf("{{ 'a'.encode() }}"),
            "chat template: line 1: NotImplementedError: str.encode() makes bytes, which chat "
            "templates do not have here");
}

TEST(ChatTemplateTest, StepsAreBounded) {
  RenderLimits limits;
  limits.steps_max = 10'000;
  EXPECT_EQ(ErrorOf("{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
                    limits),
            "chat template: line 1: limit exceeded: the template takes more than 10000 steps");
}

TEST(ChatTemplateTest, OutputIsBounded) {
  RenderLimits limits;
  limits.output_bytes_max = 1000;
  EXPECT_EQ(ErrorOf("{% for a in range(1000) %}abcdef{% endfor %}", limits),
            "chat template: line 1: limit exceeded: the template writes more than 1000 bytes");
}

TEST(ChatTemplateTest, RangesAreBounded) {
  RenderLimits limits;
  limits.range_items_max = 100;
  EXPECT_EQ(ErrorOf("{{ range(100) | length }}", limits), "rendered: 100");
  for (const char* source :
       {"{{ range(101) | length }}", "{% for i in range(5, 300, 2) %}{% endfor %}",
        "{% for i in range(0, -101, -1) %}{% endfor %}", "{{ range(0, 10 ** 18, 1) | length }}"}) {
    EXPECT_NE(ErrorOf(source, limits).find("OverflowError"), std::string::npos)
        << source << ": " << ErrorOf(source, limits);
  }
}

TEST(ChatTemplateTest, MemoryIsBounded) {
  RenderLimits limits;
  limits.arena_bytes_max = 1 << 20;
  const std::string message =
      "chat template: line 1: limit exceeded: the template makes more than 1048576 bytes of values";
  for (const char* source :
       {"{{ 'a' * 10 ** 12 }}", "{{ [0] * 10 ** 12 }}", "{{ 'x'.center(10 ** 12) }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}"
        "{% endfor %}",
        "{{ ('a' * 1000).replace('a', 'b' * 10000) }}", "{{ range(100000) | list | length }}",
        "{{ range(90000) | join('abcdefghijklmnop') }}", "{{ '\t'.expandtabs(10 ** 9) }}",
        "{{ 'aaaa'.translate({97: 'b' * 500000}) }}", "{{ ('a b ' * 50000) | wordwrap(2) }}",
        "{{ ('a ' * 5000) | wordwrap(1, wrapstring='b' * 5000) }}",
        "{{ ('ab.com ' * 100) | urlize(target='x' * 100000) }}",
        "{{ ''.ljust(4611686018427387905, '\u00e9') }}", "{{ ('\"' * 300000) | e }}",
        "{{ ('\\n' * 9000) | wordwrap(9, true, 'x' * 1000) }}", "{{ ('\\n' * 90000) | indent }}",
        "{{ ('\\n' * 90000) | pprint }}", "{{ {'k' * 100000: ['long ' * 8] * 20} | pprint }}"}) {
    EXPECT_EQ(ErrorOf(source, limits), message) << source;
  }
}

TEST(ChatTemplateTest, SizesThatOverflowAreBounded) {
  for (const char* source : {"{% set s = 'a' * 2 ** 24 %}{{ s * 2 ** 40 }}",
                             "{% set s = [1] * 2 ** 20 %}{{ s * 2 ** 40 }}"}) {
    EXPECT_NE(ErrorOf(source).find("bytes of values"), std::string::npos) << source;
  }
}

TEST(ChatTemplateTest, EveryStepMayBeTheLast) {
  const std::string source =
      "{{ {1: 0, 2: 0, 3: 0, 4.5: 0, 'a': 0, 6: 0, 7: 0, 9.5: 0, 'b': 0, 12: 0, none: 0, 14.5: 0,"
      " 3.5: 0, 'c': 0, 0.5: 0, 8: 0, 10: 0, 11: 0} | pprint }}";
  RenderLimits limits;
  for (limits.steps_max = 1; !RenderText(source, limits).ok(); ++limits.steps_max) {
    ASSERT_LT(limits.steps_max, 10'000) << ErrorOf(source, limits);
  }
}

TEST(ChatTemplateTest, WrapsALongRunOfBlanksThatDoNotBreak) {
  EXPECT_EQ(*RenderText("{{ ('a ' ~ '\u00a0' * 50000 ~ 'x') | wordwrap(1) }}"), "a\nx");
}

TEST(ChatTemplateTest, NestingIsBounded) {
  EXPECT_EQ(ErrorOf("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
            "chat template: line 1: RecursionError: maximum recursion depth exceeded");
  const auto repeat = [](const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  for (const std::string& source :
       {"{{ " + repeat("(", 10'000), "{{ " + repeat("[", 10'000), "{{ " + repeat("not ", 10'000),
        "{{ " + repeat("-", 10'000) + "1 }}", "{{ 1" + repeat(" + 1", 10'000) + " }}",
        "{{ x" + repeat(".y", 10'000) + " }}", repeat("{% if true %}", 10'000),
        "{{ 1" + repeat("|abs", 10'000) + " }}", "{{ 1" + repeat(" if 1 else 1", 10'000) + " }}"}) {
    const std::string error = ErrorOf(source);
    EXPECT_TRUE(error.find("nested too deeply") != std::string::npos) << error;
  }
  // Values that a template nests without end are cut where they are printed or compared.
  EXPECT_EQ(ErrorOf("{% set ns = namespace(x=[]) %}{% for i in range(50000) %}"
                    "{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x == [ns.x] }}"),
            "rendered: False");
  EXPECT_EQ(ErrorOf("{% set ns = namespace(x=[]) %}{% for i in range(50000) %}"
                    "{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}"),
            "chat template: line 1: ValueError: JSON nested deeper than 200 levels");
}

// What an operation costs is taken from the steps: nothing that a template can say is much slower
// than its steps are.
TEST(ChatTemplateTest, WorkInsideOneOperationIsBounded) {
  RenderLimits limits;
  limits.steps_max = 200'000;
  const std::string wide =
      "{% set ns = namespace(x=[1], y=[1], t=(1,)) %}{% for i in range(60) %}"
      "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% set ns.t = (ns.t, ns.t) %}"
      "{% endfor %}";
  const std::string long_text = "{% set a = 'ab ' * 100000 %}{% set b = 'ab ' * 100000 %}";
  const std::string again = "{% for i in range(100000) %}";
  for (const std::string& source :
       {wide + "{{ ns.x == ns.y }}",
        wide + "{{ ns.x < ns.y }}",
        wide + "{{ ns.x }}",
        wide + "{{ ns.x is lower }}",
        wide + "{{ {ns.t: 1} | length }}",
        wide + "{{ ns.x | tojson }}",
        wide + "{{ [ns.t, ns.t] | unique | list }}",
        wide + "{{ '%r' % [ns.x] }}",
        wide + "{{ ns.x | pprint }}",
        long_text + again + "{% set c = a | striptags %}{% endfor %}",
        long_text + again + "{% set c = a | wordwrap %}{% endfor %}",
        long_text + again + "{% set c = a | urlize %}{% endfor %}",
        long_text + again + "{% set c = a | pprint %}{% endfor %}",
        long_text + again + "{% set c = a.translate({}) %}{% endfor %}",
        long_text + again + "{% set c = (a | safe).upper() %}{% endfor %}",
        long_text + again + "{% if a == b %}{% endif %}{% endfor %}",
        long_text + again + "{% set c = a.isalpha() or a.istitle() %}{% endfor %}",
        long_text + again + "{% set c = a.strip('ba ') %}{% endfor %}",
        long_text + again + "{% set c = a[-1] %}{% endfor %}",
        long_text + again + "{% set c = a | float %}{% endfor %}",
        long_text + again + "{% set c = a.rfind(b ~ 'c') %}{% endfor %}"}) {
    EXPECT_NE(ErrorOf(source, limits).find("limit exceeded"), std::string::npos)
        << source << ": " << ErrorOf(source, limits);
  }
}

// So do the methods of text, before they begin.
TEST(ChatTemplateTest, MethodsOfTextTakeSteps) {
  RenderLimits limits;
  limits.steps_max = 1000;
  const ordered_json scanned = {{"t", std::string(300'000, 'a')}};
  for (const char* method :
       {"isascii()", "startswith(t)", "endswith(('b', t))", "removeprefix(t)", "removesuffix(t)",
        "center(1)", "zfill(1)", "format()", "format_map({})"}) {
    const std::string source = "{% set x = t." + std::string(method) + " %}";
    EXPECT_NE(RenderText(source, limits, scanned).status().message().find("more than 1000 steps"),
              std::string_view::npos)
        << source;
  }
  std::string words;
  for (int i = 0; i < 2000; ++i) words += "a ";
  const ordered_json split = {
      {"words", words}, {"t", std::string(2000, 'a')}, {"lines", std::string(2000, '\n')}};
  for (const char* source : {"{{ t.split('a') | length }}", "{{ t.rsplit('a') | length }}",
                             "{{ words.split() | length }}", "{{ lines.splitlines() | length }}",
                             "{{ words.rsplit(None, 1) | length }}"}) {
    EXPECT_NE(RenderText(source, limits, split).status().message().find("more than 1000 steps"),
              std::string_view::npos)
        << source;
  }
  EXPECT_EQ(RenderText("{{ t.split('a', 3) | length }}", limits, split).value_or("limit"), "4");
  EXPECT_EQ(RenderText("{{ t.startswith('aa') }}", limits, scanned).value_or("limit"), "True");
}

TEST(ChatTemplateTest, PiecesOfTextAreBoundedInMemory) {
  RenderLimits limits;
  limits.arena_bytes_max = 64 * 1024;
  const ordered_json input = {{"t", std::string(10'000, '\n')}};
  for (const char* source : {"{{ t.split('\n') | length }}", "{{ t.rsplit('\n') | length }}",
                             "{{ t.splitlines() | length }}"}) {
    EXPECT_NE(RenderText(source, limits, input).status().message().find("65536 bytes of values"),
              std::string_view::npos)
        << source;
  }
}

TEST(ChatTemplateTest, SplittingFromTheRightKeepsTheRest) {
  EXPECT_EQ(ErrorOf("{{ ' a b  c d '.rsplit(None, 2) }}"), "rendered: [' a b', 'c', 'd']");
  EXPECT_EQ(ErrorOf("{{ ' a b '.rsplit(None, 0) }}"), "rendered: [' a b']");
  EXPECT_EQ(ErrorOf("{{ ' a b '.rsplit(None, 5) }}"), "rendered: ['a', 'b']");
  EXPECT_EQ(ErrorOf("{{ 'a,b,c'.rsplit(',', 1) }}"), "rendered: ['a,b', 'c']");
}

TEST(ChatTemplateTest, FieldsOfFormatsTakeSteps) {
  RenderLimits limits;
  limits.steps_max = 1000;
  ordered_json many = ordered_json::object();
  for (int i = 0; i < 2000; ++i) many["k" + std::to_string(i)] = i;
  const ordered_json input = {{"many", many}, {"long", std::string(300'000, 'a')}};
  for (const char* source :
       {"{% set x = ('{a:.0}' * 600).format(a='b') %}", "{{ ('{{' * 1000).format() }}",
        "{{ ('%%' * 1000) % () }}", "{% set x = ('%(a)d' * 600) % {'a': 1} %}",
        "{{ ('{:9999}' * 2).format(1, 2) }}", "{{ ('%9999d' * 2) % (1, 2) }}",
        "{{ '{:.1}'.format(long) }}", "{{ '%.1s' % long }}", "{{ long % () }}"}) {
    EXPECT_NE(RenderText(source, limits, input).status().message().find("more than 1000 steps"),
              std::string_view::npos)
        << source;
  }
  // Keywords are searched one by one, a mapping is not.
  limits.steps_max = 20'000;
  EXPECT_NE(RenderText("{{ ('{k1999}' * 200).format(**many) | length }}", limits, input)
                .status()
                .message()
                .find("more than 20000 steps"),
            std::string_view::npos);
  EXPECT_EQ(RenderText("{{ ('{k1999}' * 200).format_map(many) | length }}", limits, input)
                .value_or("limit"),
            "800");
  EXPECT_EQ(ErrorOf("{{ '{b}'.format_map({'a': 1}) }}"), "chat template: line 1: KeyError: 'b'");
}

TEST(ChatTemplateTest, TranslatingMakesNoSurrogates) {
  for (const char* code : {"55296", "57343"}) {
    EXPECT_EQ(ErrorOf("{{ 'a'.translate({97: " + std::string(code) + "}) }}"),
              "rendered: \xEF\xBF\xBD");
  }
  EXPECT_EQ(ErrorOf("{{ 'a'.translate({97: 57344}) }}"), "rendered: \xEE\x80\x80");
}

TEST(ChatTemplateTest, MarkedTextEscapesWhatItJoins) {
  EXPECT_EQ(ErrorOf("{{ ('a' | safe).join('<>') }}"), "rendered: &lt;a&gt;");
  EXPECT_EQ(ErrorOf("{{ ('a' | safe).join(['<', '>' | safe]) }}"), "rendered: &lt;a>");
  EXPECT_EQ(ErrorOf("{{ ('a' | safe).replace('a', '<>') }}"), "rendered: &lt;&gt;");
}

TEST(ChatTemplateTest, GeneratorsOverGeneratorsAreBounded) {
  for (const char* filter : {"map('string')", "select", "reject('none')", "map(attribute='a')"}) {
    const std::string source =
        "{% set ns = namespace(x=[1]) %}{% for i in range(50000) %}{% set ns.x = ns.x | " +
        std::string(filter) + " %}{% endfor %}{{ ns.x | list }}";
    EXPECT_NE(ErrorOf(source).find("RecursionError"), std::string::npos) << ErrorOf(source);
  }
}

// Replacing and indenting take steps by what they write, not by what they have written so far.
TEST(ChatTemplateTest, LongTextsWithManyLinesAreNoLimit) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "a line of some forty bytes, as they are.\n";
  const ordered_json input = {{"text", text}};
  EXPECT_TRUE(RenderText("{{ text | replace('\\n', ' ') }}", {}, input).ok());
  EXPECT_TRUE(RenderText("{{ text.replace('a', 'bc') | indent(2) | trim }}", {}, input).ok());
}

TEST(ChatTemplateTest, CollectingTextInOneVariableStaysLinear) {
  RenderLimits limits;
  limits.arena_bytes_max = 4 << 20;
  const absl::StatusOr<std::string> text = RenderText(
      "{% set ns = namespace(s='') %}{% for i in range(20000) %}{% set ns.s = ns.s ~ 'abcdefgh' %}"
      "{% endfor %}{{ ns.s | length }}",
      limits);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "160000");
}

TEST(ChatTemplateTest, SaysWhichVariablesItReads) {
  const absl::StatusOr<ChatTemplate> compiled =
      ChatTemplate::Compile("{% if enable_thinking %}{{ messages[0].content }}{% endif %}");
  ASSERT_TRUE(compiled.ok());
  EXPECT_TRUE(compiled->Reads("enable_thinking"));
  EXPECT_FALSE(compiled->Reads("reasoning_effort"));
}

TEST(ChatTemplateTest, ContinuesTheFinalMessage) {
  const absl::StatusOr<ChatTemplate> compiled = ChatTemplate::Compile(
      "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>{% endfor %}");
  ASSERT_TRUE(compiled.ok());
  const ordered_json messages = ordered_json::parse(R"([{"role": "user", "content": "q"},
                              {"role": "assistant", "content": "It is  "}])");
  ChatTemplateInput input;
  input.messages = &messages;
  input.continue_final_message = true;
  absl::StatusOr<std::string> text = compiled->Render(input, RenderLimits());
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "<user>q</><assistant>It is");
  input.add_generation_prompt = true;
  EXPECT_FALSE(compiled->Render(input, RenderLimits()).ok());
}

TEST(ChatTemplateTest, ContinuationNeedsTheMessageInThePrompt) {
  const absl::StatusOr<ChatTemplate> compiled = ChatTemplate::Compile("{{ messages[0].content }}");
  ASSERT_TRUE(compiled.ok());
  ChatTemplateInput input;
  input.continue_final_message = true;
  for (const char* messages :
       {R"([])", R"([{"role": "user"}])", R"([{"content": null}])",
        R"([{"content": "a"}, {"content": "b"}])", R"([{"content": [{"type": "image"}]}])"}) {
    const ordered_json parsed = ordered_json::parse(messages);
    input.messages = &parsed;
    EXPECT_FALSE(compiled->Render(input, RenderLimits()).ok()) << messages;
  }
}

TEST(ChatTemplateTest, DeepInputIsRefused) {
  ordered_json deep = ordered_json::array();
  for (int i = 0; i < 300; ++i) deep = ordered_json::array({std::move(deep)});
  const ordered_json kwargs = {{"deep", std::move(deep)}};
  EXPECT_EQ(RenderText("{{ deep }}", {}, kwargs).status().message(),
            "chat template: ValueError: input nested deeper than 200 levels");
  EXPECT_TRUE(RenderText("{{ other }}", {}, kwargs).ok());  // what is not read costs nothing
}

TEST(ChatTemplateTest, ManyThreadsRenderOneTemplate) {
  const absl::StatusOr<ChatTemplate> compiled = ChatTemplate::Compile(
      "{% for m in messages %}{{ loop.index }}{{ m.content | upper }}{% endfor %}");
  ASSERT_TRUE(compiled.ok());
  const ordered_json messages = ordered_json::parse(R"([{"content": "a"}, {"content": "b"}])");
  std::vector<std::unique_ptr<OwnedThread>> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(std::make_unique<OwnedThread>("render", [&](std::stop_token) {
      ChatTemplateInput input;
      input.messages = &messages;
      for (int i = 0; i < 200; ++i) EXPECT_EQ(*compiled->Render(input, RenderLimits()), "1A2B");
    }));
  }
  for (const auto& thread : threads) thread->Join();
}

}  // namespace
}  // namespace baton::frontend
