// Runs scenarios with lbsim as WebAssembly: node run.mjs lbsim_wasm.wasm OUT SCENARIO [path=value ...]
//
// Writes the text files of the results folder to OUT, byte for byte as they come. The module imports nothing: no files, no clock.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

const [wasm, out, scenario, ...set] = process.argv.slice(2);
const text = readFileSync(scenario, "utf8");

// What the scenario reads beside its text: the module has no files, so it is handed them, as text.
const files = {};
for (const [, name] of text.matchAll(/^[^#\n]*\bfile\s*=\s*"([^"]+)"/gm)) {
  const bytes = readFileSync(join(dirname(scenario), name));
  files[name] = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {});
const { memory, ask, answer, told } = instance.exports;
const question = new TextEncoder().encode(JSON.stringify({ name: basename(scenario), text, set, files }));
const place = ask(question.length);
// Memory grows, and is another buffer then: it is looked up anew each time.
new Uint8Array(memory.buffer).set(question, place);
const length = answer();
const bytes = new Uint8Array(memory.buffer, told(), length);
const { fault, ...report } = JSON.parse(new TextDecoder().decode(bytes));
if (fault !== undefined) {
  console.error(fault);
  process.exit(1);
}
for (const [name, content] of Object.entries(report.files)) {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), content);
}
