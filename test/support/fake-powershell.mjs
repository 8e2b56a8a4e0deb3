// Speaks as powershell.exe -Command - does: a script on standard input, an answer on standard output. DIRSYNCD_TEST_POWERSHELL says how.
import { readFileSync } from "node:fs";

const how = process.env.DIRSYNCD_TEST_POWERSHELL;
const script = readFileSync(0, "utf8");
const blob = /FromBase64String\('([^']*)'\)/.exec(script)?.[1] ?? "";
const entropy = /GetBytes\('([^']*)'\)/.exec(script)?.[1] ?? "";
const plain = Buffer.from(blob, "base64").toString("utf8");
const say = (kind, text) => process.stdout.write(`noise of a profile\r\ndirsyncd-${kind}:${Buffer.from(text).toString("base64")}\r\n`);

if (process.argv.slice(2).join(" ") !== "-NoProfile -NonInteractive -Command -") say("refused", process.argv.join(" "));
else if (how === "hangs") setTimeout(() => {}, 60_000);
else if (how === "silent") process.exit(1);
// A blob of this machine says whose entropy it was made with.
else if (plain.startsWith(`${entropy}|`)) say("secret", plain.slice(entropy.length + 1));
else say("refused", "Key not valid for use in\r\nspecified state.");
