// Requests from HTTP body to HTTP answer, with workers that the test plays.
#include "frontend/answer/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "frontend/generation/generation_start.h"
#include "tests/fakes/api_fixture.h"
#include "tests/fakes/recording_sink.h"

namespace baton::frontend {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class AnswerTest : public ApiFixture {
 protected:
  std::shared_ptr<RecordingSink> Post(GenerationEndpoint endpoint, const std::string& body) {
    auto sink = std::make_shared<RecordingSink>();
    HttpRequest request;
    request.headers = {{"Content-Type", "application/json"}};
    request.request_id = "rid";
    request.body = body;
    StartGeneration(context_, endpoint, std::move(request), sink);
    return sink;
  }
  std::shared_ptr<RecordingSink> Chat(const std::string& fields) {
    return Post(GenerationEndpoint::kChat,
                R"({"messages":[{"role":"user","content":"Hi"}],"max_tokens":8)" +
                    (fields.empty() ? "" : "," + fields) + "}");
  }
  std::shared_ptr<RecordingSink> Complete(const std::string& fields) {
    return Post(GenerationEndpoint::kCompletion, "{" + fields + "}");
  }

  // Plays one worker's answer in two steps.
  void Play(size_t call, uint32_t choice, const std::string& first, const std::string& rest) {
    fleet_.Tokens(call, choice, BytesOf(first));
    fleet_.Tokens(call, choice, BytesOf(rest),
                  ScriptedWorkers::End(choice, v1::FINISH_REASON_LENGTH));
  }
  static v1::TokenLogprobs OneLogprob(float sampled, std::vector<uint32_t> top_ids,
                                      std::vector<float> top) {
    v1::TokenLogprobs logprobs;
    logprobs.add_sampled(sampled);
    logprobs.add_rank(1);
    logprobs.set_top_count(static_cast<uint32_t>(top_ids.size()));
    logprobs.mutable_top_ids()->Add(top_ids.begin(), top_ids.end());
    logprobs.mutable_top()->Add(top.begin(), top.end());
    return logprobs;
  }
  void PlayLogprob(size_t call, TokenId id, v1::TokenLogprobs logprobs, bool last) {
    v1::Tokens tokens;
    tokens.add_ids(id);
    *tokens.mutable_logprobs() = std::move(logprobs);
    fleet_.calls.at(call).listener->OnTokens(
        std::move(tokens),
        last ? std::optional(ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH)) : std::nullopt);
  }
};

constexpr const char* kChunkHead =
    R"(data: {"id":"chatcmpl-rid","object":"chat.completion.chunk","created":1700003600,)"
    R"("model":"byte-model","choices":)";

std::string Expand(std::string text, const std::string& head) {
  for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at)) {
    text.replace(at, 1, head);
  }
  return text;
}

TEST_F(AnswerTest, ChatIsStreamedInTheReferenceOrder) {
  const auto sink = Chat(R"("stream":true)");
  fleet_.Place(0, "w");
  fleet_.Accept(0, 1);
  EXPECT_FALSE(sink->streaming);  // nothing is sent before the first token
  Play(0, 0, "He", "y\"");
  EXPECT_EQ(
      sink->response.body,
      Expand(
          R"(@[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}

@[{"index":0,"delta":{"content":"He"},"logprobs":null,"finish_reason":null,"token_ids":null}]}

@[{"index":0,"delta":{"content":"y\""},"logprobs":null,"finish_reason":"length","stop_reason":null,"token_ids":null}],"system_fingerprint":")" +
              SystemFingerprint({}, *models_.Find("").value()) + "\"}\n\ndata: [DONE]\n\n",
          kChunkHead));
  EXPECT_EQ(sink->ends, 1);
  EXPECT_EQ(FindHeader(sink->response.headers, "content-type"), "text/event-stream; charset=utf-8");
  // The template was applied: <|start|>user:Hi<|end|><|start|>assistant:
  std::vector<TokenId> prompt = {kByteStart};
  for (const TokenId id : BytesOf("user:Hi")) prompt.push_back(id);
  prompt.insert(prompt.end(), {kByteEos, kByteStart});
  for (const TokenId id : BytesOf("assistant:")) prompt.push_back(id);
  EXPECT_THAT(fleet_.calls[0].request.tokens().ids(), ::testing::ElementsAreArray(prompt));
}

