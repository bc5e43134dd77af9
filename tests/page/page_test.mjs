// SPDX-License-Identifier: MPL-2.0
// A meeting of two real nodes held with mouse and keyboard, in a browser that complains of nothing.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Browser, faults, focused, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, note, step } from "./harness/tap.mjs";

const PAGE_BYTES_MAX = 120_000;
const PAUSE_MS = 4000; // between two announcements

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé Martin");
const bob = new Node("Bob");
const eve = new Node("Ève");
await Promise.all([zoe, bob, eve].map((node) => node.start()));
const french = await browser.person("fr-FR");
const english = await browser.person("en-GB");
let a, b, ticket, invitation;

async function clean(page, name) {
  await browser.shot(page, name);
  assert.deepEqual(await faults(page), [], name);
  assert.deepEqual(await sideways(page), [], name);
}

const message = (page, text) =>
  page.locator(".messages .text").filter({ hasText: new RegExp(`^${text}$`) }).first().waitFor();

async function say(page, text) {
  await page.locator(".writing textarea").fill(text);
  await page.keyboard.press("Enter");
  await message(page, text);
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function saved(page, name) {
  const [download] = await Promise.all([page.waitForEvent("download"),
    page.getByRole("link", { name: new RegExp(`^\\S+ ${name}$`) }).click()]);
  assert.equal(download.suggestedFilename(), name);
  return sha256(readFileSync(await download.path()));
}

// What a button gives to keep.
async function kept(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

async function firstMinute() {
  a = await browser.page(french, zoe.address);
  await a.getByLabel("Titre de la réunion").waitFor();
  const opened_ms = await a.evaluate(() => performance.now());
  note(`from the address to a form to fill in: ${Math.round(opened_ms)} ms at most`);
  assert.equal(new URL(a.url()).hash, "", "the token stays in the address");
  assert.equal(await a.getAttribute("html", "lang"), "fr");
  await clean(a, "home-fr");
  b = await browser.page(english, bob.address);
  await b.getByLabel("Title of the meeting").waitFor();
  await clean(b, "home-en");
  await b.getByLabel("Your name").fill("Bob Morane");
  await b.getByRole("button", { name: "Save the name" }).click();
  await b.getByText("Name saved.").waitFor();
  assert.equal((await bob.run("status")).name, "Bob Morane");
}

async function create() {
  await a.getByLabel("Titre de la réunion").fill("Cellule de crise");
  await a.keyboard.press("Enter");
  await a.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  ticket = await a.getByLabel("Invitation à transmettre").inputValue();
  assert.match(ticket, /^maillon:[a-z2-7]+$/);
  await a.getByText("Le dicter par téléphone").click();
  const spelled = await a.locator(".spelled code").allTextContents();
  assert.equal(spelled.join(""), ticket.replace("maillon:", ""));
  await clean(a, "invite-fr");
  await a.getByText("Le dicter par téléphone").click();
  await carried(a.getByRole("dialog"));
  await a.keyboard.press("Escape");
  await a.getByRole("dialog").waitFor({ state: "detached" });
}

async function carried(dialog) {
  const file = await kept(a, dialog.getByRole("button", { name: "Enregistrer en fichier" }));
  assert.deepEqual(file, { name: "Cellule-de-crise.maillon", text: `${ticket}\n` });
  await dialog.getByText("L’inscrire à un agenda").click();
  const save = dialog.getByRole("button", { name: "Enregistrer en .ics" });
  await dialog.getByLabel("Début").fill("2999-01-01T09:00");
  await save.click();
  await dialog.getByRole("alert").waitFor(); // the ticket is no good by then
  const soon = new Date(Date.now() + 3_600_000);
  soon.setSeconds(0, 0);
  const local = new Date(soon - soon.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  await dialog.getByLabel("Début").fill(local);
  await clean(a, "invite-calendar-fr");
  invitation = await kept(a, save);
  assert.equal(invitation.name, "Cellule-de-crise.ics");
  const lines = invitation.text.replaceAll("\r\n ", "").split("\r\n");
  assert.ok(lines.includes(`DTSTART:${soon.toISOString().replace(/[-:]|\.\d+/g, "")}`), lines);
  assert.ok(lines.includes("SUMMARY:Cellule de crise"));
  assert.ok(lines.find((line) => line.startsWith("DESCRIPTION:")).includes(`\\n${ticket}\\n`));
}

async function join_() {
  const picker = b.locator("input[accept]");
  const file = (name, text) => ({ name, mimeType: "", buffer: Buffer.from(text) });
  await picker.setInputFiles(file("photo.ics", randomBytes(1000)));
  await b.getByText("No ticket in photo.ics").waitFor();
  await picker.setInputFiles(file(invitation.name, invitation.text));
  await b.getByText("Ticket found in Cellule-de-crise.ics.").waitFor();
  assert.equal(await b.getByLabel("Ticket you received").inputValue(), ticket);
  await clean(b, "join-file-en");
  await b.getByLabel("Ticket you received").fill("maillon:abc");
  await b.getByRole("button", { name: "Join" }).click();
  await b.getByRole("alert").waitFor();
  await b.waitForFunction(() => // in sight
    document.querySelector("[role=alert]").getBoundingClientRect().bottom <= innerHeight);
  await clean(b, "join-refused-en");
  const typed = ticket.toUpperCase().replace(/(.{24})/g, "$1 \n");
  await b.getByLabel("Ticket you received").fill(typed);
  await b.getByRole("button", { name: "Join" }).click();
  await b.getByRole("heading", { name: "Cellule de crise" }).waitFor();
  for (const [page, who, word] of [[a, "Bob Morane", "relié"], [b, "Zoé Martin", "linked"]]) {
    const row = page.locator(".people li").filter({ hasText: who });
    await row.getByText(word, { exact: true }).waitFor();
  }
  await a.getByText("2 membres").waitFor();
}

// What an answer does is shown in tests/net, between networks that have nothing but these codes: on
// one machine the two may find each other without.
async function byHand() {
  const person = await browser.person("fr-FR");
  const c = await browser.page(person, eve.address);
  await c.getByText("Par échange de codes").click();
  await c.getByLabel("Réponse reçue du membre").fill("maillon-answer:abc");
  await c.getByRole("button", { name: "Entrer" }).click();
  await c.getByRole("alert").waitFor();
  await clean(c, "by-hand-fr");
  await a.getByRole("button", { name: "Inviter" }).click();
  await a.evaluate(() => { // whoever goes on at once is not torn away by what was asked for
    const dialog = document.querySelector("dialog");
    [...dialog.querySelectorAll("button")].find((at) => at.textContent.includes("Établir une")).click();
    dialog.querySelector("select").focus();
  });
  const fresh = await a.getByLabel("Invitation à transmettre").inputValue();
  await a.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  assert.equal(await a.evaluate(() => document.activeElement.tagName), "SELECT");
  const { code } = await eve.run("join", "--by-hand", fresh);
  await a.getByText("Faire entrer quelqu’un par échange de codes").click();
  await a.getByLabel("Code reçu").fill(code.replace(/(.{40})/g, "$1\n"));
  await a.getByRole("button", { name: "Établir la réponse" }).click();
  assert.match(await a.getByLabel("Réponse à lui renvoyer").inputValue(), /^maillon-answer:[a-z2-7]+$/);
  await clean(a, "by-hand-answer-fr");
  await a.keyboard.press("Escape");
  await person.close();
}

async function talk() {
  await say(a, "bonjour");
  await message(b, "bonjour");
  await say(b, "hello");
  await message(a, "hello");
  for (let number = 0; number < 6; number++) await say(number % 2 ? a : b, `ligne ${number}`);
  await Promise.all([message(a, "ligne 4"), message(b, "ligne 5")]);
  const shown = (page) => page.locator(".messages .text").allTextContents();
  assert.deepEqual(await shown(a), await shown(b));
  const nasty = `<img src=x onerror=alert(1)> \u202eevil\u202c ${"Z\u0351\u034a".repeat(500)}`;
  await bob.run("say", nasty);
  await a.locator(".messages .text").filter({ hasText: "<img src=x" }).waitFor();
  await bob.run("say", "w".repeat(4000));
  await a.getByRole("button", { name: "Tout afficher" }).nth(1).waitFor();
  await clean(a, "room-fr");
  await clean(b, "room-en");
}

async function share() {
  const plan = { name: "plan.pdf", mimeType: "application/pdf", buffer: randomBytes(400_000) };
  await a.setInputFiles("input[type=file]", plan);
  await b.getByRole("link", { name: "Save plan.pdf" }).waitFor();
  assert.equal(await saved(b, "plan.pdf"), sha256(plan.buffer));
  const note_ = Buffer.from("Consignes : quitter par le sud.\n".repeat(20));
  const dropped = await b.evaluateHandle((text) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], "consignes.txt", { type: "text/plain" }));
    return carried;
  }, note_.toString());
  await b.dispatchEvent("main", "dragover", { dataTransfer: dropped });
  await b.getByText("Let go to share").waitFor();
  await b.dispatchEvent("main", "drop", { dataTransfer: dropped });
  await a.getByRole("link", { name: "Enregistrer consignes.txt" }).waitFor();
  assert.equal(await saved(a, "consignes.txt"), sha256(note_));
  await a.getByRole("button", { name: "Aperçu consignes.txt" }).click();
  const frame = a.frameLocator("iframe");
  await frame.getByText("quitter par le sud").waitFor();
  assert.equal(await a.locator("iframe").getAttribute("sandbox"), "");
  await browser.shot(a, "preview-fr");
  await a.keyboard.press("Escape");
}

