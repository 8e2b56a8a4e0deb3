import { unreachable } from "../core/errors.ts";
import { type HeldCount, type HeldDetail, type Matter, type MatterNotice, PAGE } from "../core/matter.ts";
import { levelOf } from "../core/matters.ts";
import { formatDuration } from "../lib/duration.ts";
import { type Block, type Letter, moment, type Stationery } from "./letter.ts";

/** Says of a matter what it is, what it means and what to do. */
export function writeMatter({ matter, state, at }: MatterNotice, stationery: Stationery): Letter {
	if (state === "recovered") return writeRecovery(matter, at, stationery);
	const { title, blocks } = describe(matter, at, stationery);
	const opening: Readonly<Record<typeof state, readonly Block[]>> = {
		opened: [],
		changed: [text("This is not what was told before: what stands here counts.")],
		reminder: [text(`This is a reminder: it has been so since ${moment(matter.since, stationery)}.`)],
	};
	const mark = { opened: "", changed: "", reminder: "still: " }[state];
	return {
		subject: `dirsyncd ${matter.about}: ${mark}${title}`,
		blocks: [...opening[state], ...blocks, ...(matter.detail.kind === "held" ? [] : [link("The page", stationery)])],
	};
}

function writeRecovery(matter: Matter, at: number, stationery: Stationery): Letter {
	const { title, words } = recovery(matter);
	const since = moment(matter.since, stationery);
	return {
		subject: `dirsyncd ${matter.about}: ${title}`,
		blocks: [
			text(words),
			text(`It began at ${since} and was over at ${moment(at, stationery)}, after ${formatDuration(at - matter.since)}.`),
			link("The page", stationery),
		],
	};
}

function recovery({ detail, about }: Matter): { readonly title: string; readonly words: string } {
	switch (detail.kind) {
		case "held":
			return {
				title: "nothing is held any more",
				words:
					"What was held was approved or rejected, or it dissolved because the directory says something else now. `dirsyncd runs` shows which.",
			};
		case "failed":
			return {
				title: "is read again",
				words: "The source can be read again. What changed there meanwhile is taken up now; nothing was lost.",
			};
		case "unsealed":
			return { title: "its full reading is proven complete again", words: "Who is missing in the directory counts as gone again." };
		case "target":
			return { title: "takes changes again", words: "What was waiting for this target is being delivered now; nothing was lost." };
		case "quarantine":
			return { title: "nobody is set aside any more", words: "Everybody who was in quarantine has their account as the directory says." };
		case "certificate":
			return { title: "has a new certificate", words: `The ${about === PAGE ? "page" : "server"} shows a certificate that lasts.` };
		case "database":
			return {
				title: "can be written again",
				words: "Runs go on, and take up what changed in the directories meanwhile; nothing was lost.",
			};
		default:
			return unreachable(detail);
	}
}

interface Description {
	readonly title: string;
	readonly blocks: readonly Block[];
}

function describe(matter: Matter, now: number, stationery: Stationery): Description {
	const { detail, about } = matter;
	switch (detail.kind) {
		case "held":
			return describeHeld(detail, about, stationery);
		case "failed": {
			const { because, hint, runs, lastSuccessAt } = detail;
			const last =
				lastSuccessAt === undefined ? "No run has succeeded yet." : `The last success was at ${moment(lastSuccessAt, stationery)}.`;
			const often = runs === 1 ? "The last run failed" : `The last ${runs} runs failed`;
			return {
				title: `cannot be read: ${because}`,
				blocks: [
					text(`The source ${about} cannot be read. ${often}: ${because}. ${last}`),
					...remedy(hint ?? "dirsyncd check looks at each step of the connection and says what is wrong."),
					command("Look at it step by step", `check --source ${about}`, stationery),
					text(
						"Meanwhile all accounts stay as they are: nobody is disabled because the directory cannot be read. It is tried again by the schedule.",
					),
				],
			};
		}
		case "unsealed":
			return {
				title: "the last full reading is not proven complete",
				blocks: [
					text(`The last full reading of ${about} could not be proven complete: ${sentence(detail.reasons.join("; "))}`),
					text("Until one is, nobody is disabled or deleted because they are missing in the directory. All other changes go on."),
					...remedy("Look at the rights of the service account and at the domain controller; the next full reading settles it by itself."),
					command("Look at it step by step", `check --source ${about}`, stationery),
					command("Read everything now", `sync --full --source ${about}`, stationery),
				],
			};
		case "target": {
			const { because, hint, pending, retryAt } = detail;
			return {
				title: `takes no changes: ${because}`,
				blocks: [
					text(`The target ${about} has taken nothing since ${moment(matter.since, stationery)}: ${sentence(because)}`),
					...remedy(hint ?? "dirsyncd check looks at each step of the way there and says what is wrong."),
					command("Look at it step by step", `check --target ${about}`, stationery),
					text(
						`${pending} ${pending === 1 ? "change waits" : "changes wait"} for it. It is tried again at ${moment(retryAt, stationery)} and then on, and delays only itself.`,
					),
				],
			};
		}
		case "quarantine": {
			const { count, first } = detail;
			const who = count === 1 ? "1 is" : `${count} are`;
			return {
				title: `${who} set aside`,
				blocks: [
					text(
						`Of ${about}, ${who} in quarantine: an account that cannot be kept as the directory says is left as it is, and stops nobody else.`,
					),
					{
						kind: "table",
						heading: "Set aside",
						columns: ["who", "why"],
						rows: first.map(({ name, reason }) => [name, reason]),
						more: count - first.length,
					},
					...remedy("Put right in the directory what stands beside each; it heals by itself with the next run."),
					command("See all", "status", stationery),
				],
			};
		}
		case "certificate":
			return about === PAGE
				? describePageCertificate(detail.expiresAt, now, stationery)
				: describeCertificate(detail.expiresAt, about, now, stationery);
		case "database":
			return {
				title: `cannot be written: ${detail.because}`,
				blocks: [
					text(`Nothing has been kept since ${moment(matter.since, stationery)}: ${sentence(detail.because)}`),
					...remedy(detail.hint ?? "Look at the disk and the file's permissions; the log says more."),
					text("Until it can be written, no run changes anything: all accounts stay as they are. It heals by itself."),
				],
			};
		default:
			return unreachable(detail);
	}
}

