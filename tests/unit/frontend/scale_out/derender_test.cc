// Tokens turned back into OpenAI objects: the same as the direct answer, in whole and chunk by
// chunk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "frontend/generation/generation_start.h"
#include "frontend/json/openai_error.h"
#include "frontend/scale_out/derender_answer.h"
#include "frontend/scale_out/derender_state.h"
#include "tests/fakes/api_fixture.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

// Writes calls as Hermes does and thinks as Qwen 3 does.
constexpr std::string_view kThinkingTemplate =
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|start|>{{ m.role }}:"
    "{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function.name }}</tool_call>"
    "{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}<|start|>assistant:"
    "{% if enable_thinking %}<think>\n{% endif %}{% endif %}";

constexpr const char* kThought =
    "Let me see: \xE2\x82\xAC.\n</think>\n\nHere:\n<tool_call>\n"
    "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";

ModelCard CardOf(bool thinks) {
  ModelCard card = ByteModelCard();
  if (thinks) card.files["chat_template.jinja"] = std::string(kThinkingTemplate);
  return card;
}

class DerenderTest : public ApiFixture {
 protected:
  explicit DerenderTest(bool thinks = false)
      : ApiFixture({.card = CardOf(thinks), .context_length = 2048, .in_flight_max = 100}) {}

  Json Derender(const Json& body, GenerationEndpoint endpoint = GenerationEndpoint::kChat) {
    HttpRequest http;
    http.request_id = "rid";
    http.body = body.dump();
    http.body.reserve(http.body.size() + 64);
    const absl::StatusOr<std::string> answer = DerenderAnswer(context_, http, endpoint);
    return Json::parse(answer.ok() ? *answer : ErrorBody(ToApiError(answer.status())));
  }

  std::string ErrorOf(const Json& body, GenerationEndpoint endpoint = GenerationEndpoint::kChat) {
    const Json answer = Derender(body, endpoint);
    return answer.contains("error") ? answer["error"]["message"].get<std::string>() : "";
  }

  static Json Reply(const Json& ids, const std::string& finish = "stop") {
    return {{"request_id", "chatcmpl-rid"},
            {"choices", {{{"index", 0}, {"token_ids", ids}, {"finish_reason", finish}}}}};
  }

  // What the endpoint itself answers when a worker draws these tokens.
  Json Direct(const Json& request, const std::vector<TokenId>& ids, v1::FinishReason reason,
              GenerationEndpoint endpoint = GenerationEndpoint::kChat) {
    auto sink = std::make_shared<RecordingSink>();
    HttpRequest http;
    http.headers = {{"Content-Type", "application/json"}};
    http.request_id = "rid";
    http.body = request.dump();
    const size_t call = fleet_.calls.size();
    StartGeneration(context_, endpoint, std::move(http), sink);
    AwaitChecks();
    fleet_.Place(call, "w");
    for (size_t i = 0; i < ids.size(); ++i) {
      v1::Tokens tokens;
      tokens.add_ids(ids[i]);
      if (request.contains("logprobs")) *tokens.mutable_logprobs() = Scores(ids[i]);
      const bool is_last = i + 1 == ids.size();
      v1::Finished end = ScriptedWorkers::End(0, reason);
      if (ids[i] == kByteEos) end.set_stop_token(kByteEos);
      fleet_.calls.at(call).listener->OnTokens(std::move(tokens),
                                               is_last ? std::optional(end) : std::nullopt);
    }
    return Json::parse(sink->response.body);
  }
  static v1::TokenLogprobs Scores(TokenId id) {
    v1::TokenLogprobs scores;
    scores.add_sampled(-0.5f);
    scores.add_rank(1);
    scores.set_top_count(2);
    for (const TokenId top : {id, TokenId{'z'}}) scores.add_top_ids(top);
    for (const float top : {-0.5f, -2.0f}) scores.add_top(top);
    return scores;
  }
  static Json WireScores(const std::vector<TokenId>& ids) {
    Json content = Json::array();
    for (const TokenId id : ids) {
      content.push_back({{"token_id", id},
                         {"logprob", -0.5},
                         {"rank", 1},
                         {"top_logprobs",
                          {{{"token_id", id}, {"logprob", -0.5}, {"rank", 1}},
                           {{"token_id", 'z'}, {"logprob", -2.0}, {"rank", 2}}}}});
    }
    return {{"content", content}};
  }

