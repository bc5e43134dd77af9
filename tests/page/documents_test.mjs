// SPDX-License-Identifier: MPL-2.0
// Documents by use: many at once, taken back, looked at as text, picture and PDF; names and contents
// meant to harm; and a PDF's own script, links and network, of which nothing may happen.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Browser, faults, need, sideways } from "./harness/browser.mjs";
import { Node } from "./harness/node.mjs";
import { pdf, stream } from "./harness/pdf.mjs";
import { finish, note, step } from "./harness/tap.mjs";

need("playwright-core", "axe-core");
const browser = new Browser();
await browser.open();
const zoe = new Node("Zoé");
await zoe.start();
const a = await browser.page(await browser.person("fr-FR"), zoe.address);

async function clean(name) {
  await browser.shot(a, name);
  assert.deepEqual(await faults(a), [], name);
  assert.deepEqual(await sideways(a), [], name);
}

const file = (name, buffer) => ({ name, mimeType: "", buffer: Buffer.from(buffer) });
const add = (...files) => a.setInputFiles(".documents input[type=file]", files);
const shownAs = (name) => a.getByRole("link", { name: `Enregistrer ${name}`, exact: true });
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const frame = a.frameLocator("dialog iframe");

async function opened(name) {
  await a.getByRole("button", { name: `Aperçu ${name}`, exact: true }).click();
  await a.getByRole("dialog").waitFor();
}

async function close() {
  await a.keyboard.press("Escape");
  await a.getByRole("dialog").waitFor({ state: "detached" });
}

// The frame's page has this many pixels that are not white, on a grid.
const inked = () => frame.locator("main canvas").evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) count += data[at] + data[at + 1] + data[at + 2] < 700;
  return count;
});

async function create() {
  await a.getByLabel("Titre de la réunion").fill("Dossiers");
  await a.keyboard.press("Enter");
  await a.getByRole("img", { name: "L’invitation en code QR" }).waitFor();
  await close();
}

async function several() {
  const files = Array.from({ length: 5 }, (_, n) => [`lot ${n}.bin`, randomBytes(200_000 + n)]);
  const dropped = await a.evaluateHandle((list) => {
    const carried = new DataTransfer();
    for (const [name, bytes] of list) {
      carried.items.add(new File([Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0))], name));
    }
    return carried;
  }, files.map(([name, bytes]) => [name, bytes.toString("base64")]));
  await a.dispatchEvent("main", "dragover", { dataTransfer: dropped });
  await a.getByText("Lâchez pour partager").waitFor();
  await a.dispatchEvent("main", "drop", { dataTransfer: dropped });
  for (const [name, bytes] of files) {
    await shownAs(name).waitFor();
    const [download] = await Promise.all([a.waitForEvent("download"), shownAs(name).click()]);
    assert.equal(sha256(readFileSync(await download.path())), sha256(bytes), name);
  }
  assert.equal((await zoe.run("doc", "list")).length, 5);
}

// One is held up on its way, what waits behind it is taken back, then itself: the node has none.
async function cancelled() {
  const before = await zoe.run("doc", "list");
  let held;
  const reached = new Promise((done) => {
    a.route("**/documents?name=grand*", (route) => {
      held = route;
      done();
    });
  });
  await add(file("grand.bin", randomBytes(1_000_000)), file("suivant.bin", "x"), file("dernier.bin", "y"));
  await reached;
  await a.getByText("suivant.bin attend son tour").waitFor();
  await clean("documents-sending-fr");
  await a.getByRole("button", { name: "Annuler suivant.bin" }).click();
  await a.getByRole("button", { name: "Annuler grand.bin" }).click();
  await shownAs("dernier.bin").waitFor();
  await held.abort().catch(() => {}); // its request is gone
  await a.unroute("**/documents?name=grand*");
  const names = (await zoe.run("doc", "list")).map((one) => one.name);
  assert.deepEqual(names.sort(), [...before.map((one) => one.name), "dernier.bin"].sort());
}

