// SPDX-License-Identifier: MPL-2.0
// What build.mjs makes of texts/.
declare module "catalogues" {
  const catalogues: Record<string, Record<string, string>>;
  export default catalogues;
}