function describeHeld(detail: HeldDetail, about: string, stationery: Stationery): Description {
	const { plan, count, kinds, first } = detail;
	const [only, ...others] = kinds;
	const what = inWords(kinds);
	const reason = only !== undefined && others.length === 0 ? `, ${only.because}` : "";
	const are = count === 1 ? "is" : "are";
	return {
		title: `${what} ${are} held${reason}`,
		blocks: [
			text(`${what} of ${about} ${are} held. Nothing of it happens before somebody decides; changes of other kinds go on.`),
			{
				kind: "table",
				heading: "What is held",
				columns: ["what", "how many", "why"],
				rows: kinds.map(({ kind, target, because, count: number }) => [
					target === "" ? kind : `${kind} at ${target}`,
					String(number),
					because,
				]),
				more: 0,
			},
			text("If the directory is right, approve it. If it is not, put it right there: the plan dissolves by itself. Or reject it."),
			command("Approve", `approve ${plan}`, stationery),
			command("Reject", `reject ${plan}`, stationery),
			link("Or decide on the page", stationery),
			text("If something else would be done by then, approving is refused, and what would be done is shown anew."),
			// Below what there is to do: whoever decides looks at these, and then knows where the commands are.
			{
				kind: "table",
				heading: "Whom it is about",
				columns: ["who", "what", "why"],
				rows: first.map(({ name, kind, why }) => [name, kind, why]),
				more: count - first.length,
			},
		],
	};
}

function describeCertificate(expiresAt: number, about: string, now: number, stationery: Stationery): Description {
	return {
		title: `the server's certificate ${inDays(expiresAt, now)}`,
		blocks: [
			text(
				`The certificate of the directory server of ${about} ${expires(expiresAt, now)} at ${moment(expiresAt, stationery)}. From then on it is not read any more.`,
			),
			...remedy("Have the server's certificate renewed. If its authority is a new one, put that into the file that tls.ca names."),
			command("Look at it", `check --source ${about}`, stationery),
		],
	};
}

function describePageCertificate(expiresAt: number, now: number, stationery: Stationery): Description {
	return {
		title: `its certificate ${inDays(expiresAt, now)}`,
		blocks: [
			text(
				`The certificate that the page and the API show ${expires(expiresAt, now)} at ${moment(expiresAt, stationery)}. From then on browsers and programs refuse it; accounts are kept in step all the same.`,
			),
			...remedy(
				"Put a new one into the file of http.tls.cert, and its key into that of http.tls.key. Then have dirsyncd read its configuration again: by the command below, or on Windows by Restart-Service dirsyncd.",
			),
			{ kind: "command", label: "Take it up", command: "systemctl reload dirsyncd" },
		],
	};
}

function inDays(expiresAt: number, now: number): string {
	const days = Math.ceil((expiresAt - now) / 86_400_000);
	return levelOf(expiresAt, now) === 0 ? "has expired" : `expires in ${days} ${days === 1 ? "day" : "days"}`;
}

function expires(expiresAt: number, now: number): "expired" | "expires" {
	return levelOf(expiresAt, now) === 0 ? "expired" : "expires";
}

/** "62 disables, 3 group deletes": those of one kind together, whatever they are held for. */
function inWords(kinds: readonly HeldCount[]): string {
	const counts = new Map<string, number>();
	for (const { kind, count } of kinds) counts.set(kind, (counts.get(kind) ?? 0) + count);
	return [...counts].map(([kind, count]) => `${count} ${namesOf(kind)[count === 1 ? 0 : 1]}`).join(", ");
}

function namesOf(kind: string): readonly [string, string] {
	if (kind === "group remove") return ["removal from groups", "removals from groups"];
	if (kind === "entitlement") return ["change of features and policies", "changes of features and policies"];
	return [kind, `${kind}s`];
}

function text(words: string): Block {
	return { kind: "text", text: words };
}

function link(label: string, { page }: Stationery): Block {
	return { kind: "link", label, url: page };
}

function sentence(words: string): string {
	return /[.!?]$/.test(words) ? words : `${words}.`;
}

function remedy(hint: string): readonly Block[] {
	return [text(`What to do: ${sentence(hint)}`)];
}

function command(label: string, rest: string, { config }: Stationery): Block {
	const file = /^[\w./:@%+=\\-]+$/.test(config) ? config : `'${config.replaceAll("'", "'\\''")}'`;
	return { kind: "command", label, command: `dirsyncd ${rest} --config ${file}` };
}
