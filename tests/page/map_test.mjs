// SPDX-License-Identifier: MPL-2.0
// The map on three real nodes, and as it looks with more members than one machine holds: then the
// answer to `map` alone is another than the node's, on its way to the page.
import assert from "node:assert/strict";
import { Browser, faults, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, step } from "./harness/tap.mjs";

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé Martin");
const bob = new Node("Bob \u202eenaroM");
const eve = new Node("\"Ève\" \\N &amp;");
const nodes = [zoe, bob, eve];
await Promise.all(nodes.map((node) => node.start()));
let a, b;

async function clean(page, name) {
  await browser.shot(page, name);
  assert.deepEqual(await faults(page), [], name);
  assert.deepEqual(await sideways(page), [], name);
}

const dialog = (page) => page.getByRole("dialog");
const rows = (page) => dialog(page).locator(".mapped li");
const row = (page, name) => rows(page).filter({ has: page.locator(".who", { hasText: name }) });
// The names others gave themselves, as they are shown.
const shown = { bob: "Bob [U+202E]enaroM", eve: "\"Ève\" \\N &amp;" };

async function meet() {
  await zoe.run("meeting", "create", "Conseil");
  const { ticket } = await zoe.run("invite", "--uses", "2");
  await bob.run("join", ticket);
  await eve.run("join", ticket);
  a = await browser.page(await browser.person("fr-FR"), zoe.address);
  b = await browser.page(await browser.person("en-GB"), bob.address);
  for (const page of [a, b]) await page.locator(".people li").nth(2).waitFor();
}

// By keyboard alone: the links, the map in them, and what it says.
async function opened() {
  const links = a.getByRole("button", { name: /Voir les liaisons/ });
  await links.focus();
  await a.keyboard.press("Enter");
  await dialog(a).getByRole("heading", { name: "Liaisons" }).waitFor();
  for (const name of ["Fermer", "Voir la carte"]) {
    await a.keyboard.press("Tab");
    assert.equal(await a.evaluate(() => document.activeElement.textContent), name);
  }
  await a.keyboard.press("Enter");
  await dialog(a).getByRole("img", { name: "Carte de la réunion : 3 membres, dont en liaison "
    .replaceAll(" :", "\u00a0:") + "directe 2, par d’autres 0, absents 0. La liste qui suit dit la même chose." })
    .waitFor();
  await row(a, "Zoé Martin").getByText("vous", { exact: true }).waitFor();
  for (const name of [shown.bob, shown.eve]) {
    await row(a, name).getByText("en liaison directe", { exact: true }).waitFor();
  }
  // Each is linked with both others, and there is a line in the picture for each pair.
  await row(a, shown.bob).getByText("Zoé Martin").waitFor();
  await row(a, shown.bob).getByText(shown.eve).waitFor();
  await a.waitForFunction(() => document.querySelectorAll("svg.map line").length === 3);
  await dialog(a).locator(".newest-change").getByText(/est là, en liaison directe\./).waitFor();
  await clean(a, "map-fr");
  await b.getByRole("button", { name: /See the links/ }).click();
  await dialog(b).getByText("See the map").click();
  await row(b, "Zoé Martin").getByText("linked directly", { exact: true }).waitFor();
  await clean(b, "map-en");
}

// Told by itself, while it is looked at, and said to a screen reader.
async function changes() {
  eve.process.kill("SIGTERM");
  assert.equal(await eve.ended, 0);
  await dialog(a).locator(".newest-change").getByText("n’est plus là : il a dit au revoir."
    .replace(" :", "\u00a0:")).waitFor();
  await row(a, shown.eve).getByText("absent", { exact: true }).waitFor();
  await dialog(b).locator(".newest-change").getByText("is gone: it said goodbye.").waitFor();
  // The page behind a dialog is not heard: the dialog says it.
  await dialog(a).locator(".spoken").getByText("il a dit au revoir").waitFor();
  await clean(a, "map-absent-fr");
  const map = await zoe.run("map");
  assert.equal(map.changes.at(-1).text, `${eve.name} is gone: it said goodbye`);
  assert.deepEqual(map.members.map((one) => [one.name, one.present, one.neighbour]),
    [[zoe.name, true, false], [bob.name, true, true], [eve.name, false, false]]);
  await eve.start();
  await row(a, shown.eve).getByText("en liaison directe", { exact: true }).waitFor();
  await dialog(b).getByText("See the map").click();
  await b.locator("svg.map").first().waitFor({ state: "detached" });
}

const id = (number) => number.toString(16).padStart(64, "0");

// What the node says in the language it is asked in.
const WORDS = {
  fr: { member: "Membre", long: "Un nom qui n’en finit pas, de la préfecture",
    change: "Membre 9 passe par Membre 4\u00a0: la liaison directe est devenue muette" },
  en: { member: "Member", long: "A name that goes on and on, of the prefecture",
    change: "Member 9 is reached through Member 4: the direct link went silent" },
};

