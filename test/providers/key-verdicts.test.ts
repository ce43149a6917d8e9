import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtinProviders } from "../../src/providers/builtin.ts";
import type { KeyCheck, Provider } from "../../src/providers/provider.ts";
import { deepgramRefusals } from "../../src/providers/refusals/deepgram-refusals.ts";
import { elevenlabsRefusals } from "../../src/providers/refusals/elevenlabs-refusals.ts";
import { openaiRefusals } from "../../src/providers/refusals/openai-refusals.ts";
import { classifyRefusal } from "../../src/providers/refusals/refusal.ts";
import { resendRefusals } from "../../src/providers/refusals/resend-refusals.ts";
import { xaiRefusals } from "../../src/providers/refusals/xai-refusals.ts";
import { credentialOf } from "../support/egress.ts";

interface Row {
  readonly name: string;
  readonly status: number;
  /** A string is sent as it is. */
  readonly body: unknown;
}
type Judged = Row & KeyCheck;

let server: Server;
let answer: (response: ServerResponse) => void;
let origin: string;

beforeAll(async () => {
  server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ids = builtinProviders.map(({ id }) => id);
const tables = {
  deepgram: deepgramRefusals,
  openai: openaiRefusals,
  elevenlabs: elevenlabsRefusals,
  xai: xaiRefusals,
  resend: resendRefusals,
};
const rowsOf = <R extends Row>(name: string): readonly R[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../fixtures/refusals/${name}.json`), "utf8")) as R[];
const check = async (id: string, key = "own-key"): Promise<KeyCheck | undefined> => {
  const provider = builtinProviders.find((one) => one.id === id) as Provider | undefined;
  return await provider?.check?.(credentialOf(provider, key, origin, 2_000), new AbortController().signal);
};
const reply = ({ status, body }: Row): void => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  answer = (response) => void response.writeHead(status).end(text);
};

/** What providers answer, in their older formats and in their newer ones, and what it says of the key. */
describe.each(ids)("what %s answers", (id) => {
  it.each(rowsOf<Judged>(id))("$status, $name", async (row) => {
    reply(row);
    const { verdict, reason, region } = row;
    const said = { verdict, ...(reason === undefined ? {} : { reason }), ...(region === undefined ? {} : { region }) };
    expect(await check(id)).toEqual(said);
  });

  it.each(rowsOf("of-others"))("is not what somebody else answers in its place: $status, $name", async (row) => {
    reply(row);
    expect(await check(id)).toEqual({ verdict: "unreachable", reason: "provider_error" });
  });

  it("is judged as it came, whatever the key is", async () => {
    for (const row of rowsOf<Judged>(id)) {
      reply(row);
      // Each of them stands in what a provider says, and is no part of what it means.
      for (const key of ["error", "code", "detail", "message", "status", "invalid", "api", "name", "401"]) {
        expect(await check(id, key), `${row.name}, ${key}`).toMatchObject({ verdict: row.verdict });
      }
    }
  });

  it("is read of its own properties, whatever Object.prototype says", () => {
    const inherited = {
      ...{ err_code: "INVALID_AUTH", err_msg: "Invalid credentials.", name: "invalid_api_key", statusCode: 401 },
      ...{ code: "invalid_api_key", type: "invalid_api_key", status: "invalid_api_key", message: "API key is invalid" },
      ...{ category: "INVALID_AUTH", request_id: "uuid" },
    };
    const nested = { error: { ...inherited }, detail: { ...inherited } };
    for (const all of [inherited, { ...inherited, ...nested }, { ...inherited, error: "Incorrect API key provided" }]) {
      const names = Object.keys(all);
      for (const body of [{}, [], null, { error: {} }, { detail: {} }]) {
        for (const [name, value] of Object.entries(all)) {
          Object.defineProperty(Object.prototype, name, { value, configurable: true });
        }
        const said = classifyRefusal(tables[id], { status: 403, body, text: "{}" });
        for (const name of names) Reflect.deleteProperty(Object.prototype, name);
        expect(said).toBeUndefined();
      }
    }
  });

  it("without end is not read to it", async () => {
    let sent = 0;
    answer = (response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 32))) sent += 65_536;
      };
      response.writeHead(200).on("drain", more).write("[");
      more();
    };
    expect(await check(id)).toMatchObject({ verdict: "passed" });
    expect(sent).toBeLessThan(16_777_216);
  });
});
