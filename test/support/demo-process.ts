import { startDemo } from "../../src/demo/demo.ts";

// A made-up domain controller in a process of its own, which can be ended like a real one. Prints where it is, and how to sign in.
const { url, bindUser, bindPassword, baseDn } = await startDemo({ people: { kind: "company", count: 40 }, port: Number(process.argv[2]) });
process.stdout.write(`${JSON.stringify({ url, bindUser, bindPassword, baseDn })}\n`);