TEST_F(AnswerTest, TheFingerprintIsTheOperators) {
  options_.fingerprint = {.mode = FingerprintOptions::Mode::kCustom, .custom = "a \"b\""};
  const auto whole = Chat("");
  fleet_.Place(0, "w");
  Play(0, 0, "a", "b");
  EXPECT_THAT(whole->response.body, HasSubstr(R"("system_fingerprint":"a \"b\"")"));
  options_.fingerprint = {.mode = FingerprintOptions::Mode::kNone};
  const auto none = Complete(R"("prompt":"x")");
  fleet_.Place(1, "w");
  Play(1, 0, "a", "b");
  EXPECT_THAT(none->response.body, HasSubstr(R"("system_fingerprint":null)"));
  const auto stream = Chat(R"("stream":true)");
  fleet_.Place(2, "w");
  Play(2, 0, "a", "b");
  EXPECT_THAT(stream->response.body, ::testing::Not(HasSubstr("fingerprint")));
}

TEST_F(AnswerTest, TheOperatorSaysHowManyLogprobsThereAre) {
  const char* const kFields = R"("prompt":"x","max_tokens":2,"logprobs":)";
  EXPECT_EQ(Complete(kFields + std::string("21"))->response.status, 400);
  EXPECT_THAT(Complete(kFields + std::string("-1"))->response.body,
              HasSubstr("greater than max allowed: 20"));
  options_.logprobs_max = 5;
  EXPECT_THAT(Complete(kFields + std::string("6"))->response.body,
              HasSubstr("Requested sample logprobs of 6, which is greater than max allowed: 5"));
  EXPECT_THAT(Chat(R"("prompt_logprobs":6)")->response.body, HasSubstr("max allowed: 5"));
  options_.logprobs_max = -1;
  Complete(kFields + std::string("-1"));
  fleet_.Place(0, "w");
  Chat(R"("prompt_logprobs":-1,"logprobs":true,"top_logprobs":-1)");
  fleet_.Place(1, "w");
  const auto vocabulary = (*models_.Find(""))->vocab_size;
  EXPECT_EQ(fleet_.calls.at(0).request.sampling().logprobs(), vocabulary);
  EXPECT_EQ(fleet_.calls.at(1).request.sampling().logprobs(), vocabulary);
  EXPECT_EQ(fleet_.calls.at(1).request.sampling().prompt_logprobs(), vocabulary);
}

TEST_F(AnswerTest, UsageComesWhenAskedFor) {
  const auto last = Chat(R"("stream":true,"stream_options":{"include_usage":true})");
  fleet_.Place(0, "w");
  Play(0, 0, "a", "b");
  EXPECT_THAT(last->response.body,
              HasSubstr(R"("choices":[],"usage":{"prompt_tokens":20,"total_tokens":22,)"
                        R"("completion_tokens":2},"system_fingerprint")"));
  EXPECT_THAT(last->response.body, ::testing::Not(HasSubstr(R"("total_tokens":21)")));

  const auto always = Chat(
      R"("stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true})");
  fleet_.Place(1, "w");
  Play(1, 0, "a", "b");
  EXPECT_THAT(always->response.body, HasSubstr(R"("total_tokens":20,"completion_tokens":0)"));
  EXPECT_THAT(always->response.body, HasSubstr(R"("total_tokens":21,"completion_tokens":1)"));

  const auto several = Complete(
      R"("prompt":["x","yz"],"stream":true,"max_tokens":2,
         "stream_options":{"include_usage":true,"continuous_usage_stats":true})");
  fleet_.Place(2, "w");
  fleet_.Place(3, "w");
  Play(2, 0, "a", "b");
  Play(3, 0, "c", "d");
  EXPECT_THAT(several->response.body,
              HasSubstr(R"("usage":{"prompt_tokens":2,"total_tokens":3,"completion_tokens":1})"))
      << "a chunk shows its own choice's";
  EXPECT_THAT(several->response.body,
              HasSubstr(R"("usage":{"prompt_tokens":3,"total_tokens":7,"completion_tokens":4})"));
}

