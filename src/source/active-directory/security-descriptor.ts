import { guidText } from "./guid.ts";
import { sidText } from "./sid.ts";

/** The generic rights that hold those asked about here (MS-DTYP §2.4.3). */
const GENERIC = 0x1000_0000 | 0x8000_0000;
/** The rights to list what an object contains, and to read a property (MS-ADTS §5.1.3.2). */
const LIST_CONTENTS = 0x4 | GENERIC;
const READ_PROPERTY = 0x10 | GENERIC;
/** The right to an operation or property that is asked for beyond reading; GENERIC_READ does not hold it. */
const CONTROL_ACCESS = 0x100 | 0x1000_0000;

const DACL_PRESENT = 0x4;
const DACL_PROTECTED = 0x1000;
const INHERIT_ONLY = 0x8;
const OBJECT_TYPE_PRESENT = 0x1;
const INHERITED_TYPE_PRESENT = 0x2;

/** ACE types (MS-DTYP §2.4.4.1): those that depend on a condition are not judged here. */
const allowed = { plain: 0x00, object: 0x05 } as const;
const denied = { plain: 0x01, object: 0x06, conditional: 0x0a, conditionalObject: 0x0c } as const;

/** A right, and for one to a property alone the GUIDs that stand for that property: its own and its property set's. */
interface Right {
	readonly mask: number;
	readonly property: readonly string[];
}

/**
 * Whether somebody with these SIDs may list the contents of the object that this descriptor guards (MS-DTYP §2.4.6, self-relative).
 * Undefined when it cannot be told.
 */
export function mayList(descriptor: Uint8Array, sids: ReadonlySet<string>): boolean | undefined {
	return judge(descriptor, sids, { mask: LIST_CONTENTS, property: [] });
}

/** Whether they may read a property of it, named by its schemaIDGUID and the GUID of its property set. Undefined when it cannot be told. */
export function mayReadProperty(descriptor: Uint8Array, sids: ReadonlySet<string>, property: readonly string[]): boolean | undefined {
	return judge(descriptor, sids, { mask: READ_PROPERTY, property });
}

/** Whether they have an extended right, or may read a confidential property, named by its GUIDs (MS-ADTS §5.1.3.3.4). Undefined when it cannot be told. */
export function mayControl(descriptor: Uint8Array, sids: ReadonlySet<string>, guids: readonly string[]): boolean | undefined {
	return judge(descriptor, sids, { mask: CONTROL_ACCESS, property: guids });
}

/** Whether an object takes nothing over from the one above it (SE_DACL_PROTECTED). */
export function inheritsNothing(descriptor: Uint8Array): boolean {
	return descriptor.length > 4 && (((descriptor[3] as number) << 8) & DACL_PROTECTED) !== 0;
}

/** The first entry of the list that speaks of the right to one of the SIDs decides. */
function judge(descriptor: Uint8Array, sids: ReadonlySet<string>, right: Right): boolean | undefined {
	try {
		const view = new DataView(descriptor.buffer, descriptor.byteOffset, descriptor.length);
		const start = view.getUint32(16, true);
		if ((view.getUint16(2, true) & DACL_PRESENT) === 0) return undefined; // Not asked for, or not shown.
		if (start === 0) return true; // A null list: no protection.
		const count = view.getUint16(start + 4, true);
		let at = start + 8;
		for (let i = 0; i < count; i++) {
			const verdict = judgeEntry(descriptor, view, at, sids, right);
			if (verdict !== undefined) return verdict;
			at += view.getUint16(at + 2, true);
		}
		return false;
	} catch (cause) {
		if (cause instanceof RangeError) return undefined; // Shorter than it says: it tells nothing.
		throw cause;
	}
}

function judgeEntry(
	descriptor: Uint8Array,
	view: DataView,
	at: number,
	sids: ReadonlySet<string>,
	{ mask, property }: Right,
): boolean | undefined {
	const type = view.getUint8(at);
	const isObject = type === allowed.object || type === denied.object || type === denied.conditionalObject;
	const isDenied = type === denied.plain || type === denied.object || type === denied.conditional || type === denied.conditionalObject;
	if (!isDenied && type !== allowed.plain && type !== allowed.object) return undefined;
	if ((view.getUint8(at + 1) & INHERIT_ONLY) !== 0 || (view.getUint32(at + 4, true) & mask) === 0) return undefined;
	const flags = isObject ? view.getUint32(at + 8, true) : 0;
	// For one kind of property or child alone: it speaks of a property that it names; listing is none of them.
	if ((flags & OBJECT_TYPE_PRESENT) !== 0) {
		const isMeant = property.includes(guidText(descriptor.subarray(at + 12, at + 28)));
		if (!isMeant && (!isDenied || property.length > 0)) return undefined;
	}
	const guids = ((flags & OBJECT_TYPE_PRESENT) === 0 ? 0 : 16) + ((flags & INHERITED_TYPE_PRESENT) === 0 ? 0 : 16);
	const sidAt = at + 8 + (isObject ? 4 + guids : 0);
	const sid = sidText(descriptor.subarray(sidAt, sidAt + 8 + 4 * view.getUint8(sidAt + 1)));
	return sid !== undefined && sids.has(sid) ? !isDenied : undefined;
}
