// SPDX-License-Identifier: MPL-2.0
// The catalogues say the same things, all that the page asks for, and nothing else; the sources are
// of one type; the state is told in the meeting's order.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { modules, need } from "./harness/browser.mjs";
import { end, step } from "./harness/tap.mjs";

need("esbuild", "typescript");
const tree = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../node/page");
const place = mkdtempSync(join(tmpdir(), "maillon-texts-"));
const texts = Object.fromEntries(readdirSync(join(tree, "texts"))
  .map((name) => [name, JSON.parse(readFileSync(join(tree, "texts", name), "utf8"))]));
const sources = readdirSync(join(tree, "app")).filter((name) => /\.tsx?$/.test(name))
  .map((name) => readFileSync(join(tree, "app", name), "utf8")).join("\n");
const stem = (key) => key.replace(/\.(one|few|many|other)$/, "");

await step("every catalogue has the same keys, and each text the same values", () => {
  const wanted = texts["fr.json"];
  for (const [name, catalogue] of Object.entries(texts)) {
    assert.deepEqual([...new Set(Object.keys(catalogue).map(stem))].sort(),
      [...new Set(Object.keys(wanted).map(stem))].sort(), name);
    for (const [key, text] of Object.entries(catalogue)) {
      const values = (said) => [...said.matchAll(/\{\w+\}/g)].map(String).sort();
      // One of something may be said without its number.
      if (wanted[key] && !key.endsWith(".one")) {
        assert.deepEqual(values(text), values(wanted[key]), `${name}: ${key}`);
      }
      assert.ok(text.trim(), `${name}: ${key} is empty`);
    }
  }
});

