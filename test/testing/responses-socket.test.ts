import OpenAI from "openai";
import { ResponsesWS } from "openai/resources/responses/ws";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ProviderDoubles, startProviderDoubles } from "../../src/testing/index.ts";
import { Accounts } from "../../src/testing/provider-doubles/account.ts";
import { openSocket, type ToldSocket } from "../support/double-socket.ts";

const [key, other, sibling] = ["key-of-a-test", "key-of-another-account", "key-of-the-same-account"] as const;
const model = "double-1";
const wordsOfAnUnknownId = {
  openai: [400, { error: { code: "previous_response_not_found", param: "previous_response_id" } }],
  xai: [404, { code: "Some requested entity was not found" }],
} as const;
let doubles: ProviderDoubles;
const opened: ToldSocket[] = [];

beforeAll(async () => {
  doubles = await startProviderDoubles();
  for (const id of ["openai", "xai"] as const) {
    doubles.accept(id, key, { account: "one" });
    doubles.accept(id, sibling, { account: "one" });
    doubles.accept(id, other);
  }
});
afterEach(() => {
  for (const { socket } of opened.splice(0)) socket.terminate();
});
afterAll(() => doubles.close());

describe.each(["openai", "xai"] as const)("responses of %s", (id) => {
  const post = async (body: object, shown: string = key): Promise<readonly [number, { id: string }]> => {
    const answer = await fetch(`${doubles.endpoints[id].baseUrl}/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${shown}` },
      body: JSON.stringify({ model, input: "hello", ...body }),
    });
    return [answer.status, (await answer.json()) as { id: string }];
  };
  const open = async (shown: string = key): Promise<ToldSocket> => {
    const headers = { authorization: `Bearer ${shown}` };
    const one = await openSocket(`${doubles.endpoints[id].websocketUrl}/responses`, headers);
    opened.push(one);
    return one;
  };
  /** What ends a turn, and the id of its response. */
  const turn = async (socket: ToldSocket, request: object): Promise<readonly [unknown, string]> => {
    const before = socket.told.length;
    socket.send({ type: "response.create", model, input: "hello", ...request });
    const isLast = (one: unknown): boolean => /^(?:error|response\.completed)$/u.test((one as { type: string }).type);
    const ended = await socket.heard((one) => socket.told.indexOf(one) >= before && isLast(one));
    return [ended, (ended["response"] as { id: string } | undefined)?.id ?? ""];
  };

  it("are continued by the account that made them, and by no other", async () => {
    const [, { id: previous_response_id }] = await post({});
    expect((await post({ previous_response_id }))[0]).toBe(200);
    expect((await post({ previous_response_id }, sibling))[0]).toBe(200);
    expect(await post({ previous_response_id }, other)).toMatchObject(wordsOfAnUnknownId[id]);
  });

  it("are not continued where they were not stored, or never made", async () => {
    const [, { id: previous_response_id }] = await post({ store: false });
    expect(await post({ previous_response_id })).toMatchObject(wordsOfAnUnknownId[id]);
    expect(await post({ previous_response_id: "resp_never" })).toMatchObject(wordsOfAnUnknownId[id]);
  });

  it("come over a socket as the events of a stream, one a frame", async () => {
    const socket = await open();
    socket.send({ type: "response.create", model, input: "hello there", stream_id: "lane" });
    await socket.heard(({ type }) => type === "response.completed");
    expect(socket.told.map((one) => "type" in one && one.type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      ...Array.from({ length: 4 }, () => "response.output_text.delta"),
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(socket.told).toEqual(
      socket.told.map((_, at) => expect.objectContaining({ sequence_number: at, stream_id: "lane" })),
    );
  });

  it("are continued by the socket that made them though they are not stored, and by no other", async () => {
    const [socket, second] = [await open(), await open()];
    const [, previous_response_id] = await turn(socket, { store: false });
    expect((await turn(second, { previous_response_id, store: false }))[0]).toMatchObject({
      type: "error",
      status: 400,
      error: { code: "previous_response_not_found", param: "previous_response_id" },
    });
    expect((await turn(socket, { previous_response_id, store: false }))[0]).toMatchObject({
      type: "response.completed",
      response: { previous_response_id },
    });
    expect((await turn(socket, { previous_response_id, store: false }))[0]).toMatchObject({ type: "error" });
  });

  it("are forgotten by a socket whose next turn failed", async () => {
    const socket = await open();
    const [, previous_response_id] = await turn(socket, { store: false });
    expect((await turn(socket, { previous_response_id, model: undefined }))[0]).toMatchObject({
      type: "error",
      error: { param: "model" },
    });
    expect((await turn(socket, { previous_response_id }))[0]).toMatchObject({
      error: { code: "previous_response_not_found" },
    });
  });

  it("that were stored are continued on any socket of the account", async () => {
    const [, { id: previous_response_id }] = await post({});
    expect((await turn(await open(sibling), { previous_response_id }))[0]).toMatchObject({
      type: "response.completed",
    });
    expect((await turn(await open(other), { previous_response_id }))[0]).toMatchObject({ type: "error" });
  });

  it("a socket is warmed up by a response without output", async () => {
    const [ended] = await turn(await open(), { generate: false });
    expect(ended).toMatchObject({ type: "response.completed", response: { output: [] } });
  });

  it("a socket says what it cannot read, and goes on", async () => {
    const socket = await open();
    socket.send(Buffer.from("no JSON"));
    expect(await socket.heard(({ type }) => type === "error")).toMatchObject({ error: { param: "type" } });
    expect((await turn(socket, {}))[0]).toMatchObject({ type: "response.completed" });
  });

  it("a wrong key by a socket is refused in the provider's words", async () => {
    await expect(open("key-of-nobody")).rejects.toMatchObject(
      id === "openai"
        ? { status: 401, body: { error: { code: "invalid_api_key" } } }
        : { status: 400, body: { code: "Client specified an invalid argument" } },
    );
  });
});

it("an account remembers its last thousand responses, and a double its last thousand accounts", () => {
  const accounts = new Accounts();
  const { responses } = accounts.of(key, undefined);
  for (let at = 0; at <= 1_000; at += 1) responses.set(`resp_${at}`, true);
  expect([0, 1, 1_000].map((at) => responses.has(`resp_${at}`))).toEqual([false, true, true]);
  expect(accounts.of(key, undefined).responses).toBe(responses);
  for (let at = 0; at < 1_000; at += 1) accounts.of(`key_${at}`, undefined);
  expect(accounts.of(key, undefined).responses.size).toBe(0);
});

it("the SDK's ResponsesWS holds a conversation with OpenAI's double, tool calls among it", async () => {
  const client = new OpenAI({ apiKey: key, baseURL: doubles.endpoints.openai.baseUrl });
  const socket = new ResponsesWS(client);
  const ended = async (request: object): Promise<OpenAI.Responses.Response> => {
    const done = new Promise<OpenAI.Responses.Response>((resolve) => {
      socket.on("event", (event) => {
        if (event.type === "response.completed") resolve(event.response);
      });
    });
    socket.send({ type: "response.create", model, ...request } as never);
    return await done;
  };
  const tools = [{ type: "function", name: "open_door", parameters: {}, strict: false }];
  const called = await ended({ input: "open door", tools });
  expect(called.output).toMatchObject([{ type: "function_call", name: "open_door", arguments: "{}" }]);
  const answered = await ended({
    previous_response_id: called.id,
    input: [{ type: "function_call_output", call_id: "call", output: "it is open" }],
  });
  expect(answered.output).toMatchObject([{ content: [{ text: "You said: it is open" }] }]);
  socket.close();
});
