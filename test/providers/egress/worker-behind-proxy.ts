/** A worker whose environment names a proxy. Prints how its requests to loopback fared, as JSON. */
import { openai } from "../../../src/providers/openai.ts";
import { egressOf, serving } from "../../support/egress.ts";

const [origin = ""] = process.argv.slice(2);
const { fetch: send } = egressOf(openai, serving("customer-key-0123456789", origin));
const { status } = await send(`${origin}/path`);
const bare = await fetch(`${origin}/bare`).then(
  (answer) => (answer.ok ? "directly" : "by the proxy"),
  () => "by the proxy",
);
process.stdout.write(JSON.stringify({ slot: status, bare }));