  // A stream of these tokens, so many in a chunk; what its chunks say together.
  struct Told {
    std::string content, reasoning, arguments, finish;
    std::string tokens;  // of log-probabilities
    int roles = 0;
    Json offsets = Json::array();
  };
  Told Stream(Json body, const std::vector<TokenId>& ids, size_t size, GenerationEndpoint endpoint,
              bool scored = false) {
    Told told;
    body["stream"] = true;
    body["stream_state"] = nullptr;
    for (size_t i = 0; i < ids.size(); i += size) {
      const std::vector<TokenId> part(
          ids.begin() + static_cast<std::ptrdiff_t>(i),
          ids.begin() + static_cast<std::ptrdiff_t>(std::min(i + size, ids.size())));
      Json choice = {{"index", 0}, {"token_ids", part}};
      if (scored) choice["logprobs"] = WireScores(part);
      if (i + size >= ids.size()) choice["finish_reason"] = "stop";
      body["generate_chunk"] = {{"request_id", "r"}, {"choices", {choice}}};
      const Json answer = Derender(body, endpoint);
      EXPECT_TRUE(answer.contains("chunk")) << answer.dump();
      if (!answer.contains("chunk")) return told;
      Add(answer["chunk"]["choices"][0], told);
      body["stream_state"] = answer["stream_state"];
    }
    return told;
  }
  static void Add(const Json& choice, Told& told) {
    const Json delta = choice.value("delta", Json::object());
    told.content += choice.contains("text") ? choice["text"].get<std::string>()
                                            : delta.value("content", std::string());
    told.reasoning += delta.value("reasoning", std::string());
    for (const Json& call : delta.value("tool_calls", Json::array())) {
      told.arguments += call["function"].value("arguments", std::string());
    }
    told.roles += delta.contains("role") ? 1 : 0;
    if (choice["finish_reason"].is_string()) told.finish = choice["finish_reason"];
    if (!choice["logprobs"].is_object()) return;
    for (const Json& entry : choice["logprobs"].value("content", Json::array())) {
      told.tokens += entry["token"].get<std::string>();
    }
    for (const Json& offset : choice["logprobs"].value("text_offset", Json::array())) {
      told.offsets.push_back(offset);
    }
  }
};

class DerenderThinkingTest : public DerenderTest {
 protected:
  DerenderThinkingTest() : DerenderTest(/*thinks=*/true) {}

  static Json Request() {
    return Json::parse(R"({"messages":[{"role":"user","content":"Hi"}],
        "chat_template_kwargs":{"enable_thinking":true},
        "tools":[{"type":"function","function":{"name":"get_weather","parameters":
        {"type":"object","properties":{"city":{"type":"string"}}}}}]})");
  }
};

// Ids of calls are random, times go on.
Json WithoutIds(Json answer) {
  for (Json& choice : answer["choices"]) {
    if (!choice.contains("message") || !choice["message"].contains("tool_calls")) continue;
    for (Json& call : choice["message"]["tool_calls"]) call.erase("id");
  }
  answer.erase("usage");
  return answer;
}

TEST_F(DerenderTest, IsTheDirectAnswer) {
  const std::vector<TokenId> ids = BytesOf("Gr\xC3\xBC\xC3\x9F dich");
  for (const char* fields :
       {R"({})", R"({"logprobs":true,"top_logprobs":2})",
        R"({"logprobs":true,"return_tokens_as_token_ids":true})", R"({"stop":["di"]})",
        R"({"stop":["di"],"include_stop_str_in_output":true})", R"({"return_token_ids":true})"}) {
    Json request = Json::parse(R"({"messages":[{"role":"user","content":"Hi"}]})");
    request.update(Json::parse(fields));
    Json body = {{"chat_request", request}, {"generate_response", Reply(ids, "length")}};
    if (request.contains("logprobs")) {
      body["generate_response"]["choices"][0]["logprobs"] = WireScores(ids);
    }
    Json direct = Direct(request, ids, v1::FINISH_REASON_LENGTH);
    if (request.contains("return_token_ids")) body["prompt_token_ids"] = direct["prompt_token_ids"];
    EXPECT_EQ(WithoutIds(Derender(body)), WithoutIds(direct)) << fields;
  }
}

