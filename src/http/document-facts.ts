import type { OpenAPIHono } from "@hono/zod-openapi";

type OpenApiObjectConfig = Parameters<OpenAPIHono["getOpenAPI31Document"]>[0];

/** What the OpenAPI document says of the whole API. */
export const documentFacts: OpenApiObjectConfig = {
  openapi: "3.1.0",
  info: {
    title: "BYOK",
    version: "1",
    description: "Customers' own provider keys. Keys are never returned; the organisation is the caller's own.",
    contact: { name: "The operator of this service" },
    license: { name: "MIT", url: "https://spdx.org/licenses/MIT.html" },
  },
  // The paths are whole: what stands before them is among them.
  servers: [{ url: "/", description: "The server of this document." }],
  security: [{ bearer: [] }],
  tags: [
    { name: "Audit", description: "Who did what." },
    { name: "Keys", description: "An organisation's keys." },
    { name: "Providers", description: "The providers whose keys can be stored." },
  ],
};

/** How a request says whose it is. A platform that mounts the API may take something else. */
export const bearerScheme = {
  type: "http",
  scheme: "bearer",
  description: "A token of `byokit tokens add`, or what the platform that mounts the API takes in its place.",
} as const;