async function names() {
  const nasty = ["<img src=x onerror=alert(1)>.txt", "facture\u202Efdp.exe", "a/b\\c.txt",
    "\u200Binvisible.txt", "Ça va & là ; c’est 100 %.txt", `${"Z\u0351\u034A".repeat(40)}.txt`];
  await add(...nasty.map((name) => file(name, `contenu de ${name}`)));
  await a.getByRole("button", { name: "Aperçu Ça va & là ; c’est 100 %.txt" }).waitFor();
  await a.locator(".documents .said").filter({ hasText: "<img src=x" }).waitFor();
  await a.getByText("facture[U+202E]fdp.exe").waitFor();
  await a.getByText("[U+200B]invisible.txt").waitFor();
  await a.waitForFunction((count) => document.querySelectorAll(".documents .said").length >= count, 12);
  assert.equal(await a.locator(".documents img").count(), 0);
  await clean("documents-names-fr");
  for (const one of await zoe.run("doc", "list")) assert.ok(!/\//.test(one.name), one.name);
  await opened("<img src=x onerror=alert(1)>.txt");
  await frame.getByText("contenu de <img").waitFor();
  await close();
}

async function message() {
  const flood = "e\u0301\u0316\u0359\u0489".repeat(7000); // 64 KB of marks
  await assert.rejects(zoe.run("say", flood));
  const writing = a.locator(".writing textarea");
  await writing.fill(flood);
  await a.keyboard.press("Enter");
  await a.locator(".chat .failure").getByText("Ce texte est trop long").waitFor();
  await writing.fill("");
  await zoe.run("say", "Z\u0351\u034A".repeat(600));
  await zoe.run("say", "juste après");
  await a.locator(".messages .text").filter({ hasText: "juste après" }).waitFor();
  await clean("chat-marks-fr");
}

async function plain() {
  const picture = await a.screenshot({ type: "png" });
  await add(file("capture.png", picture), file("note.txt", "À lire.\n".repeat(300)),
    file("faux.png", "<script>parent.postMessage(1)</script>"));
  await shownAs("faux.png").waitFor();
  await opened("capture.png");
  const seen = frame.locator("img");
  await seen.waitFor();
  assert.equal(await seen.evaluate((img) => img.naturalWidth), 1366);
  assert.equal(await a.locator("dialog iframe").getAttribute("sandbox"), "");
  await clean("preview-picture-fr");
  await close();
  await opened("note.txt");
  await frame.getByText("À lire.").first().waitFor();
  await clean("preview-text-fr");
  await close();
  await opened("faux.png"); // shown as the text it is
  await frame.getByText("<script>").waitFor();
  await close();
}

async function pages() {
  await add(file("trois.pdf", pdf(["Première page", "Page deux", "Page trois"])));
  await shownAs("trois.pdf").waitFor();
  await opened("trois.pdf");
  await frame.getByText("Première page").waitFor();
  assert.ok(await inked() > 100, "nothing is drawn");
  await clean("preview-pdf-fr");
  assert.equal(await a.locator("dialog iframe").getAttribute("sandbox"), "allow-scripts");
  await a.getByRole("button", { name: "Page suivante" }).click();
  await frame.getByText("Page deux").waitFor();
  await a.getByLabel("Page (sur 3)").fill("3");
  await a.keyboard.press("Enter");
  await frame.getByText("Page trois").waitFor();
  const width = () => frame.locator("main canvas").evaluate((canvas) => canvas.getBoundingClientRect().width);
  const before = await width();
  await frame.locator("main").focus();
  await a.keyboard.press("+");
  await a.waitForFunction(() => document.querySelector("dialog iframe")); // the frame is another process
  await frame.locator("main canvas").evaluate((canvas, before) => new Promise((done) => {
    const look = () => document.querySelector("main canvas").getBoundingClientRect().width > before * 1.2
      ? done() : requestAnimationFrame(look);
    look();
  }), before);
  await frame.locator("main").focus();
  await a.keyboard.press("PageUp");
  await frame.getByText("Page deux").waitFor();
  await a.keyboard.press("End");
  await frame.getByText("Page trois").waitFor();
  await a.keyboard.press("Home");
  await frame.getByText("Première page").waitFor();
  const [download] = await Promise.all([a.waitForEvent("download"),
    a.getByRole("dialog").getByRole("link", { name: "Enregistrer" }).click()]);
  assert.equal(download.suggestedFilename(), "trois.pdf");
  await a.setViewportSize({ width: 320, height: 568 });
  await a.getByRole("dialog").waitFor();
  await clean("preview-pdf-320-fr");
  await a.setViewportSize({ width: 1366, height: 768 });
  await frame.locator("main").focus();
  await close(); // by Escape, from inside
}

// Scanned pages are pictures in formats no browser knows; their decoders come with the program.
async function scanned() {
  const picture = join(zoe.place, "scan.jp2");
  try {
    execFileSync("gst-launch-1.0", ["-q", "videotestsrc", "num-buffers=1", "pattern=smpte", "!",
      "video/x-raw,width=320,height=240", "!", "videoconvert", "!", "openjpegenc", "!",
      "filesink", `location=${picture}`], { stdio: "ignore" });
  } catch {
    return note("no JPEG 2000 encoder here: the picture inside a PDF is not tried");
  }
  assert.ok(existsSync(picture));
  // The encoder puts the header of a box before it.
  const bytes = readFileSync(picture);
  const begin = bytes.indexOf(Buffer.from("ff4fff51", "hex"));
  const image = stream("/Type /XObject /Subtype /Image /Width 320 /Height 240 /Filter /JPXDecode",
    bytes.subarray(begin));
  await add(file("scan.pdf", pdf(["Page numérisée"], { resources: "/XObject << /Im 6 0 R >>",
    draw: () => "q 400 0 0 300 60 300 cm /Im Do Q", extra: [image] })));
  await shownAs("scan.pdf").waitFor();
  await opened("scan.pdf");
  await frame.getByText("Page numérisée").waitFor();
  await browser.shot(a, "preview-scan-fr");
  assert.ok(await inked() > 50_000, "the picture inside is not drawn");
  await close();
}

async function hostile() {
  let asked = 0;
  const outside = createServer((_, answer) => {
    asked++;
    answer.end();
  });
  await new Promise((done) => outside.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${outside.address().port}/`;
  const whole = pdf(["Piège"], {
    catalog: `/OpenAction << /S /JavaScript /JS (app.alert\\(1\\); this.submitForm\\("${url}"\\)) >>
      /AA << /WC << /S /URI /URI (${url}) >> >>`,
    extra: [`<< /S /Launch /F (/bin/sh) >>`],
  });
  await add(file("piege.pdf", whole));
  await shownAs("piege.pdf").waitFor();
  await opened("piege.pdf");
  await frame.getByText("Piège").waitFor();
  browser.forgiven = new URL(url).host; // of what is tried now is complained, sooner or later
  // What such a document could do if it took the frame over: nothing leaves it.
  const tried = await frame.locator("main").evaluate(async (_, url) => {
    const failed = async (work) => {
      try {
        await work();
        return false;
      } catch {
        return true;
      }
    };
    const loaded = (element) => new Promise((done) => {
      element.onload = () => done(true);
      element.onerror = () => done(false);
      document.body.append(element);
    });
    return {
      fetch: await failed(() => fetch(url)), // Later: what a debugger evaluates may itself.
      eval: await failed(() => new Promise((done, refused) => setTimeout(() => {
        try {
          done((0, eval)("1"));
        } catch (error) {
          refused(error);
        }
      }))),
      cookie: await failed(() => document.cookie), stored: await failed(() => localStorage.length),
      parent: await failed(() => parent.document.title), top: await failed(() => top.localStorage),
      image: await loaded(Object.assign(new Image(), { src: url })),
      script: await loaded(Object.assign(document.createElement("script"), { src: url })),
      socket: await failed(() => new Promise((done, refused) => {
        const socket = new WebSocket(url.replace("http", "ws"));
        socket.onopen = done;
        socket.onerror = refused;
      })),
      origin,
    };
  }, url);
  assert.deepEqual(tried, { fetch: true, eval: true, cookie: true, stored: true, parent: true,
    top: true, image: false, script: false, socket: true, origin: "null" });
  assert.equal(asked, 0, "something was asked from outside");
  outside.close();
  await close();
}

async function damaged() {
  const whole = pdf(["Entier"]);
  const locked = Buffer.from(whole.toString("latin1").replace("/Root 1 0 R", "/Root 1 0 R " +
    `/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${"41".repeat(32)}> /U <${"42".repeat(32)}> >> ` +
    `/ID [<${"43".repeat(16)}> <${"43".repeat(16)}>]`), "latin1");
  const cases = [["coupe.pdf", whole.subarray(0, 300), "endommagé"],
    ["bruit.pdf", randomBytes(5000), "endommagé"], ["vide.pdf", Buffer.from("x"), "endommagé"],
    ["boucle.pdf", Buffer.from(whole.toString("latin1").replace("/Kids [4 0 R]", "/Kids [2 0 R]"), "latin1"),
      "n’a pas pu être dessinée|endommagé"],
    ["cle.pdf", locked, "protégé par un mot de passe"]];
  for (const [name, bytes, said] of cases) {
    await add(file(name, bytes));
    await shownAs(name).waitFor();
    await opened(name);
    await a.getByRole("alert").filter({ hasText: new RegExp(said) }).waitFor();
    await clean(`preview-${name.replace(".pdf", "")}-fr`);
    await close();
  }
}

await step("what is loaded later is counted apart", async () => {
  for (const name of ["qr.js", "viewer.html"]) {
    const bytes = Buffer.from(await (await fetch(new URL(name, zoe.address))).arrayBuffer());
    note(`${name}: ${bytes.length} bytes, gzip ${gzipSync(bytes, { level: 9 }).length}`);
    assert.ok(bytes.length > 10_000, name);
  }
  for (const name of ["viewer/jbig2.wasm", "viewer/FoxitDingbats.pfb"]) {
    assert.equal((await fetch(new URL(name, zoe.address))).status, 200, name);
  }
  for (const name of ["viewer/none", "viewer/viewer.html", "viewer/"]) {
    assert.equal((await fetch(new URL(name, zoe.address))).status, 404, name);
  }
});
for (const [name, work] of [
  ["a meeting is created", create],
  ["several files dropped at once arrive whole", several],
  ["what is under way or waits is taken back", cancelled],
  ["names that would harm, turn or hide are shown as they are", names],
  ["a flood of marks stays where it stands, and 64 KB of them are refused in words", message],
  ["pictures and text are shown in a frame that runs nothing", plain],
  ["a PDF is read page by page with mouse and keyboard", pages],
  ["a scanned page is drawn", scanned],
  ["a hostile PDF reaches nothing", hostile],
  ["a PDF that is cut off, locked or none is a sentence", damaged],
]) {
  if (!await step(name, work)) {
    await browser.shot(a, `failed-documents-${work.name}`);
    await a.keyboard.press("Escape");
  }
}
await finish(browser, [zoe]);