TEST_F(DerenderTest, ACompletionIsTheDirectAnswer) {
  const std::vector<TokenId> ids = BytesOf("a\xE2\x82\xAC!");
  const Json request = {{"prompt", "x"}, {"logprobs", 2}, {"max_tokens", 9}};
  Json reply = Reply(ids, "length");
  reply["request_id"] = "cmpl-rid";
  reply["choices"][0]["logprobs"] = WireScores(ids);
  const Json body = {{"completion_request", request}, {"generate_responses", {reply}}};
  const auto endpoint = GenerationEndpoint::kCompletion;
  EXPECT_EQ(WithoutIds(Derender(body, endpoint)),
            WithoutIds(Direct(request, ids, v1::FINISH_REASON_LENGTH, endpoint)));
}

TEST_F(DerenderTest, TheTokenThatStoppedIsNoText) {
  std::vector<TokenId> ids = BytesOf("Hi");
  ids.push_back(kByteEos);
  const Json request =
      Json::parse(R"({"messages":[{"role":"user","content":"Hi"}],"skip_special_tokens":false})");
  const Json stopped = Derender({{"chat_request", request}, {"generate_response", Reply(ids)}});
  EXPECT_EQ(stopped["choices"][0]["message"]["content"], "Hi");
  EXPECT_EQ(WithoutIds(stopped), WithoutIds(Direct(request, ids, v1::FINISH_REASON_STOP)));
  const Json cut =
      Derender({{"chat_request", request}, {"generate_response", Reply(ids, "length")}});
  EXPECT_EQ(cut["choices"][0]["message"]["content"], "Hi<|end|>");
}

TEST_F(DerenderTest, UsageIsWhatTheCallerCounts) {
  const Json none =
      Derender({{"generate_response", Reply({72, 105})}, {"prompt_token_ids", {1, 2}}});
  EXPECT_EQ(none["usage"],
            Json::parse(R"({"prompt_tokens":0,"total_tokens":2,"completion_tokens":2})"));
  EXPECT_EQ(none["model"], "byte-model");
  EXPECT_EQ(none["id"], "chatcmpl-rid");
  const Json many = Derender(
      {{"generate_responses", {Reply({72}), Reply({105, 106})}}, {"prompt_tokens", {3, 4}}},
      GenerationEndpoint::kCompletion);
  EXPECT_EQ(many["usage"]["prompt_tokens"], 7);
  EXPECT_EQ(many["usage"]["completion_tokens"], 3);
  EXPECT_EQ(many["choices"][1]["text"], "ij");
  EXPECT_EQ(many["choices"][1]["index"], 1);
}

TEST_F(DerenderTest, ChoicesKeepTheirNumbers) {
  Json reply = Reply({72});
  reply["choices"][0]["index"] = 5;
  EXPECT_EQ(Derender({{"generate_response", reply}})["choices"][0]["index"], 5);
  reply["choices"] = Json::array();
  EXPECT_EQ(Derender({{"generate_response", reply}})["choices"], Json::array());
}

TEST_F(DerenderTest, PromptLogprobsAreShown) {
  Json reply = Reply({72});
  reply["prompt_logprobs"] =
      Json::parse(R"([null,{"66":{"logprob":-3,"rank":7},"67":{"logprob":-1,"rank":1}}])");
  const Json shown = Derender({{"generate_response", reply}})["prompt_logprobs"];
  EXPECT_EQ(shown[1]["66"]["rank"], 7);
  EXPECT_EQ(shown[1]["66"]["decoded_token"], "B");
  EXPECT_EQ(shown[1]["67"]["rank"], 1);
}

