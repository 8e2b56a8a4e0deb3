import { createRequire } from "node:module";
import { Language, type Node, Parser } from "web-tree-sitter";

const require = createRequire(import.meta.url);

/** What is wrong with a PowerShell text, as "line 3: …"; nothing where it parses. It does not run it: no PowerShell is here. */
export async function powershellFaults(text: string): Promise<readonly string[]> {
	const parser = await parserOnce();
	const tree = parser.parse(text);
	if (tree === null) throw new Error("the parser gave up");
	const faults: string[] = [];
	const walk = (node: Node): void => {
		if (node.isError || node.isMissing) {
			faults.push(
				`line ${node.startPosition.row + 1}: ${node.isMissing ? "missing" : "error at"} ${JSON.stringify(node.text.slice(0, 80))}`,
			);
			return;
		}
		if (node.hasError) for (const child of node.children) if (child !== null) walk(child);
	};
	walk(tree.rootNode);
	if (faults.length === 0 && tree.rootNode.hasError) faults.push("somewhere");
	tree.delete();
	return faults;
}

let parser: Promise<Parser> | undefined;

function parserOnce(): Promise<Parser> {
	parser ??= (async () => {
		await Parser.init();
		const made = new Parser();
		made.setLanguage(await Language.load(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm")));
		return made;
	})();
	return parser;
}
