/**
 * Says in milliseconds what the run of the guards would find out in minutes: a guard whose text no longer stands exactly
 * once in its file, or whose test is gone.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { allGuards } from "./all-guards.ts";

const root = resolve(import.meta.dirname, "../..");
const complaints: string[] = [];

for (const { name, file, find, also, test } of allGuards.flatMap(([, guards]) => guards)) {
  const path = join(root, "src", file);
  const source = existsSync(path) ? readFileSync(path, "utf8") : "";
  for (const text of [find, ...(also === undefined ? [] : [also.find])]) {
    const times = source.split(text).length - 1;
    if (times !== 1) complaints.push(`"${name}": ${JSON.stringify(text)} stands ${times} times in src/${file}.`);
  }
  if (!existsSync(join(root, "test", test))) complaints.push(`"${name}": there is no test/${test}.`);
}

for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
process.exitCode = complaints.length === 0 ? 0 : 1;
