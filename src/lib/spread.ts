/**
 * Spreads text over 53 bits, an integer that SQLite and a double both hold exactly. Not a digest: whoever finds two texts under one
 * number compares the texts. 10 times as fast as SHA-256 for a name.
 */
export function spread(text: string): number {
	let a = 0xdead_beef;
	let b = 0x41c6_ce57;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		a = Math.imul(a ^ unit, 2_654_435_761);
		b = Math.imul(b ^ unit, 1_597_334_677);
	}
	a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
	b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
	return (b & 0x1f_ffff) * 0x1_0000_0000 + (a >>> 0);
}
