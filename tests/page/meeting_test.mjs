// SPDX-License-Identifier: MPL-2.0
// The meeting screen on three real nodes: hands in one order, votes seen and cast by keyboard, the
// links in words and pictures, shortcuts that steal nothing, words that survive.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser, faults, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, step } from "./harness/tap.mjs";

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé Martin");
const bob = new Node("Bob Morane");
const eve = new Node("Ève");
const nodes = [zoe, bob, eve];
await Promise.all(nodes.map((node) => node.start()));
const place = mkdtempSync(join(tmpdir(), "maillon-meeting-"));
let a, b;

async function clean(page, name) {
  await browser.shot(page, name);
  assert.deepEqual(await faults(page), [], name);
  assert.deepEqual(await sideways(page), [], name);
}

const hand = (page, name) => page.locator(".bar").getByRole("button", { name });
const queue = (page) => page.locator(".queue li .said").allTextContents();

// What the page shows is what the node says, sooner or later.
async function queued(page, names) {
  await page.waitForFunction((wanted) => JSON.stringify(
    [...document.querySelectorAll(".queue li .said")].map((at) => at.textContent)) === wanted,
  JSON.stringify(names));
  assert.deepEqual(await queue(page), names);
}

async function meet() {
  await zoe.run("meeting", "create", "Conseil");
  const { ticket } = await zoe.run("invite", "--uses", "2");
  await bob.run("join", ticket);
  await eve.run("join", ticket);
  a = await browser.page(await browser.person("fr-FR"), zoe.address);
  b = await browser.page(await browser.person("en-GB"), bob.address);
  await a.locator(".people li").filter({ hasText: "Ève" }).getByText("relié", { exact: true }).waitFor();
  await b.locator(".people li").filter({ hasText: "Ève" }).waitFor();
}

async function hands() {
  await eve.run("hand", "up");
  await queued(a, ["Ève"]);
  await queued(b, ["Ève"]);
  await b.locator(".writing textarea").focus();
  await b.keyboard.press("Alt+Shift+H"); // types nothing, so a field keeps nothing of it
  await queued(a, ["Ève", "Bob Morane"]);
  await hand(b, /^Hand up, no\. 2$/).waitFor();
  assert.equal(await b.locator(".writing textarea").inputValue(), "");
  await hand(a, /^Main/).click();
  const all = ["Ève", "Bob Morane", "Zoé Martin"];
  await Promise.all([queued(a, all), queued(b, all)]);
  for (const node of nodes) await listed(node, all);
  await clean(a, "hands-fr");
  await clean(b, "hands-en");
  // Who presides lowers a hand, who does not is not offered it.
  assert.equal(await b.getByRole("button", { name: /^Lower the hand of/ }).count(), 0);
  await a.getByRole("button", { name: "Baisser la main de Ève" }).click();
  await Promise.all([queued(a, all.slice(1)), queued(b, all.slice(1))]);
  await a.keyboard.press("Alt+Shift+H");
  await b.keyboard.press("Alt+Shift+H");
  await Promise.all([a, b].map((page) => page.locator(".queue").waitFor({ state: "detached" })));
}

// Asks again until a node lists just these hands, or the test is over.
async function listed(node, names, tries = 2000) {
  const hands = names.map((name, at) => [at + 1, name]);
  for (let left = tries; ; left--) {
    const queue = (await node.run("hand", "list")).map((one) => [one.number, one.name]);
    if (left === 0) assert.deepEqual(queue, hands);
    if (JSON.stringify(queue) === JSON.stringify(hands)) return;
  }
}

async function reach(page, name, tries = 80) {
  for (let left = tries; left > 0; left--) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const here = document.activeElement;
      return here.getAttribute("aria-label") ??
        (here.closest("label") ?? here).textContent ?? "";
    });
    if (name.test(at.trim())) return;
  }
  assert.fail(`${name} is not reached by keyboard`);
}