TEST_F(DerenderTest, AnyChunkingIsTheSameText) {
  const std::string text = "a\xF0\x9F\x98\x80 \xE2\x82\xAC\xFF x\xC3";
  std::vector<TokenId> ids = BytesOf(text);
  ids.insert(ids.begin() + 3, kByteExtra);  // not shown, in the middle of a character
  const Json whole = Derender({{"generate_response", Reply(ids)}});
  const std::string content = whole["choices"][0]["message"]["content"];
  EXPECT_EQ(content, "a\xF0\x9F\x98\x80 \xE2\x82\xAC\xEF\xBF\xBD x\xEF\xBF\xBD");
  for (size_t size = 1; size <= ids.size(); ++size) {
    const Told chat = Stream({}, ids, size, GenerationEndpoint::kChat);
    EXPECT_EQ(chat.content, content) << size;
    EXPECT_EQ(chat.roles, 1);
    EXPECT_EQ(chat.finish, "stop");
    EXPECT_EQ(Stream({}, ids, size, GenerationEndpoint::kCompletion).content, content) << size;
  }
}

TEST_F(DerenderTest, ScoresGoOnFromChunkToChunk) {
  const std::vector<TokenId> ids = BytesOf(
      "a\xE2\x82\xAC"
      "b");
  for (size_t size = 1; size <= ids.size(); ++size) {
    EXPECT_EQ(Stream({}, ids, size, GenerationEndpoint::kChat, true).tokens,
              "a\xE2\x82\xAC"
              "b");
    EXPECT_EQ(Stream({}, ids, size, GenerationEndpoint::kCompletion, true).offsets,
              Json({0, 1, 1, 1, 2}))
        << size;
  }
}

TEST_F(DerenderTest, AStopStringIsReadAcrossChunks) {
  const std::vector<TokenId> ids = BytesOf("one two three");
  const Json body = {{"completion_request", {{"prompt", "x"}, {"stop", {"two"}}}}};
  for (size_t size = 1; size <= ids.size(); ++size) {
    EXPECT_EQ(Stream(body, ids, size, GenerationEndpoint::kCompletion).content, "one ") << size;
  }
}

TEST_F(DerenderTest, StateIsBoundedAndChecked) {
  const auto chunk = [](const Json& state) -> Json {
    return {{"stream", true},
            {"generate_chunk", {{"choices", {{{"index", 0}, {"token_ids", {72}}}}}}},
            {"stream_state", state}};
  };
  const Json first = Derender(chunk(nullptr));
  EXPECT_EQ(first["stream_state"],
            Json::parse(R"({"prev_tokens":["H"],"prefix_offset":0,"read_offset":1,"role_sent":true,
                "logprob_context_token_ids":[72],"logprob_text_offset":0,"output_token_ids":[],
                "output_chunk_lens":[]})"));
  // Tokens behind read_offset have not been told.
  const Json untold = Derender(chunk({{"prev_tokens", {"A", "B"}}, {"read_offset", 1}}));
  EXPECT_EQ(untold["chunk"]["choices"][0]["delta"]["content"], "BH");
  EXPECT_THAT(ErrorOf(chunk({{"prev_tokens", std::vector<std::string>(1025, "A")}})),
              HasSubstr("prev_tokens length (1025) exceeds maximum (1024)"));
  EXPECT_THAT(ErrorOf(chunk({{"prev_tokens", {"x"}}, {"prefix_offset", 5}, {"read_offset", 7}})),
              HasSubstr("invalid stream_state"));
  EXPECT_THAT(ErrorOf(chunk({{"prev_tokens", {"no token"}}, {"read_offset", 1}})),
              HasSubstr("prev_tokens.0 is no token"));
  EXPECT_THAT(ErrorOf(chunk({{"logprob_context_token_ids", {1, 2, 3, 4, 5}}})),
              HasSubstr("at most 4 items"));
  EXPECT_THAT(ErrorOf(chunk({{"output_token_ids", {1}}})), HasSubstr("output_chunk_lens must sum"));
  EXPECT_THAT(ErrorOf(chunk({{"read_offset", -1}})), HasSubstr("greater than or equal to 0"));
  EXPECT_THAT(ErrorOf(chunk(5)), HasSubstr("valid dictionary"));
}

