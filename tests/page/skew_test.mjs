// SPDX-License-Identifier: MPL-2.0
// What may happen to an open page: another version behind it, a second page beside it, a clock that
// jumps, a flood of events.
import assert from "node:assert/strict";
import { Browser, faults, need } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, note, step } from "./harness/tap.mjs";

const FLOOD = 2000; // of ten thousand texts_test tells what becomes
const BATCH = 50;

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé");
await zoe.start();
const person = await browser.person("fr-FR");
const a = await browser.page(person, zoe.address);
const origin = new URL(zoe.address).origin;
const writing = (page) => page.locator(".writing textarea");
const message = (page, text) =>
  page.locator(".messages .text").filter({ hasText: new RegExp(`^${text}$`) }).first().waitFor();

async function create() {
  await a.getByLabel("Titre de la réunion").fill("Durée");
  await a.keyboard.press("Enter");
  await a.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  await a.keyboard.press("Escape");
}

// A page whose script says it is of another build, as one kept from before an update: `until` tells
// for how many loadings.
async function old(until) {
  const page = await person.newPage();
  let loads = 0;
  await page.route("**/app.js", async (route) => {
    const answer = await route.fetch();
    const text = await answer.text();
    const build = /"([0-9a-f]{16})"/.exec(text)[1];
    const changed = loads++ < until ? text.replaceAll(build, "0123456789abcdef") : text;
    await route.fulfill({ response: answer, body: changed });
  });
  await page.goto(origin);
  return { page, loads: () => loads };
}

async function skew() {
  await writing(a).fill("pas encore envoyé");
  const updated = await old(1);
  await writing(updated.page).waitFor();
  assert.equal(updated.loads(), 2, "it was not loaded anew once");
  assert.equal(await writing(updated.page).inputValue(), "pas encore envoyé");
  await updated.page.close();
  const kept = await old(Infinity);
  await kept.page.getByText("le navigateur garde l’ancienne page").waitFor();
  assert.equal(kept.loads(), 2, "it goes round in circles");
  assert.deepEqual(await faults(kept.page), []);
  await browser.shot(kept.page, "old-page-fr");
  await kept.page.close();
  await writing(a).fill("");
}

async function two() {
  const second = await browser.page(person, origin);
  await writing(second).waitFor();
  await writing(second).fill("de la seconde");
  await second.keyboard.press("Enter");
  await message(a, "de la seconde");
  await writing(a).fill("de la première");
  await a.keyboard.press("Enter");
  await Promise.all([a, second].map((page) => message(page, "de la première")));
  const list = (page) => page.locator(".messages .text").allTextContents();
  assert.deepEqual(await list(second), await list(a));
  await second.getByRole("button", { name: "Réunions" }).click();
  await second.getByRole("heading", { name: "Vos réunions" }).waitFor();
  await writing(a).waitFor(); // the other goes where it wants
  await second.close();
  await message(a, "de la première");
}

async function clock() {
  const page = await person.newPage();
  const here = Date.now();
  await page.clock.install({ time: here });
  await page.goto(origin);
  await writing(page).waitFor();
  for (const [name, jump_ms] of [["avance", 400 * 86_400_000], ["retour", -900 * 86_400_000]]) {
    await page.clock.setSystemTime(here + jump_ms);
    await writing(page).fill(`horloge ${name}`);
    await page.keyboard.press("Enter");
    await message(page, `horloge ${name}`);
    await zoe.run("say", `reçu, ${name}`);
    await message(page, `reçu, ${name}`);
  }
  await page.close();
}

// Said by a second page as fast as the node records it.
async function flood() {
  const source = await browser.page(person, origin);
  await writing(source).waitFor();
  const begun = Date.now();
  const kept = await source.evaluate(async ([count, batch]) => {
    const socket = new WebSocket(`ws://${location.host}/live`, ["maillon", localStorage.getItem("key")]);
    await new Promise((done) => { socket.onopen = done; });
    const waiting = new Map();
    let had = 0;
    let said = 0;
    socket.onmessage = ({ data }) => {
      const answer = JSON.parse(data);
      if (++had % 16 === 0) socket.send(JSON.stringify({ seen: had }));
      if (answer.ok !== undefined) waiting.get(answer.id)(answer);
    };
    for (let number = 0; number < count; number += batch) {
      await Promise.all(Array.from({ length: batch }, (_, n) => new Promise((done) => {
        const id = number + n + 1;
        waiting.set(id, (answer) => {
          said += answer.ok;
          done();
        });
        socket.send(JSON.stringify({ id, command: "say", arguments: { text: `crue ${id}` } }));
      })));
    }
    socket.close();
    return said;
  }, [FLOOD, BATCH]);
  note(`${FLOOD} messages in ${Date.now() - begun} ms, ${kept} recorded`);
  assert.equal(kept, FLOOD);
  await message(a, `crue ${FLOOD}`);
  await writing(a).fill("après la crue");
  await a.keyboard.press("Enter");
  await message(a, "après la crue");
  const own = (await zoe.run("messages")).map((one) => one.text);
  const shown = await a.locator(".messages .text").allTextContents();
  assert.deepEqual(shown, own.slice(-shown.length));
  await source.close();
}

for (const [name, work] of [
  ["a meeting is created", create],
  ["the page of another build is loaded anew once, then says what to do; what was written stays", skew],
  ["two pages of one node show the same", two],
  ["a clock that jumps changes nothing but the hours shown", clock],
  ["after a flood the page shows what the node has", flood],
]) {
  if (!await step(name, work)) await browser.shot(a, `failed-skew-${work.name}`);
}
await finish(browser, [zoe]);