TEST_F(AnswerTest, ChatIsAnsweredWhole) {
  const auto sink = Chat(R"("n":2,"return_token_ids":true,"stop":["!"],"model":"byte-model")");
  fleet_.Place(0, "w");
  fleet_.Tokens(0, 0, BytesOf("one"), ScriptedWorkers::End(0, v1::FINISH_REASON_STOP, kByteEos));
  fleet_.Tokens(0, 1, BytesOf("two!x"));
  const Json body = Json::parse(sink->response.body);
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["id"], "chatcmpl-rid");
  EXPECT_EQ(body["choices"][0]["message"]["content"], "one");
  EXPECT_TRUE(body["choices"][0]["stop_reason"].is_null());
  EXPECT_EQ(body["choices"][1]["message"]["content"], "two");
  EXPECT_EQ(body["choices"][1]["stop_reason"], "!");
  EXPECT_EQ(body["choices"][1]["finish_reason"], "stop");
  EXPECT_EQ(body["choices"][1]["token_ids"], Json::parse("[116,119,111,33]"));
  EXPECT_EQ(body["usage"]["completion_tokens"], 7);
  EXPECT_EQ(body["prompt_token_ids"].size(), 20u);
  for (const char* key :
       {"prompt_logprobs", "prompt_text", "kv_transfer_params", "ec_transfer_params", "metrics"}) {
    EXPECT_TRUE(body.contains(key) && body[key].is_null()) << key;
  }
  const Json& message = body["choices"][0]["message"];
  for (const char* key : {"refusal", "audio", "reasoning"}) {
    EXPECT_TRUE(message.contains(key) && message[key].is_null()) << key;
  }
  // What OpenAI's schema does not let be null.
  EXPECT_EQ(body["service_tier"], "default");
  EXPECT_EQ(message["annotations"], Json::array());
  EXPECT_FALSE(message.contains("function_call"));
  EXPECT_FALSE(body["usage"].contains("completion_tokens_details"));
}

TEST_F(AnswerTest, ChatLogprobsHaveBytes) {
  const auto sink = Chat(R"("logprobs":true,"top_logprobs":2)");
  fleet_.Place(0, "w");
  EXPECT_EQ(fleet_.calls[0].request.sampling().logprobs(), 2u);
  PlayLogprob(0, 'a', OneLogprob(-0.5f, {'a', 'b'}, {-0.5f, -INFINITY}), true);
  const Json entry = Json::parse(sink->response.body)["choices"][0]["logprobs"]["content"][0];
  EXPECT_EQ(entry, Json::parse(R"({"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[
      {"token":"a","logprob":-0.5,"bytes":[97]},{"token":"b","logprob":-9999.0,"bytes":[98]}]})"));
}

