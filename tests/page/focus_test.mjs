// SPDX-License-Identifier: MPL-2.0
// Where the keyboard is: on every control in turn, where a dialog or what was pressed leaves it, and
// never taken from whoever has gone on.
import assert from "node:assert/strict";
import { Browser, faults, focused, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, step } from "./harness/tap.mjs";

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé Martin");
const bob = new Node("Bob");
await Promise.all([zoe, bob].map((node) => node.start()));
const french = await browser.person("fr-FR");
let a;

// A meeting in which there is something of everything to press.
async function meet() {
  await zoe.run("meeting", "create", "Cellule de crise");
  const { ticket } = await zoe.run("invite");
  await bob.run("join", ticket);
  a = await browser.page(french, zoe.address);
  await a.locator(".people li").filter({ hasText: "Bob" }).getByText("relié", { exact: true }).waitFor();
  for (let number = 0; number < 6; number++) await bob.run("say", `ligne ${number}`);
  for (const letter of ["v", "w"]) await bob.run("say", letter.repeat(4000));
  await a.getByRole("button", { name: "Tout afficher" }).nth(1).waitFor();
  await a.setInputFiles("input[type=file]", { name: "consignes.txt", mimeType: "text/plain",
    buffer: Buffer.from("Consignes : quitter par le sud.\n") });
  await a.getByRole("button", { name: "Aperçu consignes.txt" }).waitFor();
  assert.deepEqual(await faults(a), []);
  assert.deepEqual(await sideways(a), []);
}

// A dialog is gone, and gives the focus back, with the key that closes it. The browser tells of it
// later, as late as here when it is busy: by then nothing is taken from whoever has gone on.
async function closed() {
  await a.evaluate(() => {
    globalThis.owed = [];
    const { showModal } = HTMLDialogElement.prototype;
    HTMLDialogElement.prototype.showModal = function () {
      this.addEventListener("close", (event) => {
        if (!event.isTrusted) return;
        event.stopImmediatePropagation();
        globalThis.owed.push(this);
      }, true);
      showModal.call(this);
    };
  });
  const told = () => a.evaluate(async () => { // it comes with a frame
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    await frame();
    await frame();
    for (const dialog of globalThis.owed.splice(0)) dialog.dispatchEvent(new Event("close"));
    await frame();
  });
  const shut = () => a.waitForFunction(() => !document.querySelector("dialog[open]"));
  const opener = a.getByRole("button", { name: "Aperçu consignes.txt" });
  for (const close of [() => a.keyboard.press("Escape"),
    () => a.getByRole("dialog").getByRole("button", { name: "Fermer" }).click(),
    () => a.mouse.click(5, 5)]) {
    await opener.click();
    await a.getByRole("dialog").waitFor();
    await close();
    await shut();
    assert.equal(await opener.evaluate((at) => at === document.activeElement), true);
    await a.locator(".writing textarea").focus();
    await a.keyboard.type("déjà ailleurs");
    await told();
    await a.keyboard.type(", et j’y reste");
    assert.equal(await a.locator(".writing textarea").inputValue(), "déjà ailleurs, et j’y reste");
    await a.locator(".writing textarea").fill("");
  }
  // One dialog leads to another, which what is told of the first does not close.
  await a.getByRole("button", { name: "Réglages" }).click();
  await a.getByRole("dialog").getByRole("button", { name: "Raccourcis clavier" }).click();
  await a.getByRole("heading", { name: "Raccourcis clavier" }).waitFor();
  await told();
  assert.equal(await a.getByRole("heading", { name: "Raccourcis clavier" }).count(), 1);
  await a.keyboard.press("Escape");
  await shut();
  await focused(a, " Réglages");
  // Closed and opened again with the next key, it is open.
  await a.keyboard.press("Enter");
  await a.getByRole("heading", { name: "Réglages" }).waitFor();
  await a.keyboard.press("Escape");
  await a.keyboard.press("Enter");
  await told();
  await a.getByRole("heading", { name: "Réglages" }).waitFor();
  // What is selected in it and let go of beside it closes nothing.
  const box = await a.getByRole("dialog").getByRole("heading").first().boundingBox();
  await a.mouse.move(box.x + 5, box.y + 5);
  await a.mouse.down();
  await a.mouse.move(5, 5);
  await a.mouse.up();
  assert.equal(await a.getByRole("dialog").count(), 1);
  await a.keyboard.press("Escape");
  await shut();
  await a.reload(); // without that listener
  await a.locator(".writing textarea").waitFor();
}

