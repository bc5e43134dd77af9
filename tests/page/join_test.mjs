// SPDX-License-Identifier: MPL-2.0
// Every way in, by use: a ticket as a picture, a file, a calendar, spelled words; codes by hand, many
// times over; and what is said when none of it is right.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { Browser, faults, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { finish, step } from "./harness/tap.mjs";

const BY_HAND_TIMES = 6; // the answer comes before, while and after a line is found by itself
const BRIEF_MS = 3000; // a ticket for one second is no good after that

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé");
await zoe.start();
const french = await browser.person("fr-FR");
const nodes = [zoe];
let a, ticket, brief;

async function clean(page, name) {
  await browser.shot(page, name);
  assert.deepEqual(await faults(page), [], name);
  assert.deepEqual(await sideways(page), [], name);
}

// A node nobody invited yet, and its page.
async function newcomer(name) {
  const node = new Node(name);
  nodes.push(node);
  await node.start();
  const context = await browser.person("fr-FR");
  const page = await browser.page(context, node.address);
  await page.getByLabel("Invitation reçue").waitFor();
  return { node, page, context };
}

const gone = async ({ node, context }) => {
  await context.close();
  nodes.splice(nodes.indexOf(node), 1);
  assert.equal(await node.end(), 0);
};

const field = (page) => page.getByLabel("Invitation reçue");
const picker = (page) => page.locator("input[accept]");
const file = (name, buffer, mimeType = "") => ({ name, mimeType, buffer: Buffer.from(buffer) });
const inside = (page) => page.getByRole("heading", { name: "Cellule" }).waitFor();

async function invited() {
  await a.getByRole("button", { name: "Inviter" }).click();
  await a.getByRole("button", { name: "Établir une invitation" }).click();
  await a.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  return a.getByLabel("Invitation à transmettre").inputValue();
}

async function handed(page, way, { name, type, bytes }) {
  const carried = await page.evaluateHandle(([name, type, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, { type }));
    return data;
  }, [name, type, [...bytes]]);
  if (way === "drop") {
    await page.dispatchEvent("main", "dragover", { dataTransfer: carried });
    await page.getByText("Lâchez pour lire").waitFor();
    await page.dispatchEvent("main", "drop", { dataTransfer: carried });
  } else {
    await page.evaluate((data) => document.querySelector("main").dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true })), carried);
  }
}

// A picture that is small as a file and would be endless unpacked.
function endless(width, height) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, body, Buffer.alloc(4)]); // no decoder gets as far as the check
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.alloc(1 << 20))), chunk("IEND", Buffer.alloc(0))]);
}

async function create() {
  a = await browser.page(french, zoe.address);
  await a.getByLabel("Titre de la réunion").fill("Cellule");
  await a.keyboard.press("Enter");
  await a.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  ticket = await a.getByLabel("Invitation à transmettre").inputValue();
  brief = { ticket: (await zoe.run("invite", "--valid", "1")).ticket, made: Date.now() };
}

async function pictures() {
  const shot = await a.getByRole("img", { name: "L’invitation en code QR" }).screenshot();
  const screen = await a.screenshot(); // with everything around
  const jpeg = await a.screenshot({ type: "jpeg", quality: 50 });
  await a.keyboard.press("Escape");
  const one = await newcomer("Image");
  const { page } = one;
  for (const [way, name, type, bytes] of [["drop", "code.png", "image/png", shot],
    ["paste", "image.png", "image/png", screen], ["drop", "photo.jpg", "image/jpeg", jpeg]]) {
    await field(page).fill("");
    await handed(page, way, { name, type, bytes });
    await page.getByText(`Invitation trouvée dans ${name}.`).waitFor();
    assert.equal(await field(page).inputValue(), ticket, name);
  }
  await field(page).fill("");
  await picker(page).setInputFiles(file("choisi.png", screen, "image/png"));
  await page.getByText("Invitation trouvée dans choisi.png.").waitFor();
  await clean(page, "join-qr-fr");
  await handed(page, "drop", { name: "reunion.ics", type: "text/calendar",
    bytes: Buffer.from(`BEGIN:VCALENDAR\r\nDESCRIPTION:${ticket.replace(/(.{40})/g, "$1\r\n ")}\r\n`) });
  await page.getByText("Invitation trouvée dans reunion.ics.").waitFor();
  assert.equal(await field(page).inputValue(), ticket);
  await page.getByRole("button", { name: "Rejoindre", exact: true }).click();
  await inside(page);
  await gone(one);
}