TEST_F(AnswerTest, NamedTokensAreAllShownBehindTheDrawnOne) {
  const auto chat = Chat(R"("logprobs":true,"logprob_token_ids":[97,98,99])");
  fleet_.Place(0, "w");
  PlayLogprob(0, 'a', OneLogprob(-0.5f, {'a', 'b', 'c'}, {-0.5f, -2, -3}), true);
  const Json tops =
      Json::parse(chat->response.body)["choices"][0]["logprobs"]["content"][0]["top_logprobs"];
  ASSERT_EQ(tops.size(), 3u);  // the drawn token is one of the named
  EXPECT_EQ(tops[0]["token"], "a");
  EXPECT_EQ(tops[2]["token"], "c");

  const auto text = Complete(R"("prompt":"x","logprobs":0,"logprob_token_ids":[98,99])");
  fleet_.Place(1, "w");
  PlayLogprob(1, 'a', OneLogprob(-0.5f, {'b', 'c'}, {-2, -3}), true);
  EXPECT_EQ(Json::parse(text->response.body)["choices"][0]["logprobs"]["top_logprobs"][0],
            Json::parse(R"({"a":-0.5,"b":-2.0,"c":-3.0})"));
}

TEST_F(AnswerTest, ACharacterOfSeveralTokensBelongsToTheLast) {
  const std::string e_acute = "\xC3\xA9";
  const auto sink = Complete(R"("prompt":"x","logprobs":1,"max_tokens":4)");
  fleet_.Place(0, "w");
  PlayLogprob(0, 0xC3, OneLogprob(-0.5f, {0xC2}, {-1}), false);
  PlayLogprob(0, 0xA9, OneLogprob(-0.5f, {0xA8}, {-1}), false);
  PlayLogprob(0, 0xC3, OneLogprob(-0.5f, {}, {}), false);  // half a character that stays one
  PlayLogprob(0, 'c', OneLogprob(-1.0f, {}, {}), true);
  const Json choice = Json::parse(sink->response.body)["choices"][0];
  EXPECT_EQ(choice["text"], e_acute +
                                "\xEF\xBF\xBD"
                                "c");
  const Json& logprobs = choice["logprobs"];
  EXPECT_EQ(logprobs["tokens"], Json({"", e_acute, "",
                                      "\xEF\xBF\xBD"
                                      "c"}));
  EXPECT_EQ(logprobs["text_offset"], Json({0, 0, 1, 1}));
  EXPECT_EQ(logprobs["top_logprobs"][0], Json({{"", -0.5}})) << "two of equal text are one";
  EXPECT_EQ(logprobs["top_logprobs"][1], Json({{e_acute, -0.5}, {"\xC3\xA8", -1.0}}));

  const auto chat = Chat(R"("logprobs":true,"stream":true)");
  fleet_.Place(1, "w");
  PlayLogprob(1, 0xC3, OneLogprob(-0.5f, {}, {}), false);
  PlayLogprob(1, 0xA9, OneLogprob(-0.5f, {}, {}), true);
  EXPECT_THAT(chat->response.body, HasSubstr(R"({"token":"","logprob":-0.5,"bytes":[195])"));
  EXPECT_THAT(chat->response.body,
              HasSubstr(R"({"token":")" + e_acute + R"(","logprob":-0.5,"bytes":[169])"));
}

TEST_F(AnswerTest, CompletionLogprobsKeepTheirOffsets) {
  const auto sink = Complete(R"("prompt":"x","logprobs":1,"stream":true,"max_tokens":2)");
  fleet_.Place(0, "w");
  PlayLogprob(0, 'a', OneLogprob(-0.5f, {'b'}, {-0.25f}), false);
  PlayLogprob(0, 'c', OneLogprob(-1.0f, {'c'}, {-1.0f}), true);
  EXPECT_THAT(sink->response.body,
              HasSubstr(R"("logprobs":{"text_offset":[0],"token_logprobs":[-0.5],"tokens":["a"],)"
                        R"("top_logprobs":[{"a":-0.5,"b":-0.25}]})"));
  EXPECT_THAT(sink->response.body,
              HasSubstr(R"("logprobs":{"text_offset":[1],"token_logprobs":[-1.0],"tokens":["c"],)"
                        R"("top_logprobs":[{"c":-1.0}]})"));
}