await step("every key the page asks for is there, and every key is asked for", () => {
  const keys = new Set(Object.keys(texts["fr.json"]).map(stem));
  const asked = new Set([...sources.matchAll(/"([a-z]+(?:\.[A-Za-z]+)+)"/g)].map((hit) => hit[1]));
  const begun = [...sources.matchAll(/`([a-z]+(?:\.[A-Za-z]+)*\.)\$\{/g)].map((hit) => hit[1]);
  const single = [...sources.matchAll(/\btext\((?:[^"()]*\? )?"(\w+)"/g)].map((hit) => hit[1]);
  const isKey = (word) => [...keys].some((key) => key.startsWith(`${word.split(".")[0]}.`));
  for (const key of asked) {
    if (isKey(key)) assert.ok(keys.has(key), `no text for ${key}`);
  }
  for (const key of single) assert.ok(keys.has(key), `no text for ${key}`);
  for (const key of keys) {
    assert.ok(asked.has(key) || single.includes(key) || begun.some((word) => key.startsWith(word)) ||
      sources.includes(`"${key}"`), `nobody says ${key}`);
  }
});

await step("French has its unbreakable spaces", () => {
  for (const [key, text] of Object.entries(texts["fr.json"])) {
    assert.ok(!/[^\u00a0\u202f][:;!?»%](?=\s|$)|«(?![\u00a0\u202f])/.test(
      text.replace(/\w+:/g, "")), `${key}: ${text}`);
  }
});

await step("the sources are of one type", () => {
  const settings = join(modules, "..", "tsconfig.json");
  writeFileSync(settings, JSON.stringify({
    extends: join(tree, "tsconfig.json"),
    compilerOptions: { baseUrl: ".", paths: { "*": ["node_modules/*"] } },
    include: [join(tree, "app")],
  }));
  execFileSync(process.execPath, [join(modules, "typescript/bin/tsc"), "-p", settings],
    { encoding: "utf8" });
});

await step("what is told comes into the meeting's order, once, whatever it is", async () => {
  const esbuild = createRequire(join(modules, "x"))("esbuild");
  const outfile = join(place, "state.mjs");
  esbuild.buildSync({ entryPoints: [join(tree, "app/state.ts")], outfile, format: "esm",
    bundle: true });
  const { nothing, reduce } = await import(pathToFileURL(outfile).href);
  const told = (state, event) => reduce(state, { kind: "event", event });
  const message = (id, previous) => ({ event: "message", current: true, previous,
    message: { id, text: id } });
  let state = nothing;
  for (const [id, previous] of [["a", ""], ["c", "a"], ["b", "a"], ["d", "c"], ["0", ""],
    ["c", "b"]]) {
    state = told(state, message(id, previous));
  }
  assert.equal(state.messages.map((one) => one.id).join(""), "0abcd");
  assert.equal(told(state, { ...message("x", "d"), current: false }).messages.length, 5);
  assert.equal(told(state, { event: "of a newer node", current: true, thing: {} }), state);
  let flooded = nothing;
  for (let number = 0; number < 10_000; number++) {
    flooded = told(flooded, message(String(number), String(number - 1)));
  }
  assert.equal(flooded.messages.length, 10_000);
  assert.ok(flooded.messages.every((one, number) => one.id === String(number)));
  const meeting = (id, current) => ({ event: "meeting", state: { id, current } });
  state = told(told(state, meeting("m", true)), meeting("n", true));
  assert.deepEqual(state.meetings.map((one) => one.current), [false, true]);
  for (let number = 0; number < 100; number++) {
    state = told(state, { event: "notice", number, text: "x" });
  }
  assert.equal(state.notices.length, 3);
  const offer = (what, current) => ({ event: "offer", offer: what, current, reason: "x",
    reasons: { fr: "y" } });
  state = told(state, offer("voice send", true));
  assert.deepEqual(state.offer, { reason: "x", reasons: { fr: "y" } });
  assert.equal(told(state, offer("", false)), state); // of another meeting
  assert.equal(told(state, offer("", true)).offer, null); // taken back
  assert.equal(told(nothing, offer("of a newer node", true)).offer, null);
});

await step("an invitation is a calendar's, whatever it says, and gives its ticket back", async () => {
  const esbuild = createRequire(join(modules, "x"))("esbuild");
  const outfile = join(place, "calendar.mjs");
  esbuild.buildSync({ entryPoints: [join(tree, "app/calendar.ts")], outfile, format: "esm",
    bundle: true });
  const { calendar, carriedIn, fileName } = await import(pathToFileURL(outfile).href);
  const ticket = `maillon:${"abcdefgh234567".repeat(14)}`;
  const title = `Été, \\ hiver; 会議 ${"é😀".repeat(60)}\r\nBEGIN:VALARM\u0007`;
  const written = calendar({ uid: "1@maillon", language: "fr", title,
    made: new Date("2026-01-02T03:04:05.678Z"), start: new Date("2026-12-31T23:30:00+01:00"),
    minutes: 90, description: `Voici :\n\n${ticket}\n\nBon.` });
  assert.ok(written.endsWith("END:VCALENDAR\r\n"));
  const lines = written.split("\r\n");
  for (const line of lines) {
    assert.ok(Buffer.byteLength(line) <= 75, line);
    assert.ok(!/[\u0000-\u001f\u007f\ufffd]/.test(line), line);
  }
  const whole = written.replaceAll("\r\n ", "").split("\r\n");
  assert.deepEqual(whole.slice(0, 8), ["BEGIN:VCALENDAR", "VERSION:2.0",
    "PRODID:-//Maillon//Maillon//FR", "BEGIN:VEVENT", "UID:1@maillon", "DTSTAMP:20260102T030405Z",
    "DTSTART:20261231T223000Z", "DTEND:20270101T000000Z"]);
  assert.equal(whole[8],
    `SUMMARY:Été\\, \\\\ hiver\\; 会議 ${"é😀".repeat(60)}\\nBEGIN:VALARM `);
  assert.equal(whole.filter((line) => line.startsWith("BEGIN:")).length, 2);
  const word = "maillon";
  assert.deepEqual(carriedIn(written), { word, text: ticket });
  assert.deepEqual(carriedIn(`\ufeff${ticket.toUpperCase().replace(/(.{20})/g, "$1\n")} \n`),
    { word, text: ticket });
  assert.deepEqual(carriedIn(`Bonjour,\nvoici ${ticket}\nA demain`), { word, text: ticket });
  for (const other of ["maillon-join", "maillon-answer"]) {
    assert.deepEqual(carriedIn(`Voici : ${other.toUpperCase()}:ABCD2`), { word: other, text: `${other}:abcd2` });
  }
  for (const none of ["", "maillon:", "maillon-code:abc", "rien", "\u0000".repeat(100)]) {
    assert.equal(carriedIn(none), null);
  }
  assert.equal(fileName("../Été : 会議/", "ics"), "Été-会議.ics");
  assert.equal(fileName("…", "maillon"), "maillon.maillon");
});

rmSync(place, { recursive: true });
end();