// From the question to the result without a mouse, own words as choices.
async function motion() {
  await a.locator("h1").focus();
  await reach(a, /^Ouvrir un vote$/);
  await a.keyboard.press("Enter");
  await a.keyboard.type("Où se réunir ?");
  await a.keyboard.press("Tab");
  await a.keyboard.press("Control+A");
  await a.keyboard.type("salle A, salle B, sans avis");
  await a.keyboard.press("Enter");
  const card = (page) => page.locator(".motion").filter({ hasText: "Où se réunir ?" });
  await card(b).getByText("Have not voted (3):").waitFor();
  await eve.run("vote", (await eve.run("motion", "list"))[0].id, "salle B");
  await card(a).getByText("Ont voté (1 sur 3) :").waitFor();
  await card(a).locator(".named").filter({ hasText: "Ont voté (1" }).getByText("Ève").waitFor();
  assert.equal(await card(b).getByText("salle B:").count(), 0, "how one voted is told too early");
  await clean(a, "motion-open-fr");
  await reach(b, /^1?\s*salle A$/);
  await b.keyboard.press("2");
  await card(b).getByText("Your vote is recorded: salle B.").waitFor();
  await b.reload();
  await card(b).getByText("Your vote is recorded: salle B.").waitFor();
  await a.locator("h1").focus();
  await reach(a, /^1?\s*salle A$/);
  await a.keyboard.press("1");
  await card(a).getByText("Ont voté (3 sur 3) :").waitFor();
  await reach(a, /^Clore ce vote$/);
  await a.keyboard.press("Enter");
  await a.keyboard.press("Enter");
  await card(a).getByText("Résultat : salle B").waitFor();
  await card(b).getByText("Result: salle B").waitFor();
  const names = (page, choice) => card(page).locator(".named").filter({ hasText: `${choice}` })
    .locator("li").allTextContents();
  for (const page of [a, b]) {
    assert.deepEqual(await names(page, "salle B"), ["Bob Morane", "Ève"]);
    assert.deepEqual(await names(page, "salle A"), ["Zoé Martin"]);
  }
  const shown = await Promise.all(nodes.map(async (node) => {
    const [one] = await node.run("motion", "list");
    return node.run("motion", "show", one.id);
  }));
  assert.deepEqual(shown[1], shown[0]);
  assert.deepEqual(shown[2], shown[0]);
  assert.deepEqual(shown[0].tally, { "salle A": 1, "salle B": 2, "sans avis": 0 });
  await clean(b, "motion-result-en");
}

async function kept() {
  await a.getByRole("button", { name: "Ouvrir un vote" }).click();
  await a.getByLabel("La question").fill("Une question à moitié");
  await a.locator(".writing textarea").fill("un mot à moitié");
  await zoe.kill();
  await a.getByText("Le poste ne répond plus").waitFor();
  await zoe.start();
  await a.getByText("Le poste ne répond plus").waitFor({ state: "detached" });
  await a.reload();
  await a.locator(".writing textarea").waitFor();
  assert.equal(await a.locator(".writing textarea").inputValue(), "un mot à moitié");
  assert.equal(await a.getByLabel("La question").inputValue(), "Une question à moitié");
  await a.getByRole("button", { name: "Annuler" }).click();
  await a.locator(".writing textarea").fill("");
  await a.reload();
  await a.getByRole("button", { name: "Ouvrir un vote" }).waitFor();
  assert.equal(await a.locator(".writing textarea").inputValue(), "");
}

async function links() {
  await a.locator(".people li").filter({ hasText: "Bob" }).getByText("relié", { exact: true }).waitFor();
  await a.locator(".people li").filter({ hasText: "Bob" }).getByRole("img", { name: /^Liaison : \d sur 4$/ })
    .waitFor();
  await a.getByRole("button", { name: /Voir les liaisons/ }).click();
  const dialog = a.getByRole("dialog");
  await dialog.getByRole("heading", { name: "Liaisons" }).waitFor();
  await dialog.getByRole("img", { name: /^Débit depuis deux minutes : de .+ à .+bit\/s$/ }).first()
    .waitFor();
  await clean(a, "links-fr");
  // A document that is too large to be fetched unasked is told as what it is: not coming.
  const large = join(place, "plan.bin");
  writeFileSync(large, randomBytes(101_000));
  await dialog.getByLabel("Voix seule").check();
  await dialog.getByLabel("Plafond en kbit/s").fill("64");
  await dialog.getByRole("button", { name: "Appliquer" }).click();
  await dialog.getByText("Réglage appliqué.").waitFor();
  assert.deepEqual(await zoe.run("bandwidth"), { level: "voice", max_kbit: 64 });
  // Under the ceiling it takes Bob seconds, told with an end.
  await b.getByRole("button", { name: /See the links/ }).click();
  await zoe.run("doc", "add", large);
  await b.getByRole("dialog").getByText(/left at .+bit\/s: about .+ more/).waitFor();
  await clean(b, "on-its-way-en");
  await b.getByRole("dialog").getByText("Nothing is on its way.").waitFor();
  await dialog.getByLabel("Images selon la liaison").check();
  await dialog.getByLabel("Plafond en kbit/s").fill("");
  await dialog.getByRole("button", { name: "Appliquer" }).click();
  await dialog.getByText("Réglage appliqué.").waitFor();
  await a.keyboard.press("Escape");
  await b.keyboard.press("Escape");
}

