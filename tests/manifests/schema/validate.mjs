// SPDX-License-Identifier: LGPL-2.1-or-later

// Checks JSON from standard input, one value a line, with packages that stand in FOLDER/node_modules:
//
//	node validate.mjs objects FOLDER          Kubernetes objects, by kubernetes-models
//	node validate.mjs values FOLDER SCHEMA    a chart's values, by ajv, as helm does
//
// Prints what is wrong, a line each, and exits with 1 where anything is. The models' own validation lets
// fields pass that Kubernetes does not have; so these are looked for in the models' declarations.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [what, folder, schemaFile] = process.argv.slice(2);
const modules = join(folder, "node_modules");

// Not Kubernetes' own: nothing here knows them.
const foreign = new Set(["security.openshift.io/v1 SecurityContextConstraints"]);

// The fields of the interface that a .d.ts declares, with their types, and where these come from.
const declarations = new Map();
function declaration(file) {
	if (declarations.has(file)) return declarations.get(file);
	const text = readFileSync(file, "utf8").replace(/\/\*[^]*?\*\//g, "");
	const body = /^export interface \w+[^{]*\{\n([^]*?)^\}/m.exec(text)?.[1];
	const imports = new Map();
	for (const [, names, from] of text.matchAll(/^import \{([^}]*)\} from "([^"]+)";/gm)) {
		const target = from.startsWith(".") ? join(dirname(file), from) : join(modules, from);
		for (const name of names.split(",")) imports.set(name.trim(), target.replace(/\.js$/, "") + ".d.ts");
	}
	const fields = body === undefined ? null : new Map();
	for (const part of (body ?? "").split(/^ {4}(?=")/m)) {
		const field = /^"([^"]+)"\??: ([^]*?);\s*$/.exec(part);
		if (field) fields.set(field[1], field[2]);
	}
	const found = { fields, imports };
	declarations.set(file, found);
	return found;
}

function* unknownFields(value, type, imports, path) {
	let inner;
	if (value === null || typeof value !== "object") return;
	if ((inner = /^Array<([^]+)>$/.exec(type))) {
		for (const [i, item] of [...value].entries()) yield* unknownFields(item, inner[1], imports, `${path}[${i}]`);
	} else if ((inner = /^\{\s*\[key: string\]: ([^]+?);\s*\}$/.exec(type))) {
		for (const key of Object.keys(value)) yield* unknownFields(value[key], inner[1], imports, `${path}.${key}`);
	} else if (imports.has(type)) {
		yield* unknownFieldsOf(value, imports.get(type), path);
	}
}

function* unknownFieldsOf(value, file, path) {
	const { fields, imports } = declaration(file);
	if (fields === null) return; // another name for a simple type
	for (const key of Object.keys(value)) {
		if (!fields.has(key)) yield `${path}.${key} is no field that Kubernetes has`;
		else yield* unknownFields(value[key], fields.get(key), imports, `${path}.${key}`);
	}
}

async function* wrongInObject(object) {
	const { apiVersion, kind } = object;
	const base = join(modules, "kubernetes-models", apiVersion, kind);
	if (foreign.has(`${apiVersion} ${kind}`)) return;
	if (!existsSync(`${base}.d.ts`)) {
		yield `${apiVersion} ${kind} is no object that Kubernetes has`;
		return;
	}
	const model = (await import(pathToFileURL(`${base}.js`)))[kind];
	try {
		new model(object).validate();
	} catch (error) {
		yield error.message;
	}
	yield* unknownFieldsOf(object, `${base}.d.ts`, kind);
}

async function valuesChecker() {
	const { default: Ajv } = await import(pathToFileURL(join(modules, "ajv", "dist", "ajv.js")));
	const check = new (Ajv.default ?? Ajv)({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync(schemaFile)));
	return async function* (values) {
		check(values);
		for (const error of check.errors ?? [])
			yield `${error.instancePath || "values"} ${error.message} ${JSON.stringify(error.params)}`;
	};
}

const check = what === "values" ? await valuesChecker() : wrongInObject;
let count = 0;
for (const line of readFileSync(0, "utf8").split("\n")) {
	if (line === "") continue;
	const value = JSON.parse(line);
	count++;
	for await (const sentence of check(value)) {
		console.log(`${value.kind ?? "values"} ${value.metadata?.name ?? ""}: ${sentence}`);
		process.exitCode = 1;
	}
}
if (count === 0) {
	console.log("nothing to check");
	process.exitCode = 1;
}
