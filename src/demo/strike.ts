import type { Armed, Fault } from "./faults.ts";
import type { Session } from "./host.ts";
import { type Ending, wellDone, writeResult } from "./response.ts";
import { type ResultName, resultCode } from "./result.ts";

/** What a fault made of an operation: an answer with a result code, or no answer at all. */
export type Blow = { readonly kind: "answer"; readonly end: Ending } | { readonly kind: "silence" };

/** The first fault that takes effect after so many entries. */
export function dueAfter(armed: readonly Armed[], sent: number): Armed | undefined {
	return armed.find(({ fault }) => fault.kind === "referral" || ("after" in fault && sent >= fault.after));
}

/** What a proxy may say in the middle of it all. Long enough that whoever takes its second octet for a length has it whole. */
const GARBAGE = `HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\n\r\n${"no route to the server ".repeat(8)}`;

/** Lets a fault take effect. */
export async function strike(session: Session, { fault, strike }: Armed): Promise<Blow> {
	strike();
	const { out } = session;
	switch (fault.kind) {
		case "result":
			return { kind: "answer", end: { ...wellDone, code: resultCode[fault.result], text: textFor(fault.result) } };
		case "referral":
			return { kind: "answer", end: { ...wellDone, code: resultCode.referral, referral: fault.urls } };
		case "cut":
			out.end();
			break;
		case "reset":
			out.reset();
			break;
		case "garbage":
			await out.send(Buffer.from(GARBAGE));
			break;
		case "disconnection":
			await out.send(noticeOfDisconnection("unavailable"));
			out.end();
			break;
		default:
			break; // A hang is nothing: the answer never comes.
	}
	return { kind: "silence" };
}

/** RFC 4511 §4.4.1: message id 0. */
export function noticeOfDisconnection(because: "unavailable" | "protocolError"): Buffer {
	const end = {
		...wellDone,
		code: resultCode[because],
		text: "00002024: LdapErr: DSID-0C06028C, comment: the server ends this connection, data 0, v1db1",
	};
	return writeResult(0, 0x78, end, [], { oid: "1.3.6.1.4.1.1466.20036" });
}

export function delayOf(armed: readonly Armed[]): number {
	let delayMs = 0;
	for (const { fault, strike } of armed) {
		if (fault.kind !== "slow") continue;
		strike();
		delayMs += fault.delayMs;
	}
	return delayMs;
}

/** The armed fault of a kind that is a condition of a page; it counts as struck. */
export function takes(armed: readonly Armed[], kind: Fault["kind"]): boolean {
	const found = armed.find(({ fault }) => fault.kind === kind);
	found?.strike();
	return found !== undefined;
}

function textFor(result: ResultName): string {
	return `000020EF: SvcErr: DSID-03140594, problem 5001 (${result}), data 0`;
}
