// The official OpenAI SDK for Node against a served model that calls tools.
//   BATON_URL=http://host:port BATON_MODEL=name NODE_PACKAGES=folder node openai_node.mjs
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import test from "node:test";

const OpenAI = createRequire(`${process.env.NODE_PACKAGES}/`)("openai");
const model = process.env.BATON_MODEL;
const client = new OpenAI({ baseURL: `${process.env.BATON_URL}/v1`, apiKey: "none", maxRetries: 0 });

const GREEDY = { model, temperature: 0, max_tokens: 120 };
const JAPAN = [{ role: "user", content: "What is the capital of Japan?" }];
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Get the current weather of a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string", description: "The city, for example Oslo" } },
      required: ["city"],
    },
  },
};
const OSLO = [{ role: "user", content: "What is the weather in Oslo?" }];

test("models", async () => {
  const names = [];
  for await (const card of await client.models.list()) names.push(card.id);
  assert.deepEqual(names, [model]);
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("a chat, whole and streamed", async () => {
  const whole = await client.chat.completions.create({ ...GREEDY, messages: JAPAN });
  const text = whole.choices[0].message.content;
  assert.match(text, /Tokyo/);
  assert.equal(whole.choices[0].finish_reason, "stop");
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);

  const stream = client.chat.completions.stream({
    ...GREEDY,
    messages: JAPAN,
    stream_options: { include_usage: true },
  });
  let streamed = "";
  for await (const chunk of stream) streamed += chunk.choices[0]?.delta?.content ?? "";
  assert.equal(streamed, text);
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, text);
  assert.deepEqual(final.usage, whole.usage);
});

test("log-probabilities and choices", async () => {
  const answer = await client.chat.completions.create({
    ...GREEDY, messages: JAPAN, max_tokens: 3, n: 2, logprobs: true, top_logprobs: 2,
  });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  for (const choice of answer.choices) {
    assert.equal(choice.logprobs.content.length, 3);
    for (const entry of choice.logprobs.content) assert.equal(entry.top_logprobs.length, 2);
  }
});

test("a completion, whole and streamed", async () => {
  const fields = { model, prompt: "1, 2, 3, 4,", temperature: 0, max_tokens: 12, stop: ["9"] };
  const whole = await client.completions.create(fields);
  assert.equal(whole.object, "text_completion");
  assert.match(whole.choices[0].text, /5, 6/);
  let streamed = "";
  for await (const chunk of await client.completions.create({ ...fields, stream: true })) {
    streamed += chunk.choices[0].text;
  }
  assert.equal(streamed, whole.choices[0].text);
});

test("a response, whole and streamed", async () => {
  const fields = { model, input: "What is the capital of Japan?", temperature: 0, max_output_tokens: 60 };
  const whole = await client.responses.create(fields);
  assert.equal(whole.status, "completed");
  assert.match(whole.output_text, /Tokyo/);
  const types = [];
  let streamed = "";
  for await (const event of await client.responses.create({ ...fields, stream: true })) {
    types.push(event.type);
    if (event.type === "response.output_text.delta") streamed += event.delta;
  }
  assert.equal(types[0], "response.created");
  assert.equal(types.at(-1), "response.completed");
  assert.equal(streamed, whole.output_text);
});

test("tools are called, run and answered from", async () => {
  const called = await client.chat.completions.create({ ...GREEDY, messages: OSLO, tools: [WEATHER] });
  const [call] = called.choices[0].message.tool_calls;
  assert.equal(called.choices[0].finish_reason, "tool_calls");
  assert.equal(call.function.name, "get_weather");
  assert.equal(JSON.parse(call.function.arguments).city, "Oslo");

  const asked = [];
  const runner = client.chat.completions.runTools({
    ...GREEDY,
    messages: OSLO,
    tools: [{
      type: "function",
      function: {
        ...WEATHER.function,
        parse: JSON.parse,
        function: ({ city }) => {
          asked.push(city);
          return JSON.stringify({ city, temperature: 12, sky: "rain" });
        },
      },
    }],
  }, { maxChatCompletions: 4 });
  const answer = await runner.finalContent();
  assert.deepEqual(asked, ["Oslo"]);
  assert.match(answer, /12|rain/);
});

test("a streamed call is the same call", async () => {
  const stream = client.chat.completions.stream({ ...GREEDY, messages: OSLO, tools: [WEATHER] });
  const final = await stream.finalChatCompletion();
  const [call] = final.choices[0].message.tool_calls;
  assert.equal(call.function.name, "get_weather");
  assert.equal(JSON.parse(call.function.arguments).city, "Oslo");
});

test("an answer keeps to its schema", async () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string", maxLength: 20 }, age: { type: "integer", minimum: 0 } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  const answer = await client.chat.completions.parse({
    ...GREEDY,
    messages: [{ role: "user", content: "Ada Lovelace is 36 years old. Who is she?" }],
    response_format: { type: "json_schema", json_schema: { name: "person", schema, strict: true } },
  });
  const person = JSON.parse(answer.choices[0].message.content);
  assert.deepEqual(Object.keys(person), ["name", "age"]);
  assert.equal(person.age, 36);
});

test("errors have their classes and fields", async () => {
  const chat = (fields) => client.chat.completions.create({ ...GREEDY, messages: JAPAN, ...fields });
  await assert.rejects(chat({ model: "gpt-nope" }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.param, "model");
    return true;
  });
  await assert.rejects(chat({ temperature: 9 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "temperature");
    assert.equal(error.type, "BadRequestError");
    return true;
  });
  await assert.rejects(chat({ messages: "x", stream: true }), OpenAI.BadRequestError);
});

test("a stream can be left", async () => {
  const stream = await client.chat.completions.create({
    ...GREEDY, messages: JAPAN, max_tokens: 2000, stream: true, ignore_eos: true,
  });
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 3) break;
  assert.equal(chunks, 3);
  assert.ok(stream.controller.signal.aborted);
});
