/** OpenAI's stand-in in a process of its own: `node openai-double.ts <port>`. It answers every completion with the same. */
import { createServer } from "node:http";

const message = { role: "assistant", content: "Hello! How can I help?", refusal: null };
const choice = { index: 0, message, finish_reason: "stop", logprobs: null };
const usage = { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 };
const answer = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini",
  choices: [choice],
  usage,
});

createServer((request, response) => {
  request.resume().once("end", () => {
    const isGranted = /^Bearer key-of-/u.test(request.headers.authorization ?? "");
    response.writeHead(isGranted ? 200 : 401, { "content-type": "application/json" });
    response.end(isGranted ? answer : JSON.stringify({ error: { message: "Incorrect API key provided." } }));
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