async function badPictures() {
  const one = await newcomer("Fausse");
  const { page } = one;
  const white = await page.screenshot({ clip: { x: 0, y: 0, width: 200, height: 100 } });
  const header = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(40, 7)]);
  for (const [name, bytes, said] of [
    ["vide.png", white, "Aucun code QR lisible dans vide.png"],
    ["bombe.png", endless(60_000, 60_000), "L’image bombe.png est trop grande"],
    ["faux.png", Buffer.from("MZ".repeat(500)), "faux.png n’est pas une image lisible ici"],
    ["coupee.jpg", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, ...Array(60).fill(0)]),
      "coupee.jpg n’est pas une image lisible ici"],
    ["dechets.png", header, "trop grande"],
    ["tronquee.png", endless(300, 300), "tronquee.png n’est pas une image lisible ici"],
    ["photo.heic", Buffer.alloc(500, 3), "photo.heic n’est pas une image lisible ici"],
    ["\u202egnp.exe", Buffer.from("rien"), "Aucune invitation dans [U+202E]gnp.exe"],
  ]) {
    await picker(page).setInputFiles(file(name, bytes));
    await page.getByRole("alert").getByText(said).waitFor();
  }
  // Made there: it is too much to be handed to a browser under test.
  const heavy = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(31_000_000)], "lourde.png", { type: "image/png" }));
    return data;
  });
  await page.dispatchEvent("main", "drop", { dataTransfer: heavy });
  await page.getByRole("alert").getByText("L’image lourde.png est trop grande").waitFor();
  await clean(page, "join-picture-refused-fr");
  assert.equal(await field(page).inputValue(), "");
  await gone(one);
}

// The words for a ticket, heard and written down again.
async function spelled() {
  await invited();
  await a.getByText("Le dicter par téléphone").click();
  const lines = await a.locator(".spelled li").allTextContents();
  await clean(a, "invite-spelled-fr");
  const shown = await a.getByLabel("Invitation à transmettre").inputValue();
  const heard = lines.map((line) => line.split(/\s+/).slice(1).map((word) => ({ zéro: "0", un: "1",
    deux: "2", trois: "3", quatre: "4", cinq: "5", six: "6", sept: "7", huit: "8", neuf: "9" }[word]
    ?? word[0].normalize("NFD")[0].toUpperCase())).join("")).join(" ");
  await a.keyboard.press("Escape");
  const one = await newcomer("Au téléphone");
  await field(one.page).fill(`MAILLON: ${heard}`);
  await one.page.getByRole("button", { name: "Rejoindre", exact: true }).click();
  await inside(one.page);
  assert.equal(`maillon:${heard.replaceAll(" ", "").toLowerCase()}`, shown);
  await gone(one);
}

async function wrong() {
  const one = await newcomer("Refusée");
  const { page, node } = one;
  const used = (await zoe.run("invite", "--uses", "1")).ticket;
  const other = new Node("Autre");
  nodes.push(other);
  await other.start();
  await other.run("join", used);
  const refused = async (text, said) => {
    await field(page).fill(text);
    await page.getByRole("button", { name: "Rejoindre", exact: true }).click();
    await page.getByRole("alert").getByText(said).waitFor();
  };
  await refused(`${ticket.slice(0, -1)}${ticket.endsWith("a") ? "b" : "a"}`, "contient une faute");
  await refused(used, "a déjà servi autant de fois que prévu");
  await clean(page, "join-used-fr");
  while (Date.now() < brief.made + BRIEF_MS) await page.waitForTimeout(100); // other steps took longer
  await refused(brief.ticket, "n’est plus valable");
  assert.deepEqual((await node.run("status")).meetings, []);
  await gone({ node: other, context: { close() {} } });
  await gone(one);
}

// Nobody runs there: it is said, and what else there is to do is one press away.
async function nobody() {
  const lone = new Node("Seul");
  nodes.push(lone);
  await lone.start();
  await lone.run("meeting", "create", "Ailleurs");
  const far = (await lone.run("invite")).ticket;
  await gone({ node: lone, context: { close() {} } });
  const one = await newcomer("Patiente");
  await field(one.page).fill(far);
  await one.page.getByRole("button", { name: "Rejoindre", exact: true }).click();
  await one.page.getByText("Personne n’a répondu").waitFor();
  await clean(one.page, "join-nobody-fr");
  await one.page.getByRole("button", { name: "Entrer par échange de codes" }).click();
  await one.page.getByRole("button", { name: "Établir mon code" }).click();
  await one.page.getByLabel("Code à faire parvenir").waitFor();
  await clean(one.page, "by-hand-code-fr");
  await gone(one);
}

// The ports that this process listens to, as [family, port].
function portsOf(pid) {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
    } catch {
      return undefined; // closed meanwhile
    }
  }));
  return ["udp", "udp6"].flatMap((family) => readFileSync(`/proc/${pid}/net/${family}`, "utf8")
    .trim().split("\n").slice(1).map((line) => line.trim().split(/\s+/))
    .filter((words) => sockets.has(words[9]))
    .map((words) => [family, parseInt(words[1].split(":")[1], 16)]));
}

