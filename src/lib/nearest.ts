/** The known word that was probably meant, or undefined when none is near enough to suggest. */
export function nearest(word: string, known: readonly string[]): string | undefined {
	const wanted = word.toLowerCase();
	const inside = known.find((candidate) => candidate.toLowerCase().startsWith(`${wanted}.`));
	if (inside !== undefined) return inside;
	// Half of a short word may be wrong (urs, urls), but of a long one only a few letters.
	let best: { candidate: string; distance: number } | undefined;
	for (const candidate of known) {
		const distance = editDistance(wanted, candidate.toLowerCase());
		const allowed = Math.min(3, Math.floor(Math.max(wanted.length, candidate.length) / 2));
		if (distance <= allowed && (best === undefined || distance < best.distance)) best = { candidate, distance };
	}
	return best?.candidate;
}

/** Letters to add, drop, change or swap with their neighbour to make one word of the other (optimal string alignment). */
export function editDistance(from: string, to: string): number {
	const width = to.length + 1;
	const table = new Int32Array((from.length + 1) * width);
	const cost = (row: number, column: number) => table[row * width + column] ?? 0;
	for (let row = 0; row <= from.length; row++) table[row * width] = row;
	for (let column = 0; column <= to.length; column++) table[column] = column;
	for (let row = 1; row <= from.length; row++) {
		for (let column = 1; column <= to.length; column++) {
			const differs = from[row - 1] === to[column - 1] ? 0 : 1;
			let best = Math.min(cost(row - 1, column) + 1, cost(row, column - 1) + 1, cost(row - 1, column - 1) + differs);
			const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
			if (swapped) best = Math.min(best, cost(row - 2, column - 2) + 1);
			table[row * width + column] = best;
		}
	}
	return cost(from.length, to.length);
}