// What is pressed may go, and its answer come late: nobody is thrown back to the beginning of the
// page, nor torn away from where they are by then.
async function placed() {
  const long = a.getByRole("button", { name: "Tout afficher" });
  const count = await long.count();
  await long.first().focus();
  await a.keyboard.press("Enter");
  await long.nth(count - 1).waitFor({ state: "detached" });
  assert.equal(await a.evaluate(() => document.activeElement.className), "scroll messages");
  await a.getByRole("button", { name: "Ouvrir un vote" }).click();
  await a.getByLabel("La question").fill("Reprendre demain ?");
  await a.evaluate(() => { // at once, before any answer
    document.querySelector(".motions form").requestSubmit();
    document.querySelector(".writing textarea").focus();
  });
  await a.locator(".motions form").waitFor({ state: "detached" });
  await a.locator(".motion").filter({ hasText: "Reprendre demain ?" }).waitFor();
  await a.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0))));
  await a.keyboard.type("ici");
  assert.equal(await a.locator(".writing textarea").inputValue(), "ici");
  await a.locator(".writing textarea").fill("");
  const { id } = (await zoe.run("motion", "list")).find((one) => one.text === "Reprendre demain ?");
  await zoe.run("motion", "close", id);
  await a.locator(".motion.open").waitFor({ state: "detached" });
}

async function keyboard() {
  await a.getByRole("button", { name: "Réunions" }).focus();
  await a.keyboard.press("Tab");
  await a.keyboard.press("Shift+Tab");
  const stops = [];
  for (let number = 0; number < 60; number++) {
    if (number > 0) await a.keyboard.press("Tab");
    const stop = await a.evaluate(() => {
      const at = document.activeElement;
      if (at === document.body) return null;
      const style = getComputedStyle(at);
      return { name: at.getAttribute("aria-label") || at.textContent || at.getAttribute("placeholder")
        || at.getAttribute("aria-labelledby") || "", seen: parseFloat(style.outlineWidth) >= 2 &&
        style.outlineStyle !== "none", again: at.dataset.stop === "1", mark: (at.dataset.stop = "1") };
    });
    if (stop === null || stop.again) break;
    stops.push(stop);
  }
  for (const stop of stops) {
    assert.ok(stop.seen, `the focus is not seen on ${stop.name}`);
    assert.ok(stop.name.trim(), "something without a name is reached");
  }
  const order = stops.map((stop) => stop.name).join(" | ");
  assert.match(order, /Réunions.*Inviter.*Votre message.*Envoyer.*Ouvrir un vote.*Ajouter.*Micro.*Quitter/s,
    order);
  // Who begins as soon as there is something to begin with is not torn away from it.
  const early = await french.newPage();
  await early.addInitScript(() => new MutationObserver((_, observer) => {
    const field = document.querySelector(".writing textarea");
    if (field) observer.disconnect();
    field?.focus();
  }).observe(document, { childList: true, subtree: true }));
  await early.goto(new URL(zoe.address).origin);
  await early.locator(".writing textarea").waitFor();
  await early.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 500))));
  assert.equal(await early.evaluate(() => document.activeElement.tagName), "TEXTAREA");
  await early.close();
  // The way to the newest message does not vanish from under whoever is on it.
  const list = a.locator(".messages");
  const newest = a.getByRole("button", { name: "Aller aux derniers messages" });
  await list.evaluate((at) => { at.scrollTop = 0; });
  await newest.focus();
  await list.evaluate((at) => new Promise((done) => {
    at.addEventListener("scroll", () => requestAnimationFrame(() => requestAnimationFrame(done)));
    at.scrollTop = at.scrollHeight;
  }));
  assert.equal(await newest.evaluate((at) => at === document.activeElement), true);
  await a.keyboard.press("Tab");
  await newest.waitFor({ state: "detached" });
  assert.equal(await a.locator(".writing textarea").evaluate((at) => at === document.activeElement), true);
  await a.keyboard.press("Alt+Shift+M");
  await a.locator(".bar .failure").waitFor(); // this node was started without sound
  await browser.shot(a, "microphone-refused-fr");
}

for (const [name, work] of [
  ["a meeting has messages, long ones too, and a document", meet],
  ["a dialog closed gives the focus back at once, and takes it from nobody later", closed],
  ["nobody loses their place with what they pressed, nor is torn away by what it does", placed],
  ["every control is reached by keyboard, in order, seen and named", keyboard],
]) {
  if (!await step(name, work) && a && !a.isClosed()) await browser.shot(a, `failed-${work.name}`);
}
await finish(browser, [zoe, bob]);