// The keys a person without a mouse has.
async function vote() {
  const opener = a.getByRole("button", { name: "Ouvrir un vote" });
  await opener.focus();
  await a.keyboard.press("Enter");
  await focused(a, "La question");
  await a.getByRole("button", { name: "Annuler" }).focus();
  await a.keyboard.press("Enter");
  await focused(a, "Ouvrir un vote");
  await a.keyboard.press("Enter");
  await focused(a, "La question");
  await a.keyboard.type("Évacuer le secteur nord ?");
  await clean(a, "motion-opening-fr");
  await a.keyboard.press("Tab");
  await a.keyboard.press("Tab");
  await a.keyboard.press("Enter");
  const question = { hasText: "Évacuer le secteur nord ?" };
  for (const [page, key, recorded] of [[a, "1", "Votre vote est enregistré"],
    [b, "1", "Your vote is recorded: for."]]) {
    const motion = page.locator(".motion").filter(question);
    await motion.getByRole("button", { name: page === a ? "pour" : "for" }).focus();
    await page.keyboard.press(key);
    await motion.getByText(recorded).waitFor();
  }
  await a.locator(".motion").getByText("2 votes").waitFor();
  await clean(a, "motion-voted-fr");
  assert.equal(await b.getByRole("button", { name: "Close this vote" }).count(), 0);
  await a.getByRole("button", { name: "Clore ce vote" }).focus();
  await a.keyboard.press("Enter");
  await focused(a, "Oui, clore");
  await a.getByRole("button", { name: "Non", exact: true }).focus();
  await a.keyboard.press("Enter");
  await focused(a, "Clore ce vote");
  await a.keyboard.press("Enter");
  await focused(a, "Oui, clore");
  await a.keyboard.press("Enter");
  await a.locator(".result").getByText("Résultat : pour").waitFor();
  await b.locator(".result").getByText("Result: for").waitFor();
  await focused(a, question.hasText); // what was pressed is gone, the keyboard stays on that vote
  await clean(b, "motion-closed-en");
  const [own] = await zoe.run("motion", "list");
  const [other] = await bob.run("motion", "list");
  assert.equal(own.outcome, "pour");
  assert.deepEqual(own.tally, { pour: 2, contre: 0, abstention: 0 });
  assert.deepEqual(other, own);
}