// Who is gone, since when, and what of ours nobody has.
async function gone() {
  await bob.kill();
  await eve.kill();
  await zoe.run("say", "y a-t-il quelqu’un ?");
  const button = a.getByRole("button", { name: /Voir les liaisons/ });
  await button.filter({ hasText: "non confirmé" }).or(button.filter({ hasText: "joignable" })).waitFor();
  await button.click();
  const dialog = a.getByRole("dialog");
  await dialog.getByText("encore confirmé par personne").or(
    dialog.getByText("encore confirmés par personne")).waitFor();
  await dialog.getByText(/aucune réponse depuis/).first().waitFor();
  await a.locator(".notices").getByText(/(Bob Morane|Ève)\s: aucune réponse depuis/).first().waitFor();
  await dialog.getByText("hors de portée").first().waitFor();
  await dialog.getByText(/depuis \d\d:\d\d/).first().waitFor();
  await dialog.getByText("Personne n’est joignable").waitFor();
  await clean(a, "gone-fr");
  await bob.start();
  // What one got from another it confirms when digests are compared: after 4 minutes at the latest.
  await dialog.getByText(/encore confirmée?s? par personne/)
    .waitFor({ state: "detached", timeout: 300_000 });
  await a.keyboard.press("Escape");
  await eve.start();
  await a.locator(".people li").filter({ hasText: "Ève" }).getByText("relié", { exact: true }).waitFor();
  await b.locator(".messages").getByText("y a-t-il quelqu’un ?").waitFor();
}

async function shortcuts() {
  await a.locator("h1").focus();
  await a.keyboard.press("?");
  const dialog = a.getByRole("dialog");
  await dialog.getByRole("heading", { name: "Raccourcis clavier" }).waitFor();
  await clean(a, "help-fr");
  await a.keyboard.press("Alt+Shift+H"); // covered by the dialog: not acted on
  await a.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(await zoe.run("hand", "list"), []);
  const writing = a.locator(".writing textarea");
  await writing.focus();
  await a.keyboard.type("quoi ? oui ?");
  assert.equal(await writing.inputValue(), "quoi ? oui ?");
  assert.equal(await a.getByRole("dialog").count(), 0);
  await writing.fill("");
  await a.keyboard.press("Alt+Shift+L");
  await a.waitForFunction(() => document.activeElement.classList.contains("leave"));
  assert.equal((await zoe.run("status")).meetings.length, 1, "a key alone leaves");
  // Switched off, none does anything.
  await a.keyboard.press("?");
  await dialog.getByLabel("Raccourcis actifs").uncheck();
  await a.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await a.locator("h1").focus();
  for (const keys of ["?", "Alt+Shift+H", "Alt+Shift+M", "Alt+Shift+L"]) await a.keyboard.press(keys);
  assert.equal(await a.evaluate(() => document.activeElement.tagName), "H1");
  assert.equal(await a.getByRole("dialog").count(), 0);
  assert.deepEqual(await zoe.run("hand", "list"), []);
  assert.equal(await a.locator(".bar .failure").count(), 0);
  await a.getByRole("button", { name: "Raccourcis clavier" }).click();
  await dialog.getByLabel("Raccourcis actifs").check();
  await a.keyboard.press("Escape");
}