TEST_F(AnswerTest, AnEchoShowsWhatThePromptWasWorth) {
  const auto sink = Complete(R"("prompt":"xyz","logprobs":1,"echo":true,"max_tokens":1)");
  fleet_.Place(0, "w");
  EXPECT_EQ(fleet_.calls[0].request.sampling().prompt_logprobs(), 1u);
  v1::Tokens scored;
  *scored.mutable_prompt_logprobs() = OneLogprob(-2.0f, {'q'}, {-1.5f});
  scored.set_prompt_begin(1);
  fleet_.calls[0].listener->OnTokens(v1::Tokens(scored), std::nullopt);
  scored.set_prompt_begin(2);
  fleet_.calls[0].listener->OnTokens(v1::Tokens(scored), std::nullopt);
  PlayLogprob(0, 'a', OneLogprob(-0.5f, {'b'}, {-0.25f}), true);
  const Json choice = Json::parse(sink->response.body)["choices"][0];
  EXPECT_EQ(choice["text"], "xyza");
  EXPECT_EQ(choice["logprobs"]["tokens"], Json({"x", "y", "z", "a"}));
  EXPECT_EQ(choice["logprobs"]["token_logprobs"], Json({nullptr, -2.0, -2.0, -0.5}));
  EXPECT_EQ(choice["logprobs"]["text_offset"], Json({0, 1, 2, 3}));
  EXPECT_EQ(choice["logprobs"]["top_logprobs"][0], nullptr);
  EXPECT_EQ(choice["prompt_logprobs"].size(), 3u) << "on their own, too";
}

TEST_F(AnswerTest, PromptLogprobsComeOnceThoughAWorkerIsLost) {
  const auto sink = Complete(R"("prompt":"xyz","prompt_logprobs":1,"max_tokens":1)");
  fleet_.Place(0, "w");
  v1::Tokens scored;
  *scored.mutable_prompt_logprobs() = OneLogprob(-2.0f, {'q'}, {-1.5f});
  scored.set_prompt_begin(1);
  fleet_.calls[0].listener->OnTokens(v1::Tokens(scored), std::nullopt);
  fleet_.Fail(0, Unavailable("gone"));
  fleet_.Place(1, "v");
  v1::Tokens both = scored;
  both.mutable_prompt_logprobs()->MergeFrom(OneLogprob(-3.0f, {'z'}, {-3.0f}));
  fleet_.calls[1].listener->OnTokens(std::move(both), std::nullopt);
  fleet_.Tokens(1, 0, BytesOf("a"), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  const Json shown = Json::parse(sink->response.body)["choices"][0]["prompt_logprobs"];
  EXPECT_EQ(shown, Json::parse(
                       R"([null,{"121":{"logprob":-2.0,"rank":1,"decoded_token":"y"},
                                 "113":{"logprob":-1.5,"rank":1,"decoded_token":"q"}},
                           {"122":{"logprob":-3.0,"rank":1,"decoded_token":"z"}}])"));
}

TEST_F(AnswerTest, PromptsAreAnsweredInOrder) {
  const auto sink = Complete(R"("prompt":["p0","p1"],"n":2,"temperature":1,"echo":true)");
  ASSERT_EQ(fleet_.routes.size(), 2u);
  fleet_.Place(0, "w");
  fleet_.Place(1, "w");
  for (const size_t call : {1u, 0u}) {
    for (const uint32_t choice : {1u, 0u}) {
      Play(call, choice, "c", std::to_string(choice));
    }
  }
  const Json body = Json::parse(sink->response.body);
  std::vector<std::string> texts;
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(body["choices"][i]["index"], i);
    texts.push_back(body["choices"][i]["text"]);
  }
  EXPECT_THAT(texts, ElementsAre("p0c0", "p0c1", "p1c0", "p1c1"));
  EXPECT_EQ(body["usage"]["prompt_tokens"], 4);
  EXPECT_EQ(body["usage"]["completion_tokens"], 8);
}