// Where the ticket sends there is nobody any more: only what the two people carry can lead in.
async function codesAlone() {
  const host = new Node("Hôte");
  nodes.push(host);
  await host.start();
  await host.run("meeting", "create", "Cellule");
  const stale = (await host.run("invite")).ticket;
  const ports = portsOf(host.process.pid);
  host.process.kill("SIGTERM");
  await host.ended;
  const sockets = await Promise.all(ports.map(([family, port]) => new Promise((done) => {
    const socket = createSocket({ type: family === "udp" ? "udp4" : "udp6", ipv6Only: family === "udp6" });
    socket.on("error", () => done(null)); // the port of the beacon is everybody's
    socket.bind(port, () => done(socket));
  })));
  assert.ok(sockets.some(Boolean), "no port of the ticket is taken");
  const context = await browser.person("fr-FR");
  const member = await browser.page(context, await host.start());
  const one = await newcomer("Sans chemin");
  const { page } = one;
  await page.getByText("Par échange de codes").click();
  await field(page).fill(stale);
  await page.getByRole("button", { name: "Établir mon code" }).click();
  const picture = page.getByRole("img", { name: "Le même code, en code QR" });
  await picture.waitFor();
  const photo = { name: "ecran.png", mimeType: "image/png", buffer: await picture.screenshot() };
  assert.deepEqual((await one.node.run("status")).meetings, []);
  await member.getByRole("button", { name: "Inviter" }).click();
  await member.getByText("Faire entrer quelqu’un par échange de codes").click();
  const taken = member.getByRole("dialog").locator("input[accept]");
  await taken.setInputFiles(file("invitation.maillon", stale));
  await member.getByRole("alert").getByText("C’est une invitation, pas un code").waitFor();
  await taken.setInputFiles(photo);
  await member.getByText("Code trouvé dans ecran.png.").waitFor();
  await member.getByRole("button", { name: "Établir la réponse" }).click();
  const answered = member.getByRole("img", { name: "La même réponse, en code QR" });
  await answered.waitFor();
  await clean(member, "by-hand-answered-fr");
  await picker(page).setInputFiles(file("reponse.png", await answered.screenshot()));
  await page.getByText("Réponse trouvée dans reponse.png.").waitFor();
  await clean(page, "by-hand-both-fr");
  await page.setViewportSize({ width: 320, height: 568 });
  await clean(page, "by-hand-320-fr");
  await page.getByRole("button", { name: "Entrer", exact: true }).click();
  await inside(page);
  await member.keyboard.press("Escape");
  await member.locator(".people li").filter({ hasText: "Sans chemin" }).getByText("relié").waitFor();
  await gone(one);
  await gone({ node: host, context });
  for (const socket of sockets) socket?.close();
}

// From the first button to the meeting, both sides on their pages.
async function byHand(number) {
  const one = await newcomer(`Main ${number}`);
  const { page } = one;
  const fresh = await invited();
  await page.getByText("Par échange de codes").click();
  await field(page).fill(fresh);
  await page.getByRole("button", { name: "Établir mon code" }).click();
  const entered = inside(page).then(() => true); // a line may be found without the answer
  const code = await Promise.race([entered,
    page.getByLabel("Code à faire parvenir").inputValue().catch(() => true)]);
  if (code !== true) {
    await a.getByText("Faire entrer quelqu’un par échange de codes").click();
    await a.getByLabel("Code reçu").fill(code);
    await a.getByRole("button", { name: "Établir la réponse" }).click();
    const answer = await a.getByLabel("Réponse à lui renvoyer").inputValue();
    // Where it is in by now there is nothing to fill in any more.
    await page.getByLabel("Réponse reçue du membre").fill(answer, { timeout: 2000 }).catch(() => {});
    await page.getByRole("button", { name: "Entrer", exact: true }).click({ timeout: 2000 })
      .catch(() => {});
  }
  await entered;
  await a.keyboard.press("Escape");
  await a.locator(".people li").filter({ hasText: `Main ${number}` }).first().waitFor();
  await gone(one);
}

await step("a meeting is created", create);
await step("a ticket is read in pictures chosen, dropped and pasted, and in a calendar", pictures);
await step("a picture that is none, endless, or without a code is refused in words", badPictures);
await step("a ticket spelled on the telephone lets in", spelled);
await step("a ticket that is wrong, used up or too old is told apart", wrong);
await step("where nobody answers, codes by hand are offered", nobody);
await step("codes by hand, as pictures, lead in where nothing else does", codesAlone);
await step(`codes by hand lead in, ${BY_HAND_TIMES} times`, async () => {
  for (let number = 0; number < BY_HAND_TIMES; number++) await byHand(number);
});
await finish(browser, nodes);
