// SPDX-License-Identifier: MPL-2.0
// Cameras and screens seen in the page, as the node gets them: three real nodes show test pictures,
// and the pixels of the canvases tell what a person sees.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { Browser, faults, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, note, skipAll, step } from "./harness/tap.mjs";

need("playwright-core", "axe-core");
if (!existsSync(process.env.MAILLON_MEDIA ?? "")) skipAll("there is no media helper");
const SILENT = ["--sink", "fake", "--video-sink", "none"];
const MEASURED_MS = 5000;
const CHANGES_MS = 200_000; // on a busy machine a line seems weak, and cameras send stills, seldom

const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé Martin", SILENT);
const bob = new Node("Bob Morane", SILENT);
const eve = new Node("Ève", SILENT);
await Promise.all([zoe, bob, eve].map((node) => node.start()));
await zoe.run("meeting", "create", "Cellule de crise");
const { ticket } = await zoe.run("invite", "--uses", "2");
await Promise.all([bob, eve].map((node) => node.run("join", ticket)));

// What the page is sent can be added to, and what it asks for be seen.
const person = await browser.person("fr-FR");
await person.addInitScript(() => {
  const { send } = WebSocket.prototype;
  globalThis.told = 0; // what the node did not send, and would not hear was seen
  globalThis.watched = [];
  WebSocket.prototype.send = function (text) {
    globalThis.line = this;
    const asked = JSON.parse(text);
    if (asked.seen) asked.seen -= globalThis.told;
    if (asked.watch) globalThis.watched = asked.watch;
    send.call(this, JSON.stringify(asked));
  };
});
const a = await browser.page(person, zoe.address);
await a.locator(".people").waitFor();

const tile = (page, label) =>
  page.locator(".tile").filter({ has: page.getByRole("img", { name: label, exact: true }) });

async function clean(page, name) {
  await browser.shot(page, name);
  assert.deepEqual(await faults(page), [], name);
  assert.deepEqual(await sideways(page), [], name);
}

// The pictures drawn on a canvas, by what is in them: `count` different ones, whenever they come.
const changes = (page, label, count) => page.waitForFunction(([wanted, least]) => {
  const canvas = document.querySelector(`canvas[aria-label="${wanted}"]`);
  if (!canvas?.dataset.shown) return false;
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let hash = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    hash = (hash * 31 + pixels[at] + pixels[at + 1] * 7 + pixels[at + 2] * 13) | 0;
  }
  globalThis.seen ??= {};
  (globalThis.seen[wanted] ??= new Set()).add(hash);
  return globalThis.seen[wanted].size >= least;
}, [label, count], { polling: 100, timeout: CHANGES_MS });

const shown = (page, label) => page.evaluate((wanted) => Number(
  document.querySelector(`canvas[aria-label="${wanted}"]`)?.dataset.shown ?? 0), label);

async function rate(page, label) {
  const [before, since] = [await shown(page, label), performance.now()];
  await page.waitForFunction(([from, ms]) => performance.now() - from > ms,
    [await page.evaluate(() => performance.now()), MEASURED_MS]);
  const count = await shown(page, label) - before;
  note(`${label}: ${(count / (performance.now() - since) * 1000).toFixed(1)} pictures a second`);
}

// It moves enough for stills too, which are sent only when something has changed.
const BALL = "videotestsrc is-live=true pattern=ball ! " +
  "video/x-raw,width=640,height=360,framerate=25/1";
const BOB = "Caméra de Bob Morane";
const OWN = "Votre caméra";

async function seen() {
  await bob.run("cam", "on", "--source", BALL);
  await changes(a, BOB, 4);
  await clean(a, "video-one-fr");
  await rate(a, BOB);
}

// As the network, or a member gone wrong, might send it; what comes after is seen again.
async function malformed() {
  const before = await shown(a, BOB);
  await a.evaluate(() => {
    const [{ source }] = globalThis.watched;
    const header = (length, codec = 1) => {
      const bytes = new Uint8Array(28 + length);
      const view = new DataView(bytes.buffer);
      bytes.set([1, codec, 1, 0]);
      [source, 99, 1, 0, 0, length].forEach((value, at) => view.setUint32(4 + 4 * at, value, true));
      return bytes;
    };
    const noise = header(2000).map((byte, at) => at < 28 ? byte : at * 7 % 256);
    noise.set([0x10, 2, 0, 0x9d, 1, 0x2a, 128, 2, 104, 1], 28); // a keyframe, says its head
    for (const bytes of [noise, header(40), header(40, 2), new Uint8Array(3), new Uint8Array(0)]) {
      globalThis.told++;
      globalThis.line.onmessage({ data: bytes.buffer });
    }
  });
  await tile(a, BOB).and(a.locator("[data-bad]")).waitFor();
  await a.waitForFunction(([label, least]) => Number(
    document.querySelector(`canvas[aria-label="${label}"]`).dataset.shown) >= least,
  [BOB, before + 3], { timeout: CHANGES_MS });
  assert.equal(await a.locator(".failure").count(), 0);
}

async function own() {
  await zoe.run("devices", "use", "--cam", BALL, "--mic", "test");
  await a.locator(".bar").getByRole("button", { name: /^Caméra/ }).click();
  await a.locator(".bar").getByRole("button", { name: /^Caméra/, pressed: true }).waitFor();
  await changes(a, OWN, 2);
  await tile(a, BOB).and(a.locator(".large")).waitFor(); // others come first
}