TEST_F(AnswerTest, StreamedCompletionsShowTheirPromptOnce) {
  const auto sink = Complete(R"("prompt":"p","echo":true,"stream":true)");
  fleet_.Place(0, "w");
  Play(0, 0, "a", "b");
  const std::string head =
      R"(data: {"id":"cmpl-rid","object":"text_completion","created":1700003600,)"
      R"("model":"byte-model","choices":)";
  EXPECT_EQ(
      sink->response.body,
      Expand(
          R"(@[{"index":0,"text":"pa","logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}

@[{"index":0,"text":"b","logprobs":null,"finish_reason":"length","stop_reason":null,"prompt_token_ids":null,"token_ids":null}],"system_fingerprint":")" +
              SystemFingerprint({}, *models_.Find("").value()) + "\"}\n\ndata: [DONE]\n\n",
          head));
}

TEST_F(AnswerTest, LengthsAreCountedByChoiceAndByPrompt) {
  const auto sink = Complete(R"("prompt":"xyz","n":2,"temperature":1,"max_tokens":9)");
  fleet_.Place(0, "w");
  v1::Accepted accepted;
  accepted.set_cached_tokens(2);
  fleet_.calls[0].listener->OnAccepted(std::move(accepted));
  fleet_.Tokens(0, 0, BytesOf("ab"), ScriptedWorkers::End(0, v1::FINISH_REASON_STOP, kByteEos));
  fleet_.Tokens(0, 1, BytesOf("abcd"), ScriptedWorkers::End(1, v1::FINISH_REASON_STOP, kByteEos));
  const ModelMetrics& metrics = api_metrics_.OfModel("byte-model");
  EXPECT_EQ(metrics.request_prompt_tokens.Count(), 2);
  EXPECT_EQ(metrics.request_prompt_tokens.Sum(), 2 * 3);
  EXPECT_EQ(metrics.request_params_max_tokens.Sum(), 2 * 9);
  EXPECT_EQ(metrics.request_generation_tokens.Sum(), 2 + 4);
  EXPECT_EQ(metrics.request_time_per_output_token_seconds.Count(), 2);
  EXPECT_EQ(metrics.request_max_num_generation_tokens.Sum(), 4);
  EXPECT_EQ(metrics.request_params_n.Sum(), 2);
  EXPECT_EQ(metrics.prompt_tokens_cached_total.Value(), 2);
}

TEST_F(AnswerTest, AnEchoAloneHidesTheGeneratedToken) {
  const auto sink = Complete(R"("prompt":"only","echo":true,"max_tokens":0)");
  fleet_.Place(0, "w");
  EXPECT_EQ(fleet_.calls[0].request.sampling().max_tokens(), 1u);
  fleet_.Tokens(0, 0, BytesOf("x"), ScriptedWorkers::End(0, v1::FINISH_REASON_LENGTH));
  const Json body = Json::parse(sink->response.body);
  EXPECT_EQ(body["choices"][0]["text"], "only");
  EXPECT_EQ(body["usage"]["completion_tokens"], 1);
}

TEST_F(AnswerTest, AnEarlyErrorIsAnHttpError) {
  const auto sink = Chat(R"("stream":true)");
  fleet_.Reject(0, v1::RouteReply::Reject::CODE_NO_WORKER, 1500);
  EXPECT_EQ(sink->response.status, 503);
  EXPECT_EQ(FindHeader(sink->response.headers, "retry-after"), "2");
  EXPECT_EQ(Json::parse(sink->response.body)["error"]["code"], 503);
  EXPECT_EQ(sink->ends, 1);
}

TEST_F(AnswerTest, AConstraintThatFailsAtAWorkerIsBlamedOnItsParameter) {
  const auto sink = Chat(R"("response_format":{"type":"json_object"})");
  AwaitChecks();
  fleet_.Place(0, "w");
  fleet_.Fail(0, WithField(InvalidArgument("too complex"), "constraint"));
  const Json error = Json::parse(sink->response.body)["error"];
  EXPECT_EQ(error["param"], "response_format");
  EXPECT_EQ(error["code"], 400);
}

