#include "frontend/generation/chat_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/status.h"
#include "frontend/request/request_parser.h"
#include "tests/fakes/byte_model.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;

GenerationRequest Parse(const std::string& body) {
  auto parsed = ParseGenerationBody(body, GenerationEndpoint::kChat, ExtraFields::kIgnore);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? std::move(parsed->request) : GenerationRequest();
}

GenerationRequest Hello(const std::string& more = "") {
  return Parse(R"({"messages":[{"role":"user","content":"Hi"}])" + more + "}");
}

// A model with the given files in its card, besides those of the byte model.
std::shared_ptr<const ModelContext> ModelWith(std::map<std::string, std::string> files,
                                              const ModelOverrides& overrides = {}) {
  ModelCard card = ByteModelCard();
  for (auto& [name, text] : files) card.files[name] = text;
  return *LoadModelContext(card, ByteModelEntry(), overrides, 0);
}

std::string Render(const GenerationRequest& request, const ModelContext& model,
                   const ChatPromptOptions& options = {}) {
  const auto prompt = RenderChatPrompt(request, model, options, WallTime());
  return prompt.ok() ? prompt->text : std::string(prompt.status().message());
}

TEST(ChatPromptTest, ARequestNamesATemplateOfTheModelOrBringsOneThatIsTrusted) {
  const auto model = ModelWith({{"additional_chat_templates/rag.jinja", "rag {{ documents[0].t }}"},
                                {"chat_template.jinja", "plain"}});
  EXPECT_EQ(Render(Hello(), *model), "plain");
  EXPECT_EQ(Render(Hello(R"(,"chat_template":"default")"), *model), "plain");
  EXPECT_EQ(Render(Hello(R"(,"chat_template":"rag","documents":[{"t":"doc"}])"), *model),
            "rag doc");
  const std::string own = R"(,"chat_template":"{{ messages[0].content }}!")";
  EXPECT_THAT(Render(Hello(own), *model), HasSubstr("--trust-request-chat-template is not set"));
  EXPECT_EQ(Render(Hello(own), *model, {.trust_request_template = true}), "Hi!");
  const std::string hidden = R"(,"chat_template_kwargs":{"chat_template":"x"})";
  EXPECT_THAT(Render(Hello(hidden), *model), HasSubstr("--trust-request-chat-template is not set"));
  EXPECT_EQ(Render(Hello(hidden), *model, {.trust_request_template = true}), "x");
  EXPECT_THAT(Render(Hello(R"(,"chat_template_kwargs":{"chat_template":5})"), *model),
              HasSubstr("--trust-request-chat-template is not set"));
}

TEST(ChatPromptTest, ATemplateOfARequestIsHeldShort) {
  const auto model = MakeByteModel();
  const ChatPromptOptions trusted{.trust_request_template = true};
  const char* const greedy[] = {
      "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
      "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
      "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% "
      "endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{{ range(9999999) }}",
  };
  for (const char* source : greedy) {
    GenerationRequest request = Hello();
    request.chat.chat_template = source;
    const auto prompt = RenderChatPrompt(request, *model, trusted, WallTime());
    EXPECT_TRUE(absl::IsInvalidArgument(prompt.status())) << source << prompt.status();
  }
}

TEST(ChatPromptTest, OfSeveralTemplatesWithoutADefaultOneMustBeNamed) {
  const auto model =
      ModelWith({{"chat_template.jinja", ""}, {"additional_chat_templates/rag.jinja", "rag"}});
  const auto prompt = RenderChatPrompt(Hello(), *model, {}, WallTime());
  EXPECT_EQ(Field(prompt.status()), "chat_template");
  EXPECT_THAT(std::string(prompt.status().message()), HasSubstr("rag"));
  EXPECT_EQ(Render(Hello(R"(,"chat_template":"rag")"), *model), "rag");
}

