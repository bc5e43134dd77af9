// SPDX-License-Identifier: MPL-2.0
// node build.mjs MODULES OUTPUT — bundles app/ and every catalogue of texts/ into app.js and app.css,
// and what is loaded later: qr.js, viewer.html (frame.html with all it runs inside; viewer.sha256 is of
// its one script, for the policy it is served under), and what pdf.js keeps apart.
// MODULES is a folder `node_modules` anywhere: none lies in this tree.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [modules, output] = process.argv.slice(2).map((path) => resolve(path));
const esbuild = createRequire(join(modules, "x"))("esbuild");

// One more file in texts/ is one more language.
const catalogues = {
  name: "catalogues",
  setup(build) {
    build.onResolve({ filter: /^catalogues$/ }, () => ({ path: "catalogues", namespace: "texts" }));
    build.onLoad({ filter: /.*/, namespace: "texts" }, () => {
      const codes = readdirSync(join(here, "texts")).filter((name) => name.endsWith(".json"))
        .map((name) => name.replace(".json", "")).sort();
      const imports = codes.map((code) => `import ${code} from "./texts/${code}.json";`);
      return { contents: `${imports.join("\n")}\nexport default { ${codes.join(", ")} };`,
        resolveDir: here };
    });
  },
};

const settings = {
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2020",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  nodePaths: [modules],
  plugins: [catalogues],
  logLevel: "warning",
};
const app = (name) => join(here, "app", name);

// The page knows its build, and the node which one it serves: an old page sees that it is old.
const { outputFiles } = await esbuild.build({ ...settings, entryPoints: { app: app("main.tsx") },
  outdir: output, external: ["./qr.js"], write: false, define: { BUILD: '"@BUILD@"' } });
const made = Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text]));
const build = createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 16);
writeFileSync(join(output, "app.js"), made["app.js"].replace("@BUILD@", build));
writeFileSync(join(output, "app.css"), made["app.css"]);
writeFileSync(join(output, "build.txt"), build);
await esbuild.build({ ...settings, entryPoints: { qr: app("qr.ts") }, outdir: output, format: "esm" });

// ---- the viewer: one file, which needs nothing else ----

const inline = async (entry) => {
  // pdf.js asks where it lies only outside a browser.
  const { outputFiles: [file] } = await esbuild.build({ ...settings, entryPoints: [entry],
    write: false, format: entry.endsWith(".css") ? undefined : "iife", charset: "ascii",
    target: "es2022", logOverride: { "empty-import-meta": "silent" } });
  // Inside a script element nothing may look like its end, nor like a comment of HTML.
  return file.text.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
};
const pdf = join(modules, "pdfjs-dist");
const script = await inline(app("viewer.ts"));
const parts = {
  "viewer.css": await inline(app("viewer.css")),
  "worker.js": await inline(join(pdf, "legacy/build/pdf.worker.mjs")),
  "viewer.js": script,
};
writeFileSync(join(output, "viewer.html"), readFileSync(join(here, "frame.html"), "utf8")
  .replace(/\{\{([\w.]+)\}\}/g, (_, name) => parts[name]));
writeFileSync(join(output, "viewer.sha256"), createHash("sha256").update(script).digest("base64"));
// What pdf.js keeps apart: decoders of scanned pages, and fonts for documents that bring none.
for (const [folder, kind] of [["wasm", /^(jbig2|openjpeg)\.wasm$/], ["standard_fonts", /\.(ttf|pfb)$/]]) {
  for (const name of readdirSync(join(pdf, folder)).filter((name) => kind.test(name))) {
    copyFileSync(join(pdf, folder, name), join(output, name));
  }
}
