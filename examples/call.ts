import { answer } from "./worker.ts";

/** `npm run call -- ORGANISATION [CHANGE]`: one call, which sees the change of that number. */
const [orgId = "acme", change = "0"] = process.argv.slice(2);
console.info(await answer(orgId, { llm_config: { provider: "openai" } }, "When do you open?", Number(change)));