TEST_F(AnswerTest, ALateErrorIsOneEventAndTheEnd) {
  const auto sink = Chat(R"("stream":true)");
  fleet_.Place(0, "w");
  fleet_.Tokens(0, 0, BytesOf("a"));
  fleet_.Fail(0, Internal("secret detail"));
  EXPECT_THAT(sink->response.body,
              ::testing::EndsWith(R"(data: {"error":{"message":"Internal server error","type":)"
                                  R"("InternalServerError","param":null,"code":500}})"
                                  "\n\ndata: [DONE]\n\n"));
  EXPECT_EQ(sink->ends, 1);
  fleet_.Tokens(0, 0, BytesOf("b"));
  EXPECT_EQ(sink->ends, 1);
}

TEST_F(AnswerTest, AClientThatLeavesCancelsTheWorker) {
  for (const char* fields : {R"("stream":true)", R"("stream":false)"}) {
    const size_t call = fleet_.calls.size();
    const auto sink = Chat(fields);
    fleet_.Place(fleet_.routes.size() - 1, "w");
    fleet_.Tokens(call, 0, BytesOf("a"));
    sink->Leave();
    EXPECT_TRUE(*fleet_.calls[call].cancelled);
    EXPECT_EQ(sink->ends, 0);
  }
  EXPECT_EQ(limiter_.in_flight(), 0u);
  EXPECT_EQ(
      api_metrics_.OfModel("byte-model").request_success_total.At(FinishLabel::kAbort).Value(), 2);
}

TEST_F(AnswerTest, TooManyRequestsAreToldToComeAgain) {
  const auto first = Chat("");
  const auto second = Chat("");
  const auto third = Chat("");
  EXPECT_EQ(third->response.status, 503);
  EXPECT_TRUE(FindHeader(third->response.headers, "retry-after").has_value());
  first->Leave();
  EXPECT_EQ(Chat("")->ends, 0);
}

TEST_F(AnswerTest, UnknownModelsAndOtherRefusals) {
  const auto unknown = Chat(R"("model":"nope")");
  EXPECT_EQ(unknown->response.status, 404);
  const Json error = Json::parse(unknown->response.body)["error"];
  EXPECT_EQ(error["type"], "NotFoundError");
  EXPECT_EQ(error["param"], "model");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("The model `nope` does not exist."));

  EXPECT_THAT(Chat(R"("chat_template":"x")")->response.body,
              HasSubstr("--trust-request-chat-template is not set"));
  EXPECT_THAT(
      Chat(R"("messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}])")
          ->response.body,
      HasSubstr("byte-model is not a multimodal model"));
  EXPECT_THAT(Complete(R"("prompt":[999999])")->response.body,
              HasSubstr("Token id 999999 is out of vocabulary"));
  EXPECT_THAT(Complete(R"("prompt":"a","suffix":"b")")->response.body,
              HasSubstr("fill-in-the-middle"));
  EXPECT_TRUE(fleet_.routes.empty());
}

TEST_F(AnswerTest, TheLastMessageCanBeContinuedAndEchoed) {
  const auto sink =
      Post(GenerationEndpoint::kChat,
           R"({"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"Start"}],
          "add_generation_prompt":false,"continue_final_message":true,"echo":true})");
  ASSERT_EQ(fleet_.routes.size(), 1u) << sink->response.body;
  fleet_.Place(0, "w");
  const auto& ids = fleet_.calls[0].request.tokens().ids();
  EXPECT_EQ(ids.Get(ids.size() - 1), static_cast<uint32_t>('t'));  // the template's end is cut off
  Play(0, 0, " a", "b");
  EXPECT_EQ(Json::parse(sink->response.body)["choices"][0]["message"]["content"], "Start ab");
}

}  // namespace
}  // namespace baton::frontend
