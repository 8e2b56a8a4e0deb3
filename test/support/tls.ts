import type { Tls } from "../../src/source/ldap/dial.ts";

/** Nothing of TLS is configured; a test spreads it and says what it is about. */
export const noTls: Tls = { ca: undefined, startTls: false, servername: undefined, cert: undefined, key: undefined };