// Six links each, oneself the first, everything that a map can tell.
function meshOf(count, words) {
  const hops = (at) => at === 0 ? 0 : at <= 6 ? 1 : at <= Math.ceil(count / 2) ? 2 : 3;
  const absent = (at) => at > 0 && at % 13 === 0;
  const members = Array.from({ length: count }, (_, at) => ({
    id: id(at), name: at === 4 ? words.long : `${words.member} ${at + 1}`,
    self: at === 0, present: !absent(at), hops: absent(at) ? 0 : hops(at),
    neighbour: hops(at) === 1 && !absent(at),
    via: hops(at) > 1 && !absent(at) ? id(1 + at % 6) : "", weak: at % 10 === 2, relay: at === 3,
  }));
  const links = [];
  for (let at = 1; at < count; at++) {
    for (const other of new Set([hops(at) === 1 ? 0 : 1 + at % 6, Math.max(1, at - 1), Math.max(1, at - 7)])) {
      if (other !== at && !absent(at)) {
        links.push({ a: id(other), b: id(at), rtt_ms: at % 9 ? 40 : null, loss: at % 7 ? 0.01 : 0.15,
          room: at % 11 ? 512_000 : 0, both: at % 5 > 0 });
      }
    }
  }
  return { members, links, changes: [{ at: new Date().toISOString(), member: id(8), text: words.change }] };
}

async function many(count, language) {
  const person = await browser.person(language);
  const page = await browser.page(person, "about:blank");
  const { address } = await zoe.run("page");
  const asked = new Map(); // in which language, by its number
  await page.routeWebSocket(/\/live/, (socket) => {
    const node = socket.connectToServer();
    socket.onMessage((text) => {
      const request = JSON.parse(text);
      if (request.command === "map") asked.set(request.id, request.language);
      node.send(text);
    });
    node.onMessage((text) => {
      const answer = typeof text === "string" ? JSON.parse(text) : {};
      socket.send(asked.has(answer.id) && answer.ok
        ? JSON.stringify({ ...answer, result: meshOf(count, WORDS[asked.get(answer.id)]) }) : text);
    });
  });
  await page.goto(address);
  await page.getByRole("button", { name: /Voir les liaisons|See the links/ }).click();
  await dialog(page).getByText(/Voir la carte|See the map/).click();
  await page.waitForFunction((wanted) =>
    document.querySelectorAll(".mapped li").length === wanted, count);
  return [page, person];
}

// Nobody stands outside the picture, nor on somebody else.
const placed = (page) => page.evaluate(() => {
  const box = document.querySelector("svg.map").viewBox.baseVal;
  const places = [...document.querySelectorAll("svg.map:not(.sign) g")].map((group) => {
    const { x, y, width, height } = group.firstElementChild.getBBox();
    return [x + width / 2, y + height / 2];
  });
  const outside = places.filter(([x, y]) => x < 0 || y < 0 || x > box.width || y > box.height);
  const close = places.filter(([x, y], at) => places.slice(at + 1)
    .some(([left, top]) => Math.hypot(x - left, y - top) < 7));
  return { count: places.length, outside, close };
});

async function sizes() {
  for (const [count, language] of [[8, "fr-FR"], [40, "en-GB"], [100, "fr-FR"], [250, "fr-FR"]]) {
    const [page, person] = await many(count, language);
    const drawn = await placed(page);
    assert.equal(drawn.count, count);
    assert.deepEqual(drawn.outside, [], `${count} members`);
    assert.deepEqual(drawn.close, [], `${count} members`);
    await clean(page, `map-${count}-${language.slice(0, 2)}`);
    for (const [width, height, name] of [[683, 384, "200-percent"], [320, 568, "320"]]) {
      await page.setViewportSize({ width, height });
      await clean(page, `map-${count}-${name}`);
    }
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 1366, height: 768 });
    await clean(page, `map-${count}-dark`);
    await person.close();
  }
}

async function words() {
  const [page, person] = await many(40, "fr-FR");
  await row(page, "Membre 9").getByText("par Membre 4", { exact: true }).waitFor();
  await row(page, "Membre 30").getByText(/^par Membre \d, 3 liaisons$/).waitFor();
  await row(page, "Membre 14").getByText("absent", { exact: true }).waitFor();
  await row(page, "Membre 13").getByText(/ligne faible, ne relaie pas$/).waitFor();
  await row(page, "Membre 4").first().getByText("en liaison directe, là pour relayer").waitFor();
  await dialog(page).locator(".newest-change").getByText("la liaison directe est devenue muette.").waitFor();
  await browser.shot(page, "map-words");
  await person.close();
}

for (const [name, work] of [
  ["three nodes meet", meet],
  ["the map is opened by keyboard: a picture, and the same in words", opened],
  ["who goes away is told there and then, with why, in the language of each", changes],
  ["8, 40, 100, 250 members, 200 %, 320 px, dark: nothing lies on anything, axe finds nothing", sizes],
  ["who is relayed by whom, who is weak and who is absent stand in words", words],
]) {
  if (!await step(name, work)) {
    await Promise.all([a, b].map((page, at) =>
      page && !page.isClosed() && browser.shot(page, `failed-${at}-${work.name}`)));
    if (work === meet) break;
  }
}
await finish(browser, nodes);
