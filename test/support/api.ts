import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { expect } from "vitest";
import type { Handler } from "../../src/http/index.ts";

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
}
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape, and each was checked against the document.
  readonly json: any;
}

export interface ApiRequest {
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose token; `null` for none. */
  readonly as?: string | null;
}

/** Sends requests to a handler and holds every answer to the handler's own OpenAPI document. */
export class Api {
  readonly #handler: Handler;
  readonly #document: OpenApi;
  readonly #ajv: Ajv2020;

  private constructor(handler: Handler, document: OpenApi) {
    this.#handler = handler;
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false });
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    this.#ajv.addSchema(document, "document");
  }

  static async of(handler: Handler): Promise<Api> {
    const response = await handler(new Request("http://api.example/openapi.json"));
    return new Api(handler, (await response.json()) as OpenApi);
  }

  get document(): object {
    return this.#document;
  }

  /** Every operation of the document, as "GET /byok". */
  get routes(): readonly string[] {
    return Object.entries(this.#document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  async send(method: string, path: string, request: ApiRequest = {}): Promise<ApiAnswer> {
    const { body, raw, as = "org" } = request;
    const headers = new Headers(request.headers);
    if (as !== null && !headers.has("authorization")) headers.set("authorization", `Bearer ${as}`);
    if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
    const sent = raw ?? (body === undefined ? null : JSON.stringify(body));
    const response = await this.#handler(new Request(`http://api.example${path}`, { method, headers, body: sent }));
    const text = await response.text();
    this.check(method, path, response, text);
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === "" ? undefined : JSON.parse(text),
    };
  }

  /** Whether an answer is one that the document announces. */
  check(method: string, path: string, { status, headers }: Response, text: string): void {
    const mediaType = headers.get("content-type")?.split(";")[0] ?? "";
    if (text === "") return;
    const { pathname } = new URL(path, "http://api.example");
    const verb = method === "HEAD" ? "get" : method.toLowerCase();
    const isFailure = status >= 400;
    expect(mediaType).toBe(isFailure ? "application/problem+json" : "application/json");
    const isRouted = this.#document.paths[pathname]?.[verb] !== undefined;
    if (isRouted)
      expect(Object.keys(this.#document.paths[pathname]?.[verb]?.responses ?? {})).toContain(String(status));
    if (pathname === "/openapi.json" && !isFailure) return;
    const pointer = isFailure
      ? "/components/schemas/Problem"
      : ["/paths", escaped(pathname), verb, "responses", String(status), "content", "application~1json", "schema"].join(
          "/",
        );
    const validate = this.#ajv.getSchema(`document#${pointer}`);
    if (validate === undefined) throw new Error(`The document has no ${pointer}.`);
    expect(validate(JSON.parse(text)) ? [] : validate.errors, text).toEqual([]);
  }
}

function escaped(pointer: string): string {
  return pointer.replaceAll("~", "~0").replaceAll("/", "~1");
}
