// SPDX-License-Identifier: MPL-2.0
// node build.mjs MODULES OUTPUT — bundles app/ and every catalogue of texts/ into app.js and app.css.
// MODULES is a folder `node_modules` anywhere: none lies in this tree.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
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

await esbuild.build({
  entryPoints: { app: join(here, "app", "main.tsx") },
  outdir: output,
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
});