// By keyboard alone; and nobody else is large until it is let go of.
async function spotlight() {
  await eve.run("cam", "on", "--source", BALL);
  await changes(a, "Caméra de Ève", 2);
  const button = tile(a, OWN).getByRole("button");
  await button.focus();
  await a.keyboard.press("Enter");
  await tile(a, OWN).and(a.locator(".large")).waitFor();
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  assert.equal(await button.evaluate((at) => at === document.activeElement), true);
  await clean(a, "video-three-fr");
  await a.keyboard.press("Enter");
  await tile(a, OWN).and(a.locator(":not(.large)")).waitFor();
}

async function speaks() {
  await eve.run("mic", "on", "--source", "test");
  await tile(a, "Caméra de Ève").and(a.locator(".large")).getByText("parle").waitFor();
  await a.locator(".people li").filter({ hasText: "Ève" }).getByText("parle").waitFor();
  await clean(a, "video-speaks-fr");
  await eve.run("mic", "off");
  await tile(a, "Caméra de Ève").getByText("micro coupé").waitFor();
}

async function slides() {
  await bob.run("screen", "on", "--source", "videotestsrc is-live=true pattern=smpte");
  await tile(a, "Écran de Bob Morane").and(a.locator(".large")).waitFor();
  await changes(a, "Écran de Bob Morane", 1);
  await bob.run("bandwidth", "slides");
  await tile(a, "Écran de Bob Morane").getByText(/^Images fixes/).waitFor();
  await clean(a, "video-still-fr");
  await bob.run("screen", "off");
  await tile(a, "Écran de Bob Morane").waitFor({ state: "detached" });
  await bob.run("bandwidth", "all");
}

async function small() {
  await a.setViewportSize({ width: 320, height: 640 });
  await clean(a, "video-320-fr");
  await a.getByRole("button", { name: "Masquer", exact: true }).click();
  await a.locator(".stage canvas").first().waitFor({ state: "detached" });
  await a.waitForFunction(() => globalThis.watched.length === 0); // nothing is sent for nobody
  await clean(a, "video-folded-320-fr");
  await a.getByRole("button", { name: "Afficher les images" }).click();
  await changes(a, BOB, 1);
  await a.setViewportSize({ width: 1366, height: 768 });
}

// A page loaded anew sees what the node has kept, and goes on.
async function again() {
  await a.reload();
  await changes(a, BOB, 3);
}

async function tried(page, place) {
  await place.getByText("Essayer micro, caméra et son").click();
  const mic = place.getByRole("group", { name: "Micro" });
  await mic.getByRole("button", { name: "Essayer le micro" }).click();
  await mic.getByText(/^On vous entend bien/).waitFor();
  assert.equal(await mic.getByRole("meter", { name: "Niveau du micro" }).count(), 1);
  const cam = place.getByRole("group", { name: "Caméra" });
  await cam.getByRole("button", { name: "Essayer la caméra" }).click();
  await changes(page, "Votre caméra, à l’essai", 2);
}

async function settings() {
  await a.getByRole("button", { name: "Réglages" }).click();
  const dialog = a.getByRole("dialog");
  await tried(a, dialog);
  await clean(a, "devices-settings-fr");
  await a.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await changes(a, OWN, 3); // the camera that is on goes on
}

// On a machine without any device, before any meeting: said plainly, and tried with a test signal.
async function alone() {
  const node = new Node("Léa", SILENT);
  await node.start();
  const b = await browser.page(await browser.person("fr-FR"), node.address);
  const place = b.locator(".device-test");
  await place.getByText("Essayer micro, caméra et son").click();
  await place.getByLabel("Micro à utiliser").waitFor();
  const { microphones, echo_cancelled } = await node.run("devices");
  if (microphones.length === 0) await place.getByText(/^Aucun micro trouvé/).waitFor();
  await place.getByText(echo_cancelled ? /^L’écho est retiré/ : /^Ce poste ne retire pas l’écho/)
    .waitFor();
  await clean(b, "devices-home-fr");
  await place.getByLabel("Micro à utiliser").selectOption({ label: "Signal d’essai, sans appareil" });
  await place.getByLabel("Caméra à utiliser").selectOption({ label: "Signal d’essai, sans appareil" });
  await b.waitForFunction(() => [...document.querySelectorAll(".device select")]
    .filter((at) => at.value === "test").length === 2);
  await place.getByText("Essayer micro, caméra et son").click();
  await tried(b, place);
  await b.setViewportSize({ width: 320, height: 640 });
  await clean(b, "devices-home-320-fr");
  await b.setViewportSize({ width: 1366, height: 768 });
  await clean(b, "devices-trial-fr");
  const sound = place.getByRole("group", { name: "Haut-parleur" });
  await place.getByRole("button", { name: "Arrêter l’essai" }).first().click();
  await sound.getByRole("button", { name: "Jouer un son d’essai" }).click();
  await sound.getByText("Un bip chaque seconde.").waitFor();
  const { sources } = await node.run("stats");
  assert.equal(sources.filter((one) => one.kind === "video").length, 1);
  await b.close(); // nothing is left open by a page that is gone
  for (;;) {
    if ((await node.run("stats")).sources.length === 0) break;
  }
  assert.equal(await node.end(), 0);
}

await step("a camera of another is seen in the page, and moves", seen) &&
await step("what makes no sense is counted, and what follows is seen", malformed) &&
await step("one sees oneself, as the others do", own) &&
await step("any picture is made large by keyboard", spotlight) &&
await step("who speaks is large, and said in words", speaks) &&
await step("a screen is large, and a still says that it is one", slides) &&
await step("on 320 px; folded, nothing is sent", small) &&
await step("a page loaded anew sees again", again) &&
await step("devices are tried in the settings, beside a camera that is on", settings);
await step("devices are tried before any meeting, and none is left open", alone);
await finish(browser, [zoe, bob, eve]);
