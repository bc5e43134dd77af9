// SPDX-License-Identifier: MPL-2.0
// What is said without the microphone being left on: push-to-talk and voice messages, by two real
// nodes that hear beeps. The page asks for the microphone there is; here that is put into its words.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { Browser, faults, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, skipAll, step } from "./harness/tap.mjs";

need("playwright-core", "axe-core");
if (!existsSync(process.env.MAILLON_MEDIA ?? "")) skipAll("there is no media helper");
const SILENT = ["--sink", "fake", "--video-sink", "none"];
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé", SILENT);
const bob = new Node("Bob", SILENT);
await Promise.all([zoe.start(), bob.start()]);
await zoe.run("meeting", "create", "Cellule");
await bob.run("join", (await zoe.run("invite")).ticket);

const person = await browser.person("fr-FR");
await person.addInitScript(() => {
  const { send } = WebSocket.prototype;
  globalThis.told = 0; // what the node did not send, and would not hear was seen
  WebSocket.prototype.send = function (text) {
    globalThis.line = this;
    const asked = JSON.parse(text);
    if (/^(talk|voice send)$/.test(asked.command)) asked.arguments.source = "test";
    if (asked.seen) asked.seen -= globalThis.told;
    send.call(this, JSON.stringify(asked));
  };
  // What the page is told that the node offers, of a line that these two do not have.
  const { get, set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
  const offering = (data) => {
    const said = typeof data === "string" ? JSON.parse(data) : {};
    if (!said.result?.meetings) return data;
    return JSON.stringify({ ...said, result: { ...said.result, offer: globalThis.offer } });
  };
  Object.defineProperty(WebSocket.prototype, "onmessage", {
    get,
    set(heard) {
      set.call(this, ({ data }) => heard({ data: offering(data) }));
    },
  });
});
const a = await browser.page(person, zoe.address);
const status = a.locator(".bar .speaking");
const talk = a.getByRole("button", { name: /^Parler/ });
const record = a.locator(".chat").getByRole("button", { name: "Message vocal", exact: true });
const voices = async (node) => (await node.run("messages")).filter((one) => one.voice?.whole);

async function clean(name) {
  await browser.shot(a, name);
  assert.deepEqual(await faults(a), [], name);
  assert.deepEqual(await sideways(a), [], name);
}

const quiet = () => status.locator(".recording").waitFor({ state: "detached" });
// Pressed for a moment, as far as the page's clock goes: a busy machine may take long between the two.
const tap = () => a.evaluate(() => {
  for (const type of ["keydown", "keyup"]) {
    document.activeElement.dispatchEvent(
      new KeyboardEvent(type, { key: " ", code: "Space", bubbles: true, cancelable: true }));
  }
});
// Has it been said for so long? A busy machine may look late.
const second = (number) => a.waitForFunction((least) =>
  Number(document.querySelector(".elapsed")?.textContent.replace(":", "")) >= least, number);

async function hear() {
  // Long enough for what is to be seen while it is heard, on a busy machine too.
  await bob.run("voice", "send", "--source", "test", "--seconds", "8");
  const row = a.locator(".messages li").filter({ hasText: /Message vocal de \d+ s/ });
  await row.getByRole("button", { name: /^Écouter\s: Bob/ }).click();
  await row.getByRole("progressbar").waitFor();
  await clean("voice-heard-fr");
  await row.getByRole("button", { name: /^Écouter/ }).waitFor(); // it ends by itself
  await row.getByRole("button", { name: /^Écouter/ }).click();
  await row.getByRole("button", { name: /^Arrêter/ }).click();
  await row.getByRole("button", { name: /^Écouter/ }).waitFor();
  assert.equal(await a.locator(".chat .failure").count(), 0);
}

async function send() {
  const before = (await voices(zoe)).length;
  await record.click();
  await second(1);
  assert.equal(await record.getAttribute("aria-pressed"), "true");
  assert.equal(await talk.getAttribute("aria-disabled"), "true");
  await clean("voice-recording-fr");
  await status.getByRole("button", { name: "Terminer et envoyer" }).click();
  await quiet();
  const sent = await voices(zoe);
  assert.equal(sent.length, before + 1);
  assert.ok(sent.at(-1).voice.duration_ms >= 500, JSON.stringify(sent.at(-1)));
  await a.locator(".messages .own").filter({ hasText: "Message vocal de" }).waitFor();
}

// Held with the mouse and let go; a key pressed for a moment, and once more; the shortcut held.
async function push() {
  const live = status.getByText("On vous entend en direct.");
  await talk.hover();
  await a.mouse.down();
  await live.waitFor();
  assert.equal((await zoe.run("stats")).sources.filter((one) => one.kind === "voice").length, 1);
  await clean("talk-fr");
  await second(1);
  await a.mouse.up();
  await quiet();
  await talk.focus();
  await tap();
  await live.waitFor();
  await a.keyboard.press("Space");
  await quiet();
  await a.keyboard.down("Alt");
  await a.keyboard.down("Shift");
  await a.keyboard.down("KeyT");
  await live.waitFor();
  await second(1);
  await a.keyboard.up("KeyT");
  await a.keyboard.up("Shift");
  await a.keyboard.up("Alt");
  await quiet();
  assert.equal(await a.locator(".bar .failure").count(), 0);
  assert.deepEqual((await zoe.run("stats")).sources, []);
}

// Told as the node tells it, in an event and to whoever asks.
async function offer() {
  const count = (await voices(zoe)).length;
  const why = "La ligne vers Bob ne porte que 6 kbit/s : trop peu pour la voix en direct.";
  const tell = (what) => a.evaluate(([offer, fr]) => {
    globalThis.told++;
    globalThis.offer = { offer, reason: "x", reasons: { fr, en: "x" } };
    globalThis.line.onmessage({ data: JSON.stringify({ event: "offer", current: true,
      number: 1e9, ...globalThis.offer }) });
  }, [what, why]);
  await tell("voice send");
  await a.getByText(`${why} Un message vocal, lui, arrivera.`).waitFor();
  await clean("voice-offer-fr");
  await a.setViewportSize({ width: 320, height: 568 });
  await clean("voice-offer-320-fr");
  await a.getByRole("button", { name: "Non merci" }).click();
  await a.locator(".offer").waitFor({ state: "detached" });
  await tell("voice send");
  await a.locator(".offer").waitFor();
  await tell(""); // the line carries live voice again
  await a.locator(".offer").waitFor({ state: "detached" });
  await tell("voice send");
  await a.getByRole("button", { name: "Enregistrer un message vocal" }).click();
  await a.locator(".offer").waitFor({ state: "detached" });
  await second(1);
  await clean("voice-recording-320-fr");
  await a.setViewportSize({ width: 1366, height: 768 });
  await status.getByRole("button", { name: "Terminer et envoyer" }).click();
  await quiet();
  assert.equal((await voices(zoe)).length, count + 1);
}

async function microphone() {
  await zoe.run("mic", "on", "--source", "test");
  await a.getByRole("button", { name: /^Micro/, pressed: true }).waitFor();
  assert.equal(await talk.getAttribute("aria-disabled"), "true");
  assert.equal(await a.locator(".bar .reason").count(), 0); // a good line needs no sentence
  await clean("microphone-fr");
  await zoe.run("mic", "off");
  await a.getByRole("button", { name: /^Micro/, pressed: false }).waitFor();
}

// The page is gone: what it recorded ends, and is sent.
async function gone() {
  const count = (await voices(zoe)).length;
  await record.click();
  await second(1);
  await a.reload();
  await a.locator(".messages .own").nth(count - 1).waitFor();
  while ((await voices(zoe)).length <= count) await a.waitForTimeout(100); // shown before it is whole
  await record.click(); // the microphone is free again
  await second(1);
  await record.click();
  await quiet();
  assert.equal(await a.locator(".bar .failure").count(), 0);
}

for (const [name, work] of [
  ["a voice message is heard from the list, to its end or until it is stopped", hear],
  ["one is recorded from the chat, and goes out", send],
  ["push-to-talk by mouse, key and shortcut, held or pressed twice", push],
  ["what the node offers on a weak line is taken or declined", offer],
  ["a microphone that is on is shown, without a word of a good line", microphone],
  ["no microphone stays open behind a page that is gone", gone],
]) {
  if (!await step(name, work)) await browser.shot(a, `failed-${work.name}`);
}
await finish(browser, [zoe, bob]);