// Nothing lies over anything else, and what is always in reach is.
async function fits() {
  await eve.run("hand", "up");
  await listed(bob, ["Ève"]); // who raises a hand behind another has seen it
  await bob.run("hand", "up");
  await queued(a, ["Ève", "Bob Morane"]);
  for (const [width, height, name] of [[1366, 768, "1366"], [683, 384, "200-percent"], [320, 568, "320"]]) {
    await a.setViewportSize({ width, height });
    for (const control of ["Micro", "Caméra", "Écran", "Main", "Quitter"]) {
      const button = hand(a, new RegExp(`^${control}`));
      const box = await button.boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width && box.y + box.height <= height,
        `${control} at ${name}: ${JSON.stringify(box)}`);
      const covered = await button.evaluate((at) => {
        const box = at.getBoundingClientRect();
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return !at.contains(top);
      });
      assert.ok(!covered, `${control} is covered at ${name}`);
    }
    const parts = width < 992 ? ["Discussion", "Participants", "Documents", "Votes"] : [""];
    for (const part of parts) {
      if (part) await a.getByRole("navigation").getByRole("button", { name: part }).click();
      await clean(a, `meeting-${name}-${part.toLowerCase()}`);
    }
  }
  for (const [open, name] of [[/Voir les liaisons/, "links"], ["Raccourcis clavier", "help"]]) {
    await a.getByRole("button", { name: open }).click();
    await clean(a, `${name}-320-fr`);
    await a.keyboard.press("Escape");
  }
  await a.setViewportSize({ width: 1366, height: 768 });
  const still = await a.evaluate(() => getComputedStyle(document.querySelector(".bar button"))
    .transitionDuration);
  assert.equal(still, "0s", "something moves for who asked that nothing does");
}

async function quiet() {
  const heard = await a.evaluateHandle(() => {
    const list = [];
    new MutationObserver(() => list.push(document.querySelector("p.spoken").textContent))
      .observe(document.querySelector("p.spoken"), { characterData: true, childList: true,
        subtree: true });
    return list;
  });
  await eve.run("hand", "down");
  await bob.run("hand", "down");
  await queued(a, []);
  await bob.run("hand", "up");
  await a.waitForFunction((list) => list.some((one) => one.includes("Bob Morane demande la parole")),
    heard);
  await a.getByRole("button", { name: "Réglages" }).click();
  await a.getByLabel("Annoncer").uncheck();
  await a.keyboard.press("Escape");
  const before = await heard.evaluate((list) => list.length);
  await listed(eve, ["Bob Morane"]);
  await eve.run("hand", "up");
  await bob.run("say", "personne ne l’annonce");
  await a.locator(".messages").getByText("personne ne l’annonce").waitFor();
  await queued(a, ["Bob Morane", "Ève"]);
  // By the page's own clock, on which an announcement is due after 4 s.
  await a.evaluate(() => new Promise((done) => setTimeout(done, 6000)));
  assert.equal(await heard.evaluate((list) => list.length), before);
}

// The page is French, the node English: refusals are the page's.
async function refused() {
  await a.getByRole("button", { name: "Ouvrir un vote" }).click();
  await a.getByLabel("La question").fill("Une ?");
  await a.getByLabel("Les choix").fill("seul");
  await a.getByRole("button", { name: "Ouvrir ce vote" }).click();
  await a.locator(".motions .failure").getByText("Un scrutin propose de 2 à 16 choix").waitFor();
  await a.getByRole("button", { name: "Annuler" }).click();
  await hand(a, /^Micro/).click();
  await a.locator(".bar .failure").getByText("sans son ni image").waitFor();
}

for (const [name, work] of [
  ["three nodes meet", meet],
  ["hands go up by key and button, one queue everywhere; the chair lowers one", hands],
  ["a vote in own words, by keyboard alone: who voted at once, how at the end", motion],
  ["unsent words outlive the node and the page", kept],
  ["the links in words and pictures, the line spared, what comes told with its end", links],
  ["who is gone and since when, and what nobody has confirmed", gone],
  ["the shortcuts are listed, steal nothing, and can be switched off", shortcuts],
  ["it fits 1366 × 768, 200 % and 320 px with nothing covered", fits],
  ["what others do is announced now and then, or never", quiet],
  ["the node's refusals speak the language of the page", refused],
]) {
  if (!await step(name, work)) {
    await Promise.all([a, b].map((page, at) =>
      page && !page.isClosed() && browser.shot(page, `failed-${at}-${work.name}`)));
    if (work === meet) break;
  }
}
process.on("exit", () => rmSync(place, { recursive: true, force: true }));
await finish(browser, nodes);
