// SPDX-License-Identifier: MPL-2.0
// measure.mjs MEMBERS MESSAGES — a meeting of real nodes as large as that, and what its page costs:
// one JSON document on standard output. The members beside two have come and gone.
import { gzipSync } from "node:zlib";
import { Browser } from "../../page/harness/browser.mjs";
import { Node } from "../../page/harness/node.mjs";

const [MEMBERS, MESSAGES] = process.argv.slice(2).map(Number);
const OPENED = 10;
const SAID = 20;
const AT_ONCE = 6; // joining
const BATCH = 25; // messages asked for at once
const TYPED = "Les secours sont en route vers le secteur nord, et la salle est prête. ".repeat(2);

const note = (text) => process.stderr.write(`${text}\n`);
const browser = new Browser();
await browser.open();
const a = new Node("Zoé Martin");
const b = new Node("Bob Morane");
await Promise.all([a.start(), b.start()]);

async function sizes() {
  const size = async (...names) => {
    let bytes = 0;
    for (const name of names) {
      const answer = await fetch(new URL(name, a.address));
      if (!answer.ok) throw new Error(`no ${name}: was the page built?`);
      bytes += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
    }
    return bytes;
  };
  return { page_bytes: await size("app.js", "app.css"), qr_bytes: await size("qr.js"),
    viewer_bytes: await size("viewer.html") };
}

// From the navigation's start to a form that can be filled in, in a browser that never was here.
async function opening() {
  const times = [];
  for (let round = 0; round < OPENED; round++) {
    const { address } = await a.run("page");
    const person = await browser.person("fr-FR");
    await person.addInitScript(() => {
      new MutationObserver((_, watch) => {
        if (!document.querySelector("form input:not([disabled]), .writing textarea")) return;
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => { globalThis.usable_ms = performance.now(); }));
      }).observe(document, { childList: true, subtree: true });
    });
    const page = await browser.page(person, address);
    times.push(await page.waitForFunction(() => globalThis.usable_ms).then((one) => one.jsonValue()));
    await person.close();
  }
  return times;
}

async function fill(ticket) {
  for (let left = MEMBERS - 2; left > 0; left -= AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, async (_, n) => {
      const node = new Node(`Membre ${left - n}`);
      await node.start();
      await node.run("join", ticket, "--wait", "60");
      await node.end();
    }));
    note(`${left} members to come`);
  }
}

// Said by a page of this node, as fast as it records them.
const talk = (page, count, words) => page.evaluate(async ([count, batch, words]) => {
  const key = localStorage.getItem("key");
  const socket = new WebSocket(`ws://${location.host}/live`, ["maillon", key]);
  await new Promise((done) => { socket.onopen = done; });
  const waiting = new Map();
  let had = 0;
  socket.onmessage = ({ data }) => {
    const said = JSON.parse(data);
    if (++had % 16 === 0) socket.send(JSON.stringify({ seen: had }));
    if (said.ok !== undefined) waiting.get(said.id)(said);
  };
  for (let number = 0; number < count; number += batch) {
    await Promise.all(Array.from({ length: Math.min(batch, count - number) }, (_, n) =>
      new Promise((done) => {
        waiting.set(number + n, done);
        socket.send(JSON.stringify({ id: number + n, command: "say",
          arguments: { text: `${number + n} : ${words.slice(0, 20 + (number + n) * 7 % 200)}` } }));
      })));
  }
  socket.close();
}, [count, BATCH, words]);

// The longest frame while something is done, from one to the next, and the longest the page was at work.
async function frames(page, work) {
  await page.evaluate(() => {
    const seen = { frame_ms: 0, work_ms: 0, count: 0, over: 0 };
    let last = performance.now();
    const look = (now) => {
      const took = now - last;
      seen.count++;
      seen.over += took > 50;
      seen.frame_ms = Math.max(seen.frame_ms, took);
      last = now;
      if (!seen.ended) requestAnimationFrame(look);
    };
    requestAnimationFrame((now) => {
      last = now;
      requestAnimationFrame(look);
    });
    const watch = new PerformanceObserver((list) => list.getEntries().forEach((one) => {
      seen.work_ms = Math.max(seen.work_ms, one.duration);
    }));
    watch.observe({ type: "long-animation-frame" }); // those of 50 ms and more
    globalThis.seenFrames = { seen, watch };
  });
  await work();
  return page.evaluate(() => {
    const { seen, watch } = globalThis.seenFrames;
    seen.ended = true;
    watch.disconnect();
    return seen;
  });
}

async function scroll(page) {
  const box = await page.locator(".messages").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let turn = 0; turn < 4; turn++) {
    for (let step = 0; step < 40; step++) await page.mouse.wheel(0, turn % 2 ? 600 : -600);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  }
}

// From the key that sends it at one node's page to being drawn in the other's.
async function hearing(from, to) {
  const times = [];
  await to.evaluate(() => {
    globalThis.drawn = new Map();
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          const text = node.querySelector?.(".text")?.textContent;
          if (text) requestAnimationFrame(() => globalThis.drawn.set(text, Date.now()));
        }
      }
    }).observe(document.querySelector(".messages"), { childList: true, subtree: true });
  });
  for (let number = 0; number < SAID; number++) {
    const text = `mesure ${number}`;
    await from.locator(".writing textarea").fill(text);
    const begun = Date.now();
    await from.keyboard.press("Enter");
    const at = await to.waitForFunction((text) => globalThis.drawn.get(text), text)
      .then((one) => one.jsonValue());
    times.push(at - begun);
  }
  return times;
}

const measured = { members: MEMBERS, messages: MESSAGES, ...await sizes(), open_ms: await opening() };
note(`opened: ${measured.open_ms.map(Math.round)}`);
await a.run("meeting", "create", "Cellule de crise");
const { ticket } = await a.run("invite", "--uses", String(MEMBERS));
await b.run("join", ticket);
const person = await browser.person("fr-FR");
const other = await browser.person("fr-FR");
const own = await browser.page(person, (await a.run("page")).address);
const peer = await browser.page(other, (await b.run("page")).address);
await own.locator(".writing textarea").waitFor();
await peer.locator(".writing textarea").waitFor();
measured.hear_ms = await hearing(peer, own);
await fill(ticket);
await Promise.all([talk(own, MESSAGES / 2, TYPED), talk(peer, MESSAGES / 2, TYPED)]);
note("all is said");
measured.members = (await a.run("roster", "list")).length;
await own.reload();
await own.locator(".writing textarea").waitFor();
await own.waitForFunction(() => document.querySelectorAll(".messages li").length > 50);
measured.open_full_ms = await own.evaluate(() => performance.now());
measured.typing = await frames(own, async () => {
  await own.locator(".writing textarea").click();
  await own.keyboard.type(TYPED, { delay: 15 });
});
measured.scrolling = await frames(own, () => scroll(own));
measured.hear_full_ms = await hearing(peer, own);
measured.busy = await frames(own, async () => {
  await own.locator(".writing textarea").click();
  await Promise.all([talk(peer, 100, TYPED), own.keyboard.type(TYPED, { delay: 15 })]);
});
measured.messages = (await a.run("messages")).length;
await browser.close();
await Promise.all([a.end(), b.end()]);
process.stdout.write(JSON.stringify(measured));