TEST_F(DerenderTest, AChunkMayHaveNoChoice) {
  const Json answer = Derender({{"stream", true},
                                {"prompt_tokens", 5},
                                {"generate_chunk",
                                 {{"choices", Json::array()},
                                  {"usage", {{"prompt_tokens", 1}, {"completion_tokens", 2}}}}}});
  EXPECT_EQ(answer["chunk"]["choices"], Json::array());
  EXPECT_EQ(answer["chunk"]["usage"]["total_tokens"], 7);
  EXPECT_EQ(answer["stream_state"]["role_sent"], false);
}

TEST_F(DerenderTest, SizesAreBounded) {
  const auto sized = [](const Json& choice) -> Json {
    return {{"generate_response", {{"choices", {choice}}}}};
  };
  const std::vector<TokenId> long_ids(2049, 65);
  EXPECT_EQ(ErrorOf(sized({{"index", 0}, {"token_ids", long_ids}})),
            "token_ids length (2049) in choice 0 exceeds max_model_len (2048).");
  Json wide = WireScores({65});
  for (int i = 0; i < 20; ++i) {
    wide["content"][0]["top_logprobs"].push_back({{"token_id", 66}, {"logprob", -3}});
  }
  EXPECT_EQ(ErrorOf(sized({{"index", 0}, {"token_ids", {65}}, {"logprobs", wide}})),
            "top_logprobs count (22) in choice 0 exceeds max_logprobs (20).");
  EXPECT_THAT(ErrorOf(sized({{"index", 0}, {"token_ids", {65}}, {"logprobs", WireScores({66})}})),
              HasSubstr("not of its token_ids"));
  EXPECT_THAT(ErrorOf(sized({{"index", 3}, {"token_ids", nullptr}})),
              HasSubstr("choice 3 has empty or null token_ids"));
  EXPECT_THAT(ErrorOf({{"generate_response", Reply({65})}, {"prompt_token_ids", long_ids}}),
              HasSubstr("prompt_token_ids length (2049)"));
  EXPECT_EQ(ErrorOf({{"generate_responses", Json::array()}}, GenerationEndpoint::kCompletion),
            "generate_responses must not be empty");
  const Json one = {{"index", 0}, {"token_ids", {65}}};
  EXPECT_THAT(ErrorOf({{"stream", true}, {"generate_chunk", {{"choices", {one, one}}}}}),
              HasSubstr("at most one choice per chunk"));
  EXPECT_THAT(ErrorOf({{"generate_responses", {Reply({65})}}, {"prompt_tokens", {1, 2}}},
                      GenerationEndpoint::kCompletion),
              HasSubstr("prompt_tokens length (2) must equal generate_responses length (1)"));
}

TEST_F(DerenderTest, AnEchoIsNotRepeated) {
  Json reply = Reply({65});
  reply["choices"][0]["logprobs"] = WireScores({65});
  const Json request = {{"prompt", "x"}, {"echo", true}, {"logprobs", 1}};
  const Json answer = Derender({{"completion_request", request}, {"generate_responses", {reply}}},
                               GenerationEndpoint::kCompletion);
  EXPECT_EQ(answer["choices"][0]["text"], "A");
  EXPECT_EQ(answer["choices"][0]["logprobs"]["tokens"], Json::array({"A"}));
}

TEST_F(DerenderTest, WhatIsRepeatedIsBounded) {
  Json wide = Json::object();
  for (int i = 0; i < 30; ++i) wide[std::to_string(i)] = Json::object();
  Json reply = Reply({65});
  reply["prompt_logprobs"] = {nullptr, wide};
  EXPECT_THAT(ErrorOf({{"generate_response", reply}}),
              HasSubstr("prompt_logprobs count (30) in response 'chatcmpl-rid' exceeds "
                        "max_logprobs (21)"));
  reply["prompt_logprobs"] = Json::array({nullptr});
  for (int i = 0; i < 2000; ++i) reply["prompt_logprobs"].push_back({{"1", Json::object()}});
  const Json choice = reply["choices"][0];
  for (uint32_t i = 1; i < 3000; ++i) reply["choices"].push_back(choice);
  for (size_t i = 0; i < reply["choices"].size(); ++i) reply["choices"][i]["index"] = i;
  EXPECT_THAT(ErrorOf({{"generate_responses", {reply}}}, GenerationEndpoint::kCompletion),
              HasSubstr("tokens of the prompts in all choices (12000000)"));
}