async function killed() {
  await a.locator(".writing textarea").fill("pas encore envoyé");
  await zoe.kill();
  await a.getByText("Le poste ne répond plus").waitFor();
  await clean(a, "lost-fr");
  await a.getByRole("button", { name: "Envoyer" }).click();
  await a.locator(".chat .failure").waitFor();
  await bob.run("say", "pendant ce temps");
  await zoe.start();
  await a.getByText("Le poste ne répond plus").waitFor({ state: "detached" });
  await message(a, "pendant ce temps");
  assert.equal(await a.locator(".writing textarea").inputValue(), "pas encore envoyé");
  await a.reload();
  await a.locator(".writing textarea").waitFor();
  assert.equal(await a.locator(".writing textarea").inputValue(), "pas encore envoyé");
  await a.locator(".writing textarea").focus();
  await a.keyboard.press("Enter");
  await message(b, "pas encore envoyé");
  const texts = (await bob.run("messages")).map((one) => one.text);
  assert.equal(texts.filter((text) => text === "pas encore envoyé").length, 1);
}

async function settings() {
  await a.getByRole("button", { name: "Réglages" }).click();
  const dialog = a.getByRole("dialog");
  await dialog.getByLabel("Voix seule").check();
  await dialog.getByLabel("Plafond en kbit/s").fill("64");
  await dialog.getByRole("button", { name: "Appliquer" }).click();
  await dialog.getByText("Réglage appliqué.").waitFor();
  assert.deepEqual(await zoe.run("bandwidth"), { level: "voice", max_kbit: 64 });
  await clean(a, "settings-fr");
  await dialog.getByLabel("Langue").selectOption("en");
  await a.getByRole("heading", { name: "Settings" }).waitFor();
  assert.equal(await a.getAttribute("html", "lang"), "en");
  await clean(a, "settings-en");
  await dialog.getByLabel("Language").selectOption("fr");
  await a.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
}