TEST(ChatPromptTest, VariablesOfTheOperatorAreReplacedByThoseOfTheRequest) {
  const char* const source = "{{ a }}{{ b }}{{ reasoning_effort }}{{ enable_thinking }}";
  ModelOverrides overrides;
  overrides.default_template_kwargs_json = R"({"a":1,"b":2,"enable_thinking":true})";
  const auto model = ModelWith({{"chat_template.jinja", source}}, overrides);
  EXPECT_EQ(Render(Hello(), *model), "12True");
  EXPECT_EQ(Render(Hello(R"(,"chat_template_kwargs":{"b":3,"unused":4})"), *model), "13True");
  EXPECT_EQ(Render(Hello(R"(,"reasoning_effort":"none")"), *model), "12noneFalse");
}

TEST(ChatPromptTest, TheOperatorMayFixTheContentFormat) {
  const char* const source = "{{ messages[0].content }}";
  ModelOverrides overrides;
  EXPECT_EQ(Render(Hello(), *ModelWith({{"chat_template.jinja", source}}, overrides)), "Hi");
  overrides.content_format = ContentFormat::kParts;
  EXPECT_EQ(Render(Hello(), *ModelWith({{"chat_template.jinja", source}}, overrides)),
            "[{'type': 'text', 'text': 'Hi'}]");
}

TEST(ChatPromptTest, ADeveloperIsTheSystemForTemplatesThatDoNotKnowDevelopers) {
  const GenerationRequest request = Parse(
      R"({"messages":[{"role":"developer","content":"Short."},{"role":"user","content":"Hi"}]})");
  const char* const unaware = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}";
  EXPECT_EQ(Render(request, *ModelWith({{"chat_template.jinja", unaware}})),
            "system:Short.;user:Hi;");
  const std::string aware =
      std::string("{% if messages[0].role == 'developer' %}D {% endif %}") + unaware;
  EXPECT_EQ(Render(request, *ModelWith({{"chat_template.jinja", aware}})),
            "D developer:Short.;user:Hi;");
}

TEST(ChatPromptTest, DevelopersAndSystemsAreOneSystemMessageInFront) {
  const char* const unaware = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}";
  const auto model = ModelWith({{"chat_template.jinja", unaware}});
  const auto of = [&](const std::string& messages) {
    return Render(Parse(R"({"messages":[)" + messages + "]}"), *model);
  };
  const std::string system = R"({"role":"system","content":"A"},)";
  const std::string user = R"({"role":"user","content":"Hi"})";
  EXPECT_EQ(of(system + R"({"role":"developer","content":"B"},)" + user), "system:A\n\nB;user:Hi;");
  EXPECT_EQ(of(user + R"(,{"role":"developer","content":"B"})"), "system:B;user:Hi;");
  EXPECT_EQ(of(system + system + user), "system:A;system:A;user:Hi;") << "no developer, no change";
  const char* const parts = R"({"role":"developer","content":[{"type":"text","text":"B"},
                                {"type":"text","text":"C"}]},)";
  ModelOverrides overrides;
  overrides.content_format = ContentFormat::kParts;
  EXPECT_EQ(Render(Parse(R"({"messages":[)" + system + parts + R"({"role":"user","content":""}]})"),
                   *ModelWith({{"chat_template.jinja", "{{ messages[0].content }}"}}, overrides)),
            "A\n\nB\nC");
}

TEST(ChatPromptTest, SpecialTokensOfUsersMayStayText) {
  const auto model = MakeByteModel();
  const GenerationRequest request = Parse(
      R"({"messages":[{"role":"system","content":"a<|extra|>"},
                      {"role":"user","content":"b<|extra|>c"}]})");
  for (const bool plain : {false, true}) {
    const ChatPromptOptions options{.plain_user_special_tokens = plain};
    const auto prompt = RenderChatPrompt(request, *model, options, WallTime());
    ASSERT_TRUE(prompt.ok()) << prompt.status();
    EXPECT_EQ(
        prompt->text,
        "<|start|>system:a<|extra|><|end|><|start|>user:b<|extra|>c<|end|><|start|>assistant:");
    const auto ids = EncodeChatPrompt(*prompt, request, *model);
    ASSERT_TRUE(ids.ok());
    EXPECT_EQ(std::ranges::count(*ids, kByteExtra), plain ? 1 : 2);
    EXPECT_EQ(std::ranges::count(*ids, kByteStart), 3);
    EXPECT_EQ(model->tokenizer->Decode(*ids, SpecialTokens::kKeep), prompt->text);
  }
}

}  // namespace
}  // namespace baton::frontend