TEST_F(DerenderTest, WhatIsMissingOrUnreadableIsNamed) {
  const std::pair<Json, const char*> cases[] = {
      {Json::object(), "body.generate_response"},
      {{{"stream", true}}, "body.generate_chunk"},
      {{{"generate_response", Json::object()}}, "body.generate_response.choices"},
      {{{"generate_response", {{"choices", {{{"token_ids", {1}}}}}}}},
       "body.generate_response.choices.0.index"},
      {{{"generate_response", Reply({-1})}}, "body.generate_response.choices.0.token_ids.0"},
      {{{"generate_response", Reply({1}, "whatever")}},
       "body.generate_response.choices.0.finish_reason"},
      {{{"generate_response", Reply({1})}, {"chat_request", {{"model", "byte-model"}}}},
       "body.chat_request.messages"},
      {{{"generate_response", Reply({1})}, {"chat_request", 5}}, "body.chat_request"},
      {{{"generate_response", Reply({1})}, {"model", "nope"}}, "model"},
  };
  for (const auto& [body, param] : cases) {
    EXPECT_EQ(Derender(body)["error"]["param"], param) << body.dump();
  }
}

TEST_F(DerenderThinkingTest, ReadsReasoningAndCalls) {
  const std::vector<TokenId> ids = BytesOf(kThought);
  const Json direct = Direct(Request(), ids, v1::FINISH_REASON_STOP);
  EXPECT_EQ(direct["choices"][0]["finish_reason"], "tool_calls");
  const Json body = {{"chat_request", Request()}, {"generate_response", Reply(ids)}};
  const Json whole = Derender(body);
  EXPECT_EQ(WithoutIds(whole), WithoutIds(direct));
  EXPECT_EQ(whole["usage"]["completion_tokens_details"],
            direct["usage"]["completion_tokens_details"]);
  // The prompt's end says that the reply begins inside reasoning.
  Json told = body;
  told["prompt_token_ids"] = BytesOf("assistant:<think>\n");
  EXPECT_EQ(WithoutIds(Derender(told)), WithoutIds(direct));
  EXPECT_THAT(ErrorOf({{"generate_response", Reply(ids)}}), HasSubstr("chat_request is required"));
}

TEST_F(DerenderThinkingTest, ReadsThemInAnyChunking) {
  const std::vector<TokenId> ids = BytesOf(kThought);
  const Json message = Direct(Request(), ids, v1::FINISH_REASON_STOP)["choices"][0]["message"];
  for (const size_t size : {size_t{1}, size_t{2}, size_t{7}, size_t{40}, ids.size()}) {
    const Told told = Stream({{"chat_request", Request()}}, ids, size, GenerationEndpoint::kChat);
    EXPECT_EQ(told.reasoning, message["reasoning"]) << size;
    EXPECT_EQ(told.content, message["content"]) << size;
    EXPECT_EQ(told.arguments, message["tool_calls"][0]["function"]["arguments"]) << size;
    EXPECT_EQ(told.finish, "tool_calls") << size;
    EXPECT_EQ(told.roles, 1) << size;
  }
}

TEST_F(DerenderThinkingTest, WhatIsReadIsBoundedByTheModel) {
  Json state = {{"output_token_ids", std::vector<TokenId>(2048, 65)},
                {"output_chunk_lens", {2048}}};
  EXPECT_EQ(ErrorOf({{"stream", true},
                     {"chat_request", Request()},
                     {"stream_state", state},
                     {"generate_chunk", {{"choices", {{{"index", 0}, {"token_ids", {65}}}}}}}}),
            "prompt_token_ids length (0) plus output_token_ids length (2048) plus delta (1) "
            "exceeds max_model_len (2048).");
}

}  // namespace
}  // namespace baton::frontend