async function small() {
  const page = await browser.page(french, new URL(zoe.address).origin);
  await page.setViewportSize({ width: 320, height: 568 });
  await page.locator(".writing textarea").waitFor();
  for (const part of ["Discussion", "Participants", "Documents", "Votes"]) {
    await page.getByRole("navigation").getByRole("button", { name: part }).click();
    await clean(page, `room-320-${part.toLowerCase()}-fr`);
    for (const button of ["Micro", "Réglages", "Quitter"]) {
      const box = await page.getByRole("button", { name: button }).boundingBox();
      assert.ok(box.y + box.height <= 568 && box.x + box.width <= 320, `${part}: ${button}`);
    }
  }
  await b.setViewportSize({ width: 320, height: 568 });
  await clean(b, "room-320-chat-en");
  const cut = await b.locator(".bar button .label, .bar button .state").evaluateAll((labels) =>
    labels.filter((at) => at.getBoundingClientRect().width > at.parentElement.clientWidth)
      .map((at) => at.textContent));
  assert.deepEqual(cut, []);
  await b.setViewportSize({ width: 1366, height: 768 });
  await page.setViewportSize({ width: 683, height: 384 }); // 1366×768 at 200 %
  await clean(page, "room-200-percent-fr");
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.emulateMedia({ colorScheme: "dark" });
  await clean(page, "room-dark-fr");
  await page.getByRole("button", { name: "Inviter" }).click();
  await page.getByRole("button", { name: "Établir une invitation" }).click();
  await page.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  await clean(page, "invite-dark-fr");
  await page.setViewportSize({ width: 320, height: 568 });
  await clean(page, "invite-320-dark-fr");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Réunions" }).click();
  await page.getByRole("heading", { name: "Vos réunions" }).waitFor();
  await clean(page, "home-320-dark-fr");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1366, height: 768 });
  await clean(page, "meetings-fr");
  await page.close();
  await a.locator(".writing textarea").waitFor(); // two pages of one node
}

async function stranger() {
  const other = await browser.person("fr-FR");
  for (const address of [new URL(zoe.address).origin, bob.address]) {
    const page = await browser.page(other, address);
    await page.getByText("n’accepte pas ce navigateur").waitFor();
    await clean(page, "refused-fr");
  }
  await other.close();
}

// What is announced of a busy chat is its last message, not each.
async function flood() {
  const said = await a.evaluateHandle(() => {
    const heard = [];
    new MutationObserver(() => heard.push(document.querySelector("p.spoken").textContent))
      .observe(document.querySelector("p.spoken"), { characterData: true, childList: true,
        subtree: true });
    return heard;
  });
  const count = 60;
  const begun = Date.now();
  for (let number = 1; number <= count; number++) await bob.run("say", `rafale ${number}`);
  await message(a, `rafale ${count}`);
  await a.locator("p.spoken").filter({ hasText: `rafale ${count}` }).waitFor();
  const heard = await said.evaluate((list) => list);
  const pauses = (Date.now() - begun) / PAUSE_MS; // a busy machine takes long to say so much
  assert.ok(heard.length <= pauses + 2, `${heard.length} in ${pauses} pauses: ${heard.join(" | ")}`);
}

async function leave() {
  await b.getByRole("button", { name: "Leave" }).click();
  await b.getByRole("button", { name: "Come back Cellule de crise" }).waitFor();
  await clean(b, "left-en");
  await b.getByRole("button", { name: "Come back Cellule de crise" }).click();
  await b.getByRole("heading", { name: "Cellule de crise" }).waitFor();
  await say(b, "de retour");
  await message(a, "de retour");
}

await step("the page is no larger than a page may be", async () => {
  let bytes = 0;
  for (const name of ["app.js", "app.css"]) {
    const answer = await fetch(new URL(name, zoe.address));
    assert.equal(answer.status, 200, `${name}: was the page built?`);
    bytes += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
  }
  note(`all script and style, gzip: ${bytes} bytes`);
  assert.ok(bytes <= PAGE_BYTES_MAX, bytes);
});
for (const [name, work] of [
  ["the first minute: name, language, what to do next", firstMinute],
  ["a meeting is created, its ticket shown as text, picture and spelled words", create],
  ["a wrong ticket is told apart, a pasted one joins, and both see how they are linked", join_],
  ["the code of one who joins by hand is answered, a wrong answer refused", byHand],
  ["both write, both read the same in one order, and what is hostile harms nothing", talk],
  ["documents go both ways whole, picked and dropped, and are shown in a sandbox", share],
  ["a vote goes by keyboard from question to result, the same words on both", vote],
  ["the node killed and started again: the page says so, resumes, keeps what was not sent", killed],
  ["the line is spared and the language changed by settings", settings],
  ["it fits a telephone, 200 %, and the dark", small],
  ["a browser without a session, or with a used address, is told what to do", stranger],
  ["a busy chat is announced now and then", flood],
  ["one leaves, and comes back", leave],
]) {
  if (!await step(name, work)) await Promise.all([a, b].map((page, number) =>
    page && !page.isClosed() && browser.shot(page, `failed-${number}-${work.name}`)));
}
await finish(browser, [zoe, bob, eve]);
